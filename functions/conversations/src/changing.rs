//! Words that are changed, and messages that are taken back, on the phone of the client who has them. Done twice, it is what it was done once:
//! what nobody knows the outcome of is done again.

use futures_util::future::join;
use shared::{
    prelude::*,
    provider::{Call, Failure},
};

use crate::{
    ConversationUpdated, MessageUpdated, SHOW_PREVIEW, Written,
    carrier::{Carrier, Sealed},
    carrier_columns, changed_message, emit_conversation, emit_message,
    outbox::log_calls,
};

/// No row when it is on a channel that changes nothing, when it is too late, or when it is not the caller's.
pub const ASK: &str = changed_message!("with changed as (select * from app.ask_for_change($1, $2, $3, $4))");

/// No row once it was done, given up, or followed by another.
const BEGIN: &str = concat!(
    "select messages.change ->> 'kind' as change_kind, messages.change ->> 'body' as words, messages.provider_id,
            phone.address as number, user_id.address as user_id, ",
    carrier_columns!(),
    "
      from messages
      join conversations on conversations.company_id = messages.company_id and conversations.id = messages.conversation_id
      join channel_accounts on channel_accounts.company_id = messages.company_id and channel_accounts.id = messages.channel_account_id
      left join channel_credentials on channel_credentials.channel_account_id = channel_accounts.id
      left join lateral (select address from client_identities
                          where client_identities.company_id = messages.company_id
                            and client_identities.client_id = conversations.client_id and kind = 'phone'
                          order by seen_at desc, created_at desc limit 1) phone on true
      left join lateral (select address from client_identities
                          where client_identities.company_id = messages.company_id
                            and client_identities.client_id = conversations.client_id and kind = 'lid'
                          order by seen_at desc, created_at desc limit 1) user_id on true
     where messages.id = $1 and messages.change ->> 'id' = $2 and messages.change ->> 'status' = 'queued'"
);

const LOCK_CONVERSATION: &str =
    "select from conversations where id = (select conversation_id from messages where id = $1) for update";

/// The server may have told of it already: then the words are there.
const DONE: &str = changed_message!(
    "with changed as (
        update messages
           set (revisions, body, edited_at) = (
                   select edited.revisions, edited.body, clock_timestamp()
                     from app.add_edit(messages.revisions, messages.body, messages.change ->> 'id', messages.change ->> 'body',
                                       clock_timestamp()) edited
                    where messages.change ->> 'kind' = 'edit' and messages.body <> messages.change ->> 'body'
                    union all
                   select messages.revisions, messages.body, messages.edited_at
                    where messages.change ->> 'kind' <> 'edit' or messages.body = messages.change ->> 'body'),
               change = messages.change || jsonb_build_object('status', 'sent')
         where id = $1 and change ->> 'id' = $2 and change ->> 'status' = 'queued'
        returning *
    )"
);

const FAILED: &str = changed_message!(
    "with changed as (
        update messages
           set change = change || jsonb_build_object('status', 'failed', 'error_code', $3::text, 'error_detail', $4::text)
         where id = $1 and change ->> 'id' = $2 and change ->> 'status' = 'queued'
        returning *
    )"
);

/// The client has the old words, or the new ones.
const UNANSWERED: &str = "O WhatsApp não respondeu; a mensagem do cliente pode ou não ter mudado.";

#[derive(FromRow)]
struct Asked {
    change_kind: String,
    words: Option<String>,
    provider_id: String,
    number: Option<String>,
    user_id: Option<String>,
    #[from_row(flatten)]
    channel: Sealed,
}

/// What a job of this kind is told.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ChangeAsked {
    pub message_id: Uuid,
    pub change_id: Uuid,
}

/// Asks for the change behind whatever else of the conversation is on its way.
pub fn enqueue(context: &Context, transaction: &Transaction, conversation_id: Uuid, asked: ChangeAsked) {
    transaction.enqueue(Job::new(context, Queue::Delivery, "change_message", conversation_id, json!(asked)));
}

/// Changes the message at the client's. Answers when it is to be tried again.
///
/// # Errors
/// Those of the database.
pub async fn change(context: &Context, job: &Claimed) -> Result<Option<Failure>, Error> {
    let asked: ChangeAsked = job.read()?;
    let (message_id, change_id) = (asked.message_id, asked.change_id.to_string());
    let transaction = context.begin_system(job.company_id).await?;
    let Some(row) = transaction.first::<Asked>(BEGIN, &[&message_id, &change_id]).await? else {
        job.finish(&transaction);
        transaction.commit_quietly().await?;
        return Ok(None);
    };
    transaction.commit_quietly().await?;
    let channel = row.channel.channel_account_id;
    let (outcome, call) = call(context, &row).await;
    let transaction = context.begin_system(job.company_id).await?;
    log_calls(context, &transaction, channel, call.into_iter().collect());
    match outcome {
        Err(failure @ (Failure::Busy { .. } | Failure::Unknown { .. })) if !job.is_last_attempt() => {
            transaction.commit_quietly().await?;
            return Ok(Some(failure));
        }
        outcome => end(job, transaction, (message_id, &change_id), outcome.err()).await?,
    }
    Ok(None)
}

async fn call(context: &Context, row: &Asked) -> (Result<(), Failure>, Option<Call>) {
    let carrier = row.channel.open(&context.secrets().encryption_keys);
    let address = row.number.as_deref().map(|number| (number, false)).or_else(|| row.user_id.as_deref().map(|id| (id, true)));
    let (Some(Carrier::Evolution(instance)), Some(address)) = (carrier, address) else {
        let detail = "O canal não tem credenciais válidas ou o cliente não tem endereço nele.".to_owned();
        return (Err(Failure::Refused { code: "not_deliverable".into(), detail }), None);
    };
    let words = row.words.as_deref().filter(|_| row.change_kind == "edit");
    instance.change(context, &row.provider_id, address, words).await
}

async fn end(
    job: &Claimed,
    transaction: Transaction,
    (message_id, change_id): (Uuid, &str),
    failure: Option<Failure>,
) -> Result<(), Error> {
    let changed: Option<Written> = match &failure {
        None => {
            let (locked, done) =
                join(transaction.execute(LOCK_CONVERSATION, &[&message_id]), transaction.first(DONE, &[&message_id, &change_id]))
                    .await;
            locked?;
            done?
        }
        Some(failure) => {
            let detail = match failure {
                Failure::Refused { detail, .. } | Failure::Blocked { detail, .. } => detail.as_str(),
                _ => UNANSWERED,
            };
            transaction.first(FAILED, &[&message_id, &change_id, &failure.code(), &detail]).await?
        }
    };
    if let Some(Written { mut conversation, message }) = changed {
        if failure.is_none()
            && let Some(shown) = transaction.first(SHOW_PREVIEW, &[&conversation.id, &message_id, &message.preview()]).await?
        {
            conversation = shown;
            emit_conversation::<ConversationUpdated>(&transaction, job.company_id, &conversation, None, None);
        }
        emit_message(&transaction, &conversation, &MessageUpdated { message });
    }
    job.finish(&transaction);
    transaction.commit_quietly().await
}

/// The last attempt never ended: nobody knows what the client sees.
///
/// # Errors
/// Those of the database.
pub async fn give_up(job: &Claimed, transaction: &Transaction) -> Result<(), Error> {
    let asked: ChangeAsked = job.read()?;
    let change_id = asked.change_id.to_string();
    let failed = transaction.first(FAILED, &[&asked.message_id, &change_id, &"outcome_unknown", &UNANSWERED]).await?;
    if let Some(Written { conversation, message }) = failed {
        emit_message(transaction, &conversation, &MessageUpdated { message });
    }
    Ok(())
}
