//! What a subscriber shows of their conversation: a tag for its status, and custom fields. Read when it is done, so that of several changes the last one
//! is shown, and told anew it is the same.

use conversations::{
    outbox::{break_channel, note_calls},
    subscriber_id,
};
use integrations::botconversa::ShownStatus;
use shared::{
    botconversa::{self, Account, Errand},
    prelude::*,
    provider::{Call, Failure},
};

use crate::{ACCOUNT, AccountRow, after_failure, line};

/// What the job says.
#[derive(Debug, Serialize, Deserialize)]
struct ShowConversation {
    channel_account_id: Uuid,
    client_id: Uuid,
}

/// The newest conversation, who holds it, and who the client is there.
const STANDS: &str = concat!(
    "
    select conversations.status, users.name as holder, phone.value as number, subscriber.id as subscriber_id, known.shown
      from conversations
      left join users on users.id = conversations.assignee_id
      left join lateral (select value from client_identities identity
                          where identity.company_id = conversations.company_id and identity.client_id = conversations.client_id
                            and kind = 'phone'
                          order by seen_at desc, created_at desc limit 1) phone on true
     cross join lateral (select ",
    subscriber_id!("conversations.company_id", "conversations.client_id", "$1::uuid"),
    " as id) subscriber
      left join botconversa_subscribers known on known.channel_account_id = $1 and known.subscriber_id = subscriber.id
     where conversations.channel_account_id = $1 and conversations.client_id = $2 and conversations.merged_into_id is null
     order by conversations.ended_at desc nulls first
     limit 1"
);

#[derive(FromRow)]
struct Stands {
    status: String,
    holder: Option<String>,
    number: Option<String>,
    subscriber_id: Option<String>,
    shown: Option<String>,
}

const KEEP: &str = "
    insert into botconversa_subscribers (channel_account_id, subscriber_id, shown)
    values ($1, $2, $3)
    on conflict (company_id, channel_account_id, subscriber_id) do update set shown = excluded.shown";

/// Until it is known what came of the calls, anything may be shown.
const FORGET: &str = "
    update botconversa_subscribers set shown = null where channel_account_id = $1 and subscriber_id = $2 and shown is distinct from $3";

/// Shows how a conversation stands.
///
/// # Errors
/// As the database fails.
pub async fn show(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let ShowConversation { channel_account_id, client_id } = job.read()?;
    let transaction = context.begin_system(job.company_id).await?;
    let account: Option<AccountRow> = transaction.first(ACCOUNT, &[&channel_account_id]).await?;
    let stands: Option<Stands> = transaction.first(STANDS, &[&channel_account_id, &client_id]).await?;
    let wanted =
        stands.as_ref().map(|Stands { status, holder, .. }| format!("{status}:{}", holder.as_deref().unwrap_or_default()));
    if let Some(Stands { subscriber_id: Some(subscriber_id), shown: Some(_), .. }) = &stands {
        transaction.execute(FORGET, &[&channel_account_id, subscriber_id, &wanted]).await?;
    }
    transaction.commit_quietly().await?;
    let wanted = wanted.unwrap_or_default();
    let shows = account.and_then(|account| account.settings()).map(|settings| settings.shows).unwrap_or_default();
    let Some(stands) = stands.filter(|_| !shows.is_nothing()) else { return finish(context, job, None).await };
    if stands.shown.as_deref() == Some(wanted.as_str()) {
        return finish(context, job, None).await;
    }
    let line = line(context, job.company_id, channel_account_id).await?;
    let account = Account { api_key: &line.api_key, errand: Errand::Background };
    let mut calls = Vec::new();
    let shown = put(context, account, &shows, &stands, &mut calls).await;
    note_calls(context, job.company_id, channel_account_id, calls).await?;
    match shown {
        Ok(Some(subscriber_id)) => finish(context, job, Some((channel_account_id, &subscriber_id, &wanted))).await,
        // Nobody there has this number.
        Ok(None) => finish(context, job, None).await,
        // Once it works again, the next change shows how things stand then.
        Err(Failure::Blocked { .. }) => {
            let transaction = context.begin_system(job.company_id).await?;
            break_channel(context, &transaction, job.company_id, channel_account_id).await?;
            transaction.commit_quietly().await?;
            finish(context, job, None).await
        }
        Err(failure) => after_failure(context, job, channel_account_id, failure).await,
    }
}

async fn finish(context: &Context, job: &Claimed, shown: Option<(Uuid, &str, &str)>) -> Result<Outcome, Error> {
    let transaction = context.begin_system(job.company_id).await?;
    if let Some((channel_account_id, subscriber_id, wanted)) = shown {
        transaction.execute(KEEP, &[&channel_account_id, &subscriber_id, &wanted]).await?;
    }
    job.finish(&transaction);
    transaction.commit_quietly().await?;
    Ok(Outcome::Done)
}

/// Puts everything as it is to be; who it was put on, if they are there.
async fn put(
    context: &Context,
    account: Account<'_>,
    shows: &ShownStatus,
    stands: &Stands,
    calls: &mut Vec<Call>,
) -> Result<Option<String>, Failure> {
    let id = match (&stands.subscriber_id, &stands.number) {
        (Some(id), _) => id.clone(),
        (None, Some(number)) => {
            let (found, made) = botconversa::find(context, account, number).await;
            calls.extend(made);
            match found? {
                Some(subscriber) => subscriber.id,
                None => return Ok(None),
            }
        }
        (None, None) => return Ok(None),
    };
    for (tag_id, is_on) in tags(shows, stands) {
        let (done, call) = botconversa::tag(context, account, (&id, tag_id), is_on).await;
        calls.push(call);
        done?;
    }
    let holder = stands.holder.as_deref().unwrap_or("-");
    for (field, value) in [(&shows.field, stands.status.as_str()), (&shows.agent_field, holder)] {
        let Some(field) = field else { continue };
        let (done, call) = botconversa::set_field(context, account, (&id, &field.id), value).await;
        calls.push(call);
        done?;
    }
    Ok(Some(id))
}

/// Tags to be put and taken away: of the status that was shown before, or of all others where nothing is known of that. A tag that stands for both stays.
fn tags<'a>(shows: &'a ShownStatus, stands: &Stands) -> Vec<(&'a str, bool)> {
    let before = stands.shown.as_deref().map(|shown| shown.split(':').next().unwrap_or_default());
    let of = |wanted: &str| shows.tags().into_iter().find(|(status, _)| *status == wanted).and_then(|(_, tag)| tag);
    let now = of(&stands.status).map(|tag| tag.id.as_str());
    let others = shows.tags().into_iter().filter(|(status, _)| before.is_none_or(|before| before == *status));
    let mut gone: Vec<&str> = others.filter_map(|(_, tag)| Some(tag?.id.as_str())).filter(|id| Some(*id) != now).collect();
    gone.sort_unstable();
    gone.dedup();
    gone.into_iter().map(|id| (id, false)).chain(now.map(|id| (id, true))).collect()
}

#[cfg(test)]
mod tests {
    use integrations::botconversa::Thing;

    use super::*;

    #[test]
    fn a_status_takes_the_place_of_the_one_before() {
        let thing = |id: &str| Some(Thing { id: id.into(), name: id.into() });
        let shows = ShownStatus { pending: thing("1"), active: thing("2"), closed: thing("3"), ..ShownStatus::default() };
        let stands = |status: &str, shown: Option<&str>| Stands {
            status: status.into(),
            holder: None,
            number: None,
            subscriber_id: None,
            shown: shown.map(str::to_owned),
        };
        assert_eq!(tags(&shows, &stands("active", Some("pending:"))), [("1", false), ("2", true)]);
        assert_eq!(tags(&shows, &stands("active", None)), [("1", false), ("3", false), ("2", true)]);
        assert_eq!(tags(&shows, &stands("bot", Some("closed:Ana"))), [("3", false)]);
        assert_eq!(tags(&shows, &stands("active", Some("active:Ana"))), [("2", true)], "somebody else holds it");
    }
}
