//! A job over the people on a channel, from its first page to its last: what kept webhooks tell of their names, and what their server does.

use std::time::Duration;

use clients::ClientUpdated;
use conversations::{
    accepts_marketing,
    carrier::{Carrier, Instance},
    outbox,
};
use futures_util::future::try_join;
use integrations::ChannelKind;
use shared::{
    evolution,
    prelude::*,
    progress::{Ending, Progress, Step},
    provider::{Call, Failure},
};
use whatsapp::{adapters, provider::Provider};

use super::{
    ContactsJob, FIX_NAMES, SYNC_PROFILES,
    names::{Named, best, is_name, told},
};

/// Kept webhooks of a page, and people of one: each of these is a call.
const WEBHOOKS: i64 = 200;
const PEOPLE: i64 = 5;

/// Between two calls to a server: it also carries the company's messages.
const PACE: Duration = Duration::from_millis(200);

/// Known by a number, or by what is no name.
macro_rules! nameless {
    () => {
        "(clients.name_source = 'number' or clients.name !~ '[[:alpha:]]')"
    };
}

/// Whose name a job may change: of a channel `$1`; with `$2` also that of who has one of their own profile.
macro_rules! people {
    ($rest:literal) => {
        concat!(
            "from clients
             cross join lateral (
                select identity.kind, identity.value, identity.address
                  from client_identities identity
                 where identity.company_id = clients.company_id and identity.client_id = clients.id
                   and identity.kind in ('phone', 'bsuid', 'lid')
                 order by array_position(array['phone', 'lid', 'bsuid'], identity.kind), identity.seen_at desc
                 limit 1) identity
             where clients.merged_into_id is null and clients.name_source <> 'staff'
               and (",
            nameless!(),
            " or ($2 and clients.name_source = 'profile'))
               and exists (select from conversations
                            where conversations.company_id = clients.company_id and conversations.client_id = clients.id
                              and conversations.channel_account_id = $1) ",
            $rest
        )
    };
}

const COUNT_PEOPLE: &str = concat!("select count(*) as items ", people!(""));

const PAGE_OF_PEOPLE: &str = concat!(
    "select clients.id, identity.kind, identity.value, identity.address ",
    people!("and clients.id > $3 order by clients.id limit $4")
);

const COUNT_WEBHOOKS: &str = "
    select count(*) as items from inbound_webhooks where channel_account_id = $1 and kinds && array['message', 'contact']";

/// The last first: of a profile's names the last one counts.
const PAGE_OF_WEBHOOKS: &str = "
    select id, received_at, source, body
      from inbound_webhooks
     where channel_account_id = $1 and kinds && array['message', 'contact'] and received_at <= $2 and (received_at, id) < ($2, $3)
     order by received_at desc, id desc
     limit $4";

const CHANNEL: &str = "select kind from channel_accounts where id = $1 and removed_at is null";

const LOCK: &str = "
    select from clients
     where id in (select identity.client_id
                    from unnest($1::text[], $2::text[]) given (kind, value)
                    join client_identities identity on identity.kind = given.kind and identity.value = given.value)
     order by id
       for no key update";

/// Never a name that somebody typed; one of the address book only by a later one.
const NAME: &str = concat!(
    "with given as (
        select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) given (kind, value, name, source, at)
    ), chosen as (
        select distinct on (clients.id) clients.id, given.name, given.source, given.at
          from given
          join client_identities identity on identity.kind = given.kind and identity.value = given.value
          join clients on clients.company_id = identity.company_id and clients.id = identity.client_id
         where clients.name_source <> 'staff' and clients.merged_into_id is null and clients.name <> given.name
           and (",
    nameless!(),
    " or (clients.name_source = 'profile' and ($6 or given.source = 'address_book')
                and (clients.name_told_at is null or clients.name_told_at <= given.at)))
         order by clients.id, given.source = 'address_book' desc, given.at desc
    )
    update clients
       set name = chosen.name, name_source = chosen.source, version = version + 1,
           name_told_at = case when chosen.source = 'address_book' then chosen.at else name_told_at end
      from chosen
     where clients.id = chosen.id
    returning clients.id as client_id, clients.name, clients.name_source, ",
    accepts_marketing!()
);

#[derive(FromRow)]
struct Count {
    items: i64,
}

#[derive(FromRow)]
struct OfKind {
    kind: ChannelKind,
}

#[derive(FromRow)]
struct Webhook {
    id: Uuid,
    received_at: Timestamp,
    source: Provider,
    body: Vec<u8>,
}

#[derive(FromRow)]
struct Person {
    id: Uuid,
    kind: String,
    value: String,
    address: String,
}

/// How far a job has come.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Place {
    /// People who have got a name.
    named: usize,
    next: Next,
}

/// Where its next page begins.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Next {
    /// Before this webhook.
    Webhooks { at: Timestamp, id: Uuid },
    /// Behind this person.
    People { behind: Uuid },
}

struct Run {
    context: Context,
    job: Claimed,
    channel_id: Uuid,
    progress: Progress,
    /// Of a server that can be asked.
    instance: Option<Instance>,
    place: Place,
}

/// Takes up a job, or goes on with it.
///
/// # Errors
/// As the database fails.
pub async fn run(context: Context, job: Claimed) -> Result<Outcome, Error> {
    let ContactsJob { channel_account_id: channel_id } = job.read()?;
    let Some(progress) = Progress::begin(&context, job.company_id, job.id).await? else {
        return Ok(Outcome::Failed { reason: "nobody watches it".to_owned() });
    };
    let transaction = context.begin_system(job.company_id).await?;
    let channel: Option<OfKind> = transaction.first(CHANNEL, &[&channel_id]).await?;
    transaction.commit_quietly().await?;
    let place = progress.place::<Place>()?;
    let is_begun = place.is_some();
    let first = match job.kind.as_str() {
        SYNC_PROFILES => Next::People { behind: Uuid::nil() },
        _ => Next::Webhooks { at: context.now(), id: Uuid::max() },
    };
    let place = place.unwrap_or(Place { named: 0, next: first });
    let mut run = Run { context, job, channel_id, progress, instance: None, place };
    match channel {
        None => return run.end(Ending::Done, Some("channel_removed")).await,
        Some(OfKind { kind: ChannelKind::Evolution }) => {
            let carrier = outbox::carrier(&run.context, run.job.company_id, channel_id).await?;
            run.instance = if let Carrier::Evolution(instance) = carrier { Some(instance) } else { None };
        }
        Some(_) => {}
    }
    if !is_begun {
        run.count().await?;
    }
    if run.progress.is_cancelled() {
        return run.end(Ending::Cancelled, None).await;
    }
    loop {
        let worked = match run.place.next {
            Next::Webhooks { at, id } => run.webhooks(at, id).await?,
            Next::People { behind } => run.people(behind).await?,
        };
        match worked {
            Worked::Page(Step::Continue) => {}
            Worked::Page(Step::Pause) => return Ok(Outcome::Hold { after: Duration::from_secs(1) }),
            Worked::Page(Step::Cancelled) => return run.end(Ending::Cancelled, None).await,
            Worked::Later(outcome) => return Ok(outcome),
            Worked::Through => return run.end(Ending::Done, None).await,
        }
    }
}

/// What came of a page.
enum Worked {
    Page(Step),
    /// The server has to be asked later, or never.
    Later(Outcome),
    /// There are no more.
    Through,
}

impl Run {
    fn is_sync(&self) -> bool {
        self.job.kind == SYNC_PROFILES
    }

    /// Says how many items there are, as of the beginning.
    async fn count(&self) -> Result<(), Error> {
        let transaction = self.context.begin_system(self.job.company_id).await?;
        let mut total = 0;
        if self.job.kind == FIX_NAMES {
            total += transaction.one::<Count>(COUNT_WEBHOOKS, &[&self.channel_id]).await?.items;
        }
        if self.instance.is_some() {
            total += transaction.one::<Count>(COUNT_PEOPLE, &[&self.channel_id, &self.is_sync()]).await?.items;
        }
        self.progress.expect(&transaction, total).await?;
        transaction.commit_quietly().await
    }

    async fn webhooks(&mut self, at: Timestamp, id: Uuid) -> Result<Worked, Error> {
        let transaction = self.context.begin_system(self.job.company_id).await?;
        let page: Vec<Webhook> = transaction.all(PAGE_OF_WEBHOOKS, &[&self.channel_id, &at, &id, &WEBHOOKS]).await?;
        let Some(last) = page.last() else {
            self.place.next = Next::People { behind: Uuid::nil() };
            transaction.commit_quietly().await?;
            return Ok(Worked::Page(Step::Continue));
        };
        let next = Next::Webhooks { at: last.received_at, id: last.id };
        let of_webhook = |webhook: &Webhook| -> Vec<Named> {
            let notifications = adapters::read(webhook.source, &webhook.body, webhook.received_at).unwrap_or_default();
            notifications.iter().flat_map(|notification| told(webhook.source, &notification.items)).collect()
        };
        let names = best(page.iter().flat_map(of_webhook).collect());
        self.write(transaction, names, (page.len(), 0), next).await
    }

    async fn people(&mut self, behind: Uuid) -> Result<Worked, Error> {
        if self.instance.is_none() {
            return Ok(Worked::Through);
        }
        let transaction = self.context.begin_system(self.job.company_id).await?;
        let asked: [&(dyn tokio_postgres::types::ToSql + Sync); 4] = [&self.channel_id, &self.is_sync(), &behind, &PEOPLE];
        let page: Vec<Person> = transaction.all(PAGE_OF_PEOPLE, &asked).await?;
        transaction.commit_quietly().await?;
        let Some(last) = page.last() else { return Ok(Worked::Through) };
        let Answers { names, failures, calls } = self.ask(&page).await;
        // One without an answer is passed over; a server without any is asked again.
        if let Some(failure) = failures.last().filter(|_| failures.len() == page.len()) {
            outbox::note_calls(&self.context, self.job.company_id, self.channel_id, calls).await?;
            return Ok(Worked::Later(later(&self.job, failure)));
        }
        let next = Next::People { behind: last.id };
        let transaction = self.context.begin_system(self.job.company_id).await?;
        outbox::log_calls(&self.context, &transaction, self.channel_id, calls);
        self.write(transaction, names, (page.len(), failures.len()), next).await
    }

    /// Asks a server what people call themselves, one by one.
    async fn ask(&self, page: &[Person]) -> Answers {
        let mut answers = Answers { names: Vec::new(), failures: Vec::new(), calls: Vec::new() };
        let Some(instance) = &self.instance else { return answers };
        for person in page {
            let (kind, jid) = match person.kind.as_str() {
                "phone" => ("phone", format!("{}@s.whatsapp.net", person.address)),
                "lid" => ("lid", format!("{}@lid", person.address)),
                // Of an id of another provider its server knows nothing.
                _ => continue,
            };
            let (outcome, call) = evolution::find_contact(&self.context, instance.server(), &instance.name, &jid).await;
            answers.calls.push(call);
            match outcome {
                Ok(name) => answers.names.extend(name.filter(|name| is_name(name)).map(|name| Named {
                    kind,
                    value: person.value.clone(),
                    name,
                    source: clients::NameSource::Profile,
                    at: self.context.now(),
                })),
                Err(failure) => answers.failures.push(failure),
            }
            tokio::time::sleep(PACE).await;
        }
        answers
    }

    /// Names people and counts the page, in one transaction.
    async fn write(
        &mut self,
        transaction: Transaction,
        names: Vec<Named>,
        (done, failed): (usize, usize),
        next: Next,
    ) -> Result<Worked, Error> {
        let kinds: Vec<&str> = names.iter().map(|named| named.kind).collect();
        let values: Vec<&str> = names.iter().map(|named| named.value.as_str()).collect();
        let words: Vec<&str> = names.iter().map(|named| named.name.as_str()).collect();
        let sources: Vec<&str> = names.iter().map(|named| named.source.as_str()).collect();
        let times: Vec<Timestamp> = names.iter().map(|named| named.at).collect();
        let named: Vec<ClientUpdated> = if names.is_empty() {
            Vec::new()
        } else {
            let lock: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&kinds, &values];
            let is_sync = self.is_sync();
            let row: [&(dyn tokio_postgres::types::ToSql + Sync); 6] = [&kinds, &values, &words, &sources, &times, &is_sync];
            try_join(transaction.query(LOCK, &lock), transaction.all(NAME, &row)).await?.1
        };
        for client in &named {
            transaction.tell_staff(client);
        }
        self.place = Place { named: self.place.named + named.len(), next };
        let step = self.progress.advance(&transaction, done, failed, self.place).await?;
        transaction.commit_quietly().await?;
        Ok(Worked::Page(step))
    }

    async fn end(self, ending: Ending, problem: Option<&str>) -> Result<Outcome, Error> {
        let transaction = self.context.begin_system(self.job.company_id).await?;
        self.progress.finish(&transaction, ending, &json!({"named": self.place.named, "problem": problem})).await?;
        self.job.finish(&transaction);
        transaction.commit_quietly().await?;
        Ok(Outcome::Done)
    }
}

/// What a server has said of a page of people.
struct Answers {
    names: Vec<Named>,
    failures: Vec<Failure>,
    calls: Vec<Call>,
}

/// A server that refuses the key does so until somebody acts; any other may answer yet.
fn later(job: &Claimed, failure: &Failure) -> Outcome {
    match failure {
        Failure::Blocked { code, .. } => Outcome::Failed { reason: format!("the server refuses: {code}") },
        _ => Outcome::Again { after: outbox::pause(Duration::from_secs(5), job.attempts), reason: failure.code().to_owned() },
    }
}
