//! An account and the company's clients kept alike: first its subscribers become clients, then it is told of clients. What one side has told is no
//! news when it comes back from the other.

use std::time::Duration;

use conversations::{accepts_marketing, carrier::Line, outbox::note_calls, subscriber_id};
use shared::{
    botconversa::{self, Account, Errand, Page},
    prelude::*,
    progress::{Ending, Progress, Step},
    provider::{Call, Failure},
};

use crate::{
    ACCOUNT, AccountRow, after_failure, line,
    news::{Catalogue, ClientToTell, News},
    subscribers::{Taken, channel, is_among, take},
};

/// Subscribers in one transaction: as long as it lasts, it holds the locks of all of them.
const AT_ONCE: usize = 25;

/// Clients that are looked at together.
const CLIENTS: i64 = 50;

const NO_ONE_WATCHES: &str = "nobody watches it";

/// What the job says.
#[derive(Debug, Serialize, Deserialize)]
pub struct SyncBotConversa {
    pub channel_account_id: Uuid,
}

/// An account was kept alike with the clients, or as far as somebody wanted. Whoever shows clients reads them anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BotConversaSynced {
    pub channel_account_id: Uuid,
    /// Clients made of subscribers.
    pub made: usize,
    /// Clients of whom subscribers said something new.
    pub updated: usize,
    /// Subscribers who were told something new.
    pub told: usize,
}
event!(BotConversaSynced = "botconversa.synced");

/// Where the next page begins.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Place {
    /// Of subscribers; `None` once they are all taken.
    page: Option<u32>,
    /// Of those of the page, how many were taken.
    taken: usize,
    /// The last client it was told of.
    after: Option<Uuid>,
    so_far: BotConversaSynced,
}

const COUNT_CLIENTS: &str = "select count(*) as clients from clients where merged_into_id is null and archived_at is null";

/// Those who have agreed to be written to and can be.
const NEXT_CLIENTS: &str = concat!(
    "select clients.id, clients.name, clients.tags, clients.custom_fields, phone.value as number, subscriber.id as subscriber_id,
            coalesce(known.tags, '{}') as known_tags, coalesce(known.fields, '{}') as known_fields
       from (select *, ",
    accepts_marketing!(),
    "
               from clients
              where ($1::uuid is null or id > $1) and merged_into_id is null and archived_at is null
              order by id
              limit $2) clients
       join lateral (select value from client_identities identity
                      where identity.company_id = clients.company_id and identity.client_id = clients.id and kind = 'phone'
                      order by seen_at desc, created_at desc limit 1) phone on true
      cross join lateral (select ",
    subscriber_id!("clients.company_id", "clients.id", "$3::uuid"),
    " as id) subscriber
       left join botconversa_subscribers known on known.channel_account_id = $3 and known.subscriber_id = subscriber.id
      where accepts_marketing and blocked_at is null
      order by clients.id"
);

/// Of a page of clients, whoever they are.
const LAST_OF_PAGE: &str = "
    select id, (row_number() over (order by id))::bigint as place
      from clients
     where ($1::uuid is null or id > $1) and merged_into_id is null and archived_at is null
     order by id
     limit $2";

const KEEP: &str = "
    insert into botconversa_subscribers (channel_account_id, subscriber_id, tags, fields)
    values ($1, $2, $3, $4)
    on conflict (company_id, channel_account_id, subscriber_id) do update
       set tags = excluded.tags, fields = excluded.fields, synced_at = now()";

const KEEP_IDENTITY: &str = "
    insert into client_identities (client_id, kind, value, address)
    values ($1, 'botconversa', $2, $2)
    on conflict do nothing";

#[derive(FromRow)]
struct Count {
    clients: i64,
}

#[derive(FromRow)]
struct OfPage {
    id: Uuid,
    place: i64,
}

/// Takes it up, or goes on with it.
///
/// # Errors
/// As the database fails.
pub async fn run(context: Context, job: Claimed) -> Result<Outcome, Error> {
    let SyncBotConversa { channel_account_id } = job.read()?;
    let Some(progress) = Progress::begin(&context, job.company_id, job.id).await? else {
        return Ok(Outcome::Failed { reason: NO_ONE_WATCHES.to_owned() });
    };
    let transaction = context.begin_system(job.company_id).await?;
    let account: Option<AccountRow> = transaction.first(ACCOUNT, &[&channel_account_id]).await?;
    transaction.commit_quietly().await?;
    if account.is_none() {
        return Ok(Outcome::Failed { reason: "the account was disabled or removed".to_owned() });
    }
    let line = line(&context, job.company_id, channel_account_id).await?;
    let begin =
        Place { page: Some(1), taken: 0, after: None, so_far: BotConversaSynced { channel_account_id, ..Default::default() } };
    let place = progress.place::<Place>()?.unwrap_or(begin);
    let mut run = Run { context, job, progress, line, place };
    if run.progress.is_cancelled() {
        return run.end(Ending::Cancelled).await;
    }
    let step = match run.take_subscribers().await? {
        Ok(Step::Continue) => run.tell_of_clients().await?,
        other => other,
    };
    match step {
        Ok(Step::Continue) => run.end(Ending::Done).await,
        Ok(Step::Pause) => Ok(Outcome::Hold { after: Duration::from_secs(1) }),
        Ok(Step::Cancelled) => run.end(Ending::Cancelled).await,
        Err(failure) => after_failure(&run.context, &run.job, channel_account_id, failure).await,
    }
}

/// How far it has come, or why BotConversa does not go on.
type Stepped = Result<Step, Failure>;

struct Run {
    context: Context,
    job: Claimed,
    progress: Progress,
    line: Line,
    place: Place,
}

impl Run {
    async fn take_subscribers(&mut self) -> Result<Stepped, Error> {
        while let Some(number) = self.place.page {
            let account = Account { api_key: &self.line.api_key, errand: Errand::Background };
            let (answer, call) = botconversa::list(&self.context, account, number).await;
            self.note(vec![call]).await?;
            let page = match answer {
                Ok(page) => page,
                Err(failure) => return Ok(Err(failure)),
            };
            if number == 1 && self.place.taken == 0 {
                self.count(&page).await?;
            }
            let step = self.take_page(&page, number).await?;
            if step != Step::Continue {
                return Ok(Ok(step));
            }
        }
        Ok(Ok(Step::Continue))
    }

    async fn take_page(&mut self, page: &Page, number: u32) -> Result<Step, Error> {
        let next_page = (page.has_next && !page.subscribers.is_empty()).then_some(number + 1);
        let channel = channel(self.job.company_id, self.line.channel_account_id);
        loop {
            let rest = page.subscribers.get(self.place.taken..).unwrap_or_default();
            let some = &rest[..rest.len().min(AT_ONCE)];
            let is_last = some.len() == rest.len();
            let transaction = self.context.begin_system(self.job.company_id).await?;
            let Taken { made, updated, failed } = take(&self.context, &transaction, &channel, some).await?;
            let unreadable = if is_last { page.unreadable } else { 0 };
            let mut place = self.place;
            place.so_far.made += made;
            place.so_far.updated += updated;
            (place.page, place.taken) = if is_last { (next_page, 0) } else { (Some(number), place.taken + some.len()) };
            let step = self.progress.advance(&transaction, some.len() + unreadable, failed + unreadable, place).await?;
            transaction.commit_quietly().await?;
            self.place = place;
            if is_last || step != Step::Continue {
                return Ok(step);
            }
        }
    }

    async fn tell_of_clients(&mut self) -> Result<Stepped, Error> {
        let account = Account { api_key: &self.line.api_key, errand: Errand::Background };
        let (tags, call) = botconversa::tags(&self.context, account).await;
        let (fields, other) = botconversa::fields(&self.context, account).await;
        self.note(vec![call, other]).await?;
        let catalogue = match (tags, fields) {
            (Ok(tags), Ok(fields)) => Catalogue { tags, fields },
            (Err(failure), _) | (_, Err(failure)) => return Ok(Err(failure)),
        };
        loop {
            let transaction = self.context.begin_system(self.job.company_id).await?;
            let page: Vec<OfPage> = transaction.all(LAST_OF_PAGE, &[&self.place.after, &CLIENTS]).await?;
            let id = self.line.channel_account_id;
            let clients: Vec<ClientToTell> = transaction.all(NEXT_CLIENTS, &[&self.place.after, &CLIENTS, &id]).await?;
            transaction.commit_quietly().await?;
            let Some(last) = page.last().map(|last| last.id) else { return Ok(Ok(Step::Continue)) };
            let mut done = 0;
            for client in &clients {
                let news = catalogue.news(client);
                if news.is_nothing() {
                    continue;
                }
                let told = match self.tell(client, &news).await? {
                    Ok(told) => told,
                    Err(failure) => return Ok(Err(failure)),
                };
                // Those before in this page had no news.
                let so_far = page.iter().find(|one| one.id == client.id).map_or(done, |one| one.place);
                let step = self.keep(client, told, so_far - done).await?;
                done = so_far;
                if step != Step::Continue {
                    return Ok(Ok(step));
                }
            }
            let rest = i64::try_from(page.len()).unwrap_or(i64::MAX) - done;
            let transaction = self.context.begin_system(self.job.company_id).await?;
            let place = Place { after: Some(last), ..self.place };
            let step = self.progress.advance(&transaction, usize::try_from(rest).unwrap_or_default(), 0, place).await?;
            transaction.commit_quietly().await?;
            self.place = place;
            if step != Step::Continue {
                return Ok(Ok(step));
            }
        }
    }

    /// Tells BotConversa of one client. What it does not take is passed over; done again after a death, all of it is the same.
    async fn tell(&self, client: &ClientToTell, news: &News<'_>) -> Result<Result<Option<Told>, Failure>, Error> {
        let account = Account { api_key: &self.line.api_key, errand: Errand::Background };
        let mut calls = Vec::new();
        let outcome = tell(&self.context, account, client, news, &mut calls).await;
        self.note(calls).await?;
        Ok(match outcome {
            Ok(told) => Ok(Some(told)),
            Err(Failure::Refused { .. }) => Ok(None),
            Err(failure) => Err(failure),
        })
    }

    /// Keeps what one client's subscriber was told. `None`: BotConversa refuses the client.
    async fn keep(&mut self, client: &ClientToTell, told: Option<Told>, done: i64) -> Result<Step, Error> {
        let transaction = self.context.begin_system(self.job.company_id).await?;
        let mut place = Place { after: Some(client.id), ..self.place };
        let failed = usize::from(told.is_none());
        if let Some(Told { subscriber_id, tags, fields }) = told {
            let id = self.line.channel_account_id;
            transaction.execute(KEEP_IDENTITY, &[&client.id, &format!("{id}:{subscriber_id}")]).await?;
            transaction.execute(KEEP, &[&id, &subscriber_id, &tags, &fields]).await?;
            place.so_far.told += 1;
        }
        let step = self.progress.advance(&transaction, usize::try_from(done).unwrap_or_default(), failed, place).await?;
        transaction.commit_quietly().await?;
        self.place = place;
        Ok(step)
    }

    async fn count(&self, page: &Page) -> Result<(), Error> {
        let transaction = self.context.begin_system(self.job.company_id).await?;
        let Count { clients } = transaction.one(COUNT_CLIENTS, &[]).await?;
        self.progress.expect(&transaction, page.count.unwrap_or(0).saturating_add(clients)).await?;
        transaction.commit_quietly().await
    }

    async fn note(&self, calls: Vec<Call>) -> Result<(), Error> {
        note_calls(&self.context, self.job.company_id, self.line.channel_account_id, calls).await
    }

    async fn end(self, ending: Ending) -> Result<Outcome, Error> {
        let transaction = self.context.begin_system(self.job.company_id).await?;
        let so_far = self.place.so_far;
        if so_far.made + so_far.updated + so_far.told > 0 {
            transaction.tell_staff(&so_far);
        }
        self.progress.finish(&transaction, ending, &json!(so_far)).await?;
        self.job.finish(&transaction);
        transaction.commit_quietly().await?;
        Ok(Outcome::Done)
    }
}

/// What a subscriber has been told.
struct Told {
    subscriber_id: String,
    tags: Vec<String>,
    fields: Value,
}

async fn tell(
    context: &Context,
    account: Account<'_>,
    client: &ClientToTell,
    news: &News<'_>,
    calls: &mut Vec<Call>,
) -> Result<Told, Failure> {
    let subscriber_id = if let Some(id) = &client.subscriber_id {
        id.clone()
    } else {
        let (found, made) = botconversa::find_or_create(context, account, &client.number, &client.name).await;
        calls.extend(made);
        found?.id
    };
    let (mut tags, mut fields) = (client.known_tags.clone(), client.known_fields.clone());
    let changes = news.added.iter().map(|tag| (*tag, true)).chain(news.dropped.iter().map(|tag| (*tag, false)));
    for (tag, is_on) in changes {
        let (done, call) = botconversa::tag(context, account, (&subscriber_id, &tag.id), is_on).await;
        calls.push(call);
        done?;
        tags.retain(|known| !is_among(known, std::slice::from_ref(&tag.name)));
        if is_on {
            tags.push(tag.name.clone());
        }
    }
    for (id, value) in &news.fields {
        let (done, call) = botconversa::set_field(context, account, (&subscriber_id, id), value).await;
        calls.push(call);
        done?;
        fields[*id] = json!(value);
    }
    Ok(Told { subscriber_id, tags, fields })
}
