//! The life of one delivery: `queued → sending → sent | failed`. WhatsApp takes no idempotency key, so a message whose outcome is not known
//! stays `sending` until a status names it or the time runs out, and is never sent a second time by itself.

use std::time::Duration;

use futures_util::future::{join, try_join};
use integrations::{ChannelFlagged, ChannelKind, ChannelUpdated, channel_updated};
use shared::{
    environment::variable,
    error::{INTERNAL, NOT_FOUND},
    evolution, parameters,
    prelude::*,
    provider::{Call, Failure},
    whatsapp::Account,
};

use crate::{
    Delivery, DeliveryStatus, MessageStatus, MessageUpdated, Written, accepts_marketing,
    botconversa_delivery::Recipient,
    carrier::{Carrier, Sealed, StoredFile},
    carrier_columns, changed_message, changed_status, emit_message, enqueue_unheard,
    identity::LOCK_KEYS,
    moves_forward,
    numbers::remember,
    pace::take_turn,
    subscriber_id, told_early,
};

/// Takes a queued message for sending. A bot's message is taken only while the fence stands where it stood when the bot spoke:
/// once a human has taken over, what the bot had queued is silenced.
const BEGIN: &str = concat!(
    "
    with message as (
        select messages.id, messages.conversation_id, messages.kind, messages.body, messages.payload, messages.reply_to_id,
               messages.sender_id, messages.client_message_id, messages.fence, messages.status, messages.sending_at, messages.file_id,
               messages.deleted_at,
               messages.channel_account_id, messages.company_id
          from messages
         where messages.id = $1
           for update
    ), begun as (
        update messages
           set status = case when message.fence < conversations.version or message.deleted_at is not null then 'failed' else 'sending' end,
               error_code = case when message.fence < conversations.version then 'silenced'
                                 when message.deleted_at is not null then 'taken_back' end,
               sending_at = now()
          from message
          join conversations on conversations.company_id = message.company_id and conversations.id = message.conversation_id
         where messages.id = message.id
           and message.status = 'queued'
        returning messages.id, messages.status
    )
    select message.kind, message.body, message.payload,
           coalesce((select begun.status from begun), message.status) as status,
           exists (select from begun) as was_taken,
           extract(epoch from now() - message.sending_at)::double precision as sending_for,
           coalesce(phone.address, user_id.address) as address,
           phone.address is null as is_user_id, phone.value as number,
           channel_accounts.kind = 'evolution' and phone.checked_at is null and conversations.inbound_count = 0 as is_unchecked,
           conversations.id as conversation_id, message.sender_id is not null as is_typed, answered.sender_type <> 'client' as answers_own,
           (select users.name from companies join users on users.id = message.sender_id
             where companies.id = message.company_id and companies.signs_messages) as signed_by,
           answered.provider_id as reply_to, conversations.client_id, subscribed.name as client_name, subscribed.accepts_marketing,
           case when channel_accounts.kind = 'botconversa' then ",
    subscriber_id!("message.company_id", "conversations.client_id", "channel_accounts.id"),
    " end as subscriber_id,
           files.storage_key, files.name as file_name, files.mime_type, files.size as file_size,
           ",
    carrier_columns!(),
    "
      from message
      join conversations on conversations.company_id = message.company_id and conversations.id = message.conversation_id
      join channel_accounts on channel_accounts.company_id = message.company_id and channel_accounts.id = message.channel_account_id
      left join channel_credentials on channel_credentials.channel_account_id = channel_accounts.id
      left join lateral (select address, value, checked_at from client_identities
                          where client_identities.company_id = message.company_id
                            and client_identities.client_id = conversations.client_id and kind = 'phone'
                          order by seen_at desc, created_at desc limit 1) phone on true
      left join lateral (select address from client_identities
                          where client_identities.company_id = message.company_id
                            and client_identities.client_id = conversations.client_id
                            and kind = case channel_accounts.kind when 'evolution' then 'lid' when 'botconversa' then 'botconversa' else 'bsuid' end
                          order by seen_at desc, created_at desc limit 1) user_id on true
      left join lateral (select clients.name, ",
    accepts_marketing!(),
    "
                           from clients
                          where clients.company_id = conversations.company_id and clients.id = conversations.client_id
                            and channel_accounts.kind = 'botconversa') subscribed on true
      left join messages answered on answered.company_id = message.company_id and answered.id = message.reply_to_id
      left join files on files.company_id = message.company_id and files.id = message.file_id"
);

const CHANNEL: &str = concat!(
    "select ",
    carrier_columns!(),
    "
      from channel_accounts
      join channel_credentials on channel_credentials.channel_account_id = channel_accounts.id
     where channel_accounts.id = $1"
);

/// Where whoever wrote this message is reached by their number.
const NUMBER_OF: &str = "
    select identity.address
      from messages
      join conversations on conversations.company_id = messages.company_id and conversations.id = messages.conversation_id
      join client_identities identity on identity.company_id = conversations.company_id
                                     and identity.client_id = conversations.client_id and identity.kind = 'phone'
     where messages.channel_account_id = $1 and messages.provider_id = $2
     order by identity.seen_at desc, identity.created_at desc
     limit 1";

/// A status webhook may have been faster than the answer: its status stays, and statuses that came too early are merged now.
const RECORD_SENT: &str = changed_status!(
    "with ",
    told_early!("$3", "$2"),
    ", changed as (
        update messages
           set provider_id = coalesce(messages.provider_id, $2),
               status = case when ",
    moves_forward!("told.status"),
    " then told.status else messages.status end,
               error_code = coalesce(told.error_code, messages.error_code),
               error_detail = coalesce(told.error_detail, messages.error_detail)
          from told
         where messages.id = $1
        returning messages.*
    )"
);

/// Conversations come before messages in the order of locks.
const LOCK_CONVERSATION: &str =
    "select from conversations where id = (select conversation_id from messages where id = $1) for update";

/// A reaction that WhatsApp has is shown on its message, in place of the earlier one of the business.
const SHOW_REACTION: &str = changed_message!(
    "with changed as (
        update messages
           set reactions = (select coalesce(jsonb_agg(shown), '[]')
                              from jsonb_array_elements(messages.reactions) shown
                             where shown ->> 'by' <> 'agent')
                           || case when reaction.body = '' then '[]'
                                   else jsonb_build_array(jsonb_build_object('by', 'agent', 'emoji', reaction.body)) end,
               payload = messages.payload || jsonb_build_object('agent_reacted_at', extract(epoch from now()))
          from messages reaction
         where reaction.id = $1 and messages.company_id = reaction.company_id and messages.id = reaction.reply_to_id
        returning messages.*
    )"
);

const HAND_BACK: &str = "update messages set status = 'queued', sending_at = null where id = $1 and status = 'sending'";

const RECORD_FAILED: &str = changed_status!(
    "with changed as (
        update messages
           set status = 'failed', error_code = $2, error_detail = $3
         where id = $1 and status in ('queued', 'sending')
        returning *
    )"
);

/// Whatever state the last attempt left it in.
const GIVE_UP: &str = changed_status!(
    "with changed as (
        update messages
           set status = 'failed',
               error_code = case when status = 'queued' then 'not_sent' else 'outcome_unknown' end,
               error_detail = 'A mensagem não pôde ser entregue ao WhatsApp.'
         where id = $1 and status in ('queued', 'sending')
        returning *
    )"
);

/// What was given up before anybody called WhatsApp.
const TAKE_UP_AGAIN: &str = changed_status!(
    "with changed as (
        update messages
           set status = 'queued', error_code = null, error_detail = null
         where id = $1 and status = 'failed' and error_code = 'not_sent'
        returning *
    )"
);

const BREAK_CHANNEL: &str = channel_updated!(
    "
    update channel_accounts
       set status = 'broken', version = version + 1
     where id = $1 and status = 'active'"
);

const LOG_CALL: &str = "
    insert into integration_calls (id, channel_account_id, provider, operation, status, error_code, took_ms)
    select $1, id, kind, $3, $4, $5, $6 from channel_accounts where id = $2";

#[derive(FromRow)]
struct Begun {
    kind: String,
    body: String,
    payload: Value,
    status: String,
    was_taken: bool,
    sending_for: Option<f64>,
    address: Option<String>,
    is_user_id: bool,
    /// As it is written everywhere here.
    number: Option<String>,
    /// Nobody has asked yet whether the number has WhatsApp, and nothing says that it has.
    is_unchecked: Option<bool>,
    conversation_id: Uuid,
    is_typed: bool,
    signed_by: Option<String>,
    reply_to: Option<String>,
    client_id: Uuid,
    /// Of those whom BotConversa may have to subscribe first, and whether they have agreed to that.
    client_name: Option<String>,
    accepts_marketing: Option<bool>,
    subscriber_id: Option<String>,
    answers_own: Option<bool>,
    storage_key: Option<String>,
    file_name: Option<String>,
    mime_type: Option<String>,
    file_size: Option<i64>,
    #[from_row(flatten)]
    channel: Sealed,
}

/// How far a message has come, and where it belongs now: its conversation may have been transferred or joined meanwhile.
#[derive(FromRow)]
struct Changed {
    conversation_id: Uuid,
    client_message_id: Option<String>,
    department_id: Option<Uuid>,
    assignee_id: Option<Uuid>,
    participant_ids: Vec<Uuid>,
    client_id: Uuid,
    status: DeliveryStatus,
    error_code: Option<String>,
    error_detail: Option<String>,
    /// The bot has said it, and the client cannot have heard it.
    is_unheard: bool,
}

/// A message taken for sending.
pub struct Outgoing {
    message_id: Uuid,
    row: Begun,
    carrier: Carrier,
}

/// What to do with a message.
pub enum Verdict {
    Send(Box<Outgoing>),
    /// Sent, failed or silenced before: the job is finished.
    Finished,
    /// Its outcome is not known yet.
    Wait(Duration),
    /// Its channel has sent enough for now.
    Hold(Duration),
}

/// How long an outcome may stay unknown before the message counts as failed.
pub fn unknown_outcome_after() -> Duration {
    Duration::from_secs(variable("UNKNOWN_OUTCOME_SECONDS").parse().unwrap_or(600))
}

/// The provider's own pause, growing with every attempt.
pub fn pause(after: Duration, attempts: i32) -> Duration {
    let factor = 2_u32.saturating_pow(u32::try_from(attempts.saturating_sub(1)).unwrap_or(0));
    after.saturating_mul(factor).min(Duration::from_mins(15))
}

/// Takes the message, or finds that there is nothing to send.
pub async fn begin(context: &Context, job: &Claimed, message_id: Uuid) -> Result<Verdict, Error> {
    let transaction = context.begin_system(job.company_id).await?;
    if job.is_retried()
        && let Some(again) = transaction.first(TAKE_UP_AGAIN, &[&message_id]).await?
    {
        emit_status(&transaction, message_id, again);
    }
    let row: Begun = transaction.one(BEGIN, &[&message_id]).await?;
    if !row.was_taken && row.status == "sending" {
        let waited = Duration::from_secs_f64(row.sending_for.unwrap_or_default().max(0.0));
        if let Some(rest) = unknown_outcome_after().checked_sub(waited).filter(|rest| !rest.is_zero()) {
            return Ok(Verdict::Wait(rest.max(Duration::from_secs(1))));
        }
        let detail = "WhatsApp não respondeu; a mensagem pode ou não ter chegado.";
        fail(&transaction, message_id, "outcome_unknown", detail).await?;
        return finish(job, transaction).await;
    }
    if !row.was_taken || row.status == "failed" {
        return finish(job, transaction).await;
    }
    let carrier = row.channel.open(&context.secrets().encryption_keys);
    let Some((carrier, _)) = carrier.zip(row.address.as_ref()) else {
        let detail = "O canal não tem credenciais válidas ou o cliente não tem endereço nele.";
        fail(&transaction, message_id, "not_deliverable", detail).await?;
        return finish(job, transaction).await;
    };
    if matches!(carrier, Carrier::Evolution(_))
        && let Some(wait) = take_turn(&transaction, row.channel.channel_account_id, row.conversation_id, row.is_typed).await?
    {
        // What was taken is let go: nothing of it stays.
        return Ok(Verdict::Hold(wait));
    }
    transaction.commit_quietly().await?;
    let carrier = carrier.to(Recipient {
        company_id: job.company_id,
        client_id: row.client_id,
        name: row.client_name.clone().unwrap_or_default(),
        number: row.address.clone().filter(|_| !row.is_user_id),
        subscriber_id: row.subscriber_id.clone(),
        has_consent: row.accepts_marketing == Some(true),
    });
    Ok(Verdict::Send(Box::new(Outgoing { message_id, row, carrier })))
}

async fn finish(job: &Claimed, transaction: Transaction) -> Result<Verdict, Error> {
    job.finish(&transaction);
    transaction.commit_quietly().await?;
    Ok(Verdict::Finished)
}

/// Who carries a channel's messages.
pub async fn carrier(context: &Context, company_id: Uuid, channel_account_id: Uuid) -> Result<Carrier, Error> {
    let transaction = context.begin_system(company_id).await?;
    let channel: Option<Sealed> = transaction.first(CHANNEL, &[&channel_account_id]).await?;
    transaction.commit_quietly().await?;
    let carrier = channel.ok_or(NOT_FOUND)?.open(&context.secrets().encryption_keys);
    carrier.ok_or_else(|| INTERNAL.caused_by("the channel's credentials do not open"))
}

/// A number of the Cloud API, with its credentials opened.
pub async fn account(context: &Context, company_id: Uuid, channel_account_id: Uuid) -> Result<Account, Error> {
    match carrier(context, company_id, channel_account_id).await? {
        Carrier::Cloud(account) => Ok(account),
        Carrier::Evolution(_) | Carrier::BotConversa(_) => Err(NOT_FOUND.into()),
    }
}

/// Shows a client that their message was read.
pub async fn mark_read(
    context: &Context,
    company_id: Uuid,
    channel_account_id: Uuid,
    provider_id: &str,
) -> Result<(Result<(), Failure>, Option<Call>), Error> {
    let transaction = context.begin_system(company_id).await?;
    let (channel, number) = try_join(
        transaction.first::<Sealed>(CHANNEL, &[&channel_account_id]),
        transaction.query(NUMBER_OF, &[&channel_account_id, &provider_id]),
    )
    .await?;
    transaction.commit_quietly().await?;
    let carrier = channel.ok_or(NOT_FOUND)?.open(&context.secrets().encryption_keys);
    let carrier = carrier.ok_or_else(|| INTERNAL.caused_by("the channel's credentials do not open"))?;
    let number = number.first().map(|row| row.get::<_, String>("address"));
    Ok(carrier.mark_read(context, provider_id, number.as_deref()).await)
}

/// Asks whether a client's number has WhatsApp, once and before the first message to it; an answer that says nothing is no hindrance.
///
/// # Errors
/// Those of the database.
pub async fn check_number(
    context: &Context,
    job: &Claimed,
    outgoing: &Outgoing,
) -> Result<(Result<(), Failure>, Vec<Call>), Error> {
    let (Some(true), Some(number), Carrier::Evolution(instance)) =
        (outgoing.row.is_unchecked, &outgoing.row.number, &outgoing.carrier)
    else {
        return Ok((Ok(()), Vec::new()));
    };
    let address = outgoing.row.address.as_deref().unwrap_or(number);
    let (outcome, call) = evolution::look_up_number(context, instance.server(), &instance.name, address).await;
    let calls = vec![call];
    match outcome {
        Ok(Some(known)) => {
            remember(context, job.company_id, number, &known).await?;
            Ok((Ok(()), calls))
        }
        Ok(None) => {
            let detail = "Este número não tem WhatsApp.".to_owned();
            Ok((Err(Failure::Refused { code: "not_on_whatsapp".into(), detail }), calls))
        }
        // Nothing was sent: whoever does not answer is asked again.
        Err(Failure::Unknown { reason }) => Ok((Err(Failure::Busy { after: Duration::from_secs(5), code: reason }), calls)),
        // Servers that do not know the question take the message, or say themselves why not.
        Err(Failure::Refused { .. }) => Ok((Ok(()), calls)),
        Err(Failure::Blocked { code, .. }) if code == "404" => Ok((Ok(()), calls)),
        Err(failure) => Ok((Err(failure), calls)),
    }
}

/// Calls whoever carries it, outside any transaction.
pub async fn send(context: &Context, outgoing: &Outgoing) -> (Result<String, Failure>, Vec<Call>) {
    let row = &outgoing.row;
    let file = match (&row.storage_key, &row.file_name, &row.mime_type) {
        (Some(key), Some(name), Some(mime_type)) => {
            Some(StoredFile { key, name, mime_type, size: row.file_size.unwrap_or_default() })
        }
        _ => None,
    };
    let delivery = Delivery {
        message_id: outgoing.message_id,
        kind: row.kind.clone(),
        body: row.body.clone(),
        payload: row.payload.clone(),
        address: row.address.clone().unwrap_or_default(),
        is_user_id: row.is_user_id,
        signed_by: row.signed_by.clone(),
        reply_to: row.reply_to.clone(),
        answers_own: row.answers_own.unwrap_or_default(),
        file: None,
    };
    outgoing.carrier.send(context, delivery, file).await
}

/// WhatsApp accepted it.
pub async fn record_sent(
    context: &Context,
    job: &Claimed,
    outgoing: &Outgoing,
    provider_id: &str,
    calls: Vec<Call>,
) -> Result<(), Error> {
    let transaction = context.begin_system(job.company_id).await?;
    let channel = outgoing.row.channel.channel_account_id;
    let keys = vec![format!("message:{provider_id}")];
    let id = outgoing.message_id;
    let is_reaction = outgoing.row.kind == "reaction";
    if is_reaction {
        try_join(transaction.execute(LOCK_KEYS, &[&keys]), transaction.execute(LOCK_CONVERSATION, &[&id])).await?;
    }
    let (locked, sent) =
        join(transaction.execute(LOCK_KEYS, &[&keys]), transaction.one(RECORD_SENT, &[&id, &provider_id, &channel])).await;
    locked?;
    emit_status(&transaction, id, sent?);
    if is_reaction && let Some(Written { conversation, message }) = transaction.first(SHOW_REACTION, &[&id]).await? {
        emit_message(&transaction, &conversation, &MessageUpdated { message });
    }
    end(context, job, transaction, channel, calls).await
}

/// WhatsApp refused it for good, or the company has to act first.
pub async fn record_failed(
    context: &Context,
    job: &Claimed,
    outgoing: &Outgoing,
    failure: &Failure,
    calls: Vec<Call>,
) -> Result<(), Error> {
    let transaction = context.begin_system(job.company_id).await?;
    let detail = match failure {
        Failure::Refused { detail, .. } | Failure::Blocked { detail, .. } => detail.as_str(),
        _ => "WhatsApp continuou indisponível.",
    };
    fail(&transaction, outgoing.message_id, failure.code(), detail).await?;
    let channel = outgoing.row.channel.channel_account_id;
    if matches!(failure, Failure::Blocked { .. }) {
        break_channel(context, &transaction, job.company_id, channel).await?;
    }
    end(context, job, transaction, channel, calls).await
}

/// WhatsApp refuses the number until the company acts, and its staff are told so. Nothing else tells admins of a key of BotConversa's.
pub async fn break_channel(context: &Context, transaction: &Transaction, company_id: Uuid, channel: Uuid) -> Result<(), Error> {
    let broken: Option<ChannelUpdated> = transaction.first(BREAK_CHANNEL, &[&channel]).await?;
    let Some(broken) = broken else { return Ok(()) };
    transaction.tell_staff(&broken);
    if broken.kind == ChannelKind::Botconversa {
        let flagged = ChannelFlagged {
            channel_account_id: channel,
            channel_name: broken.name,
            code: "key_refused".to_owned(),
            text: "O BotConversa recusa a chave desta conta.".to_owned(),
            subject: None,
            detail: None,
            at: context.now(),
        };
        flagged.tell(context, transaction, company_id);
    }
    Ok(())
}

/// The last attempt failed for a reason of our own, or never ended.
pub async fn give_up(transaction: &Transaction, message_id: Uuid) -> Result<(), Error> {
    if let Some(failed) = transaction.first(GIVE_UP, &[&message_id]).await? {
        emit_status(transaction, message_id, failed);
    }
    Ok(())
}

/// WhatsApp was busy: the message waits in its queue again.
pub async fn hand_back(context: &Context, job: &Claimed, outgoing: &Outgoing, calls: Vec<Call>) -> Result<(), Error> {
    let transaction = context.begin_system(job.company_id).await?;
    transaction.execute(HAND_BACK, &[&outgoing.message_id]).await?;
    log_calls(context, &transaction, outgoing.row.channel.channel_account_id, calls);
    transaction.commit_quietly().await
}

/// No answer came: the message stays `sending`.
pub async fn keep_unknown(context: &Context, job: &Claimed, outgoing: &Outgoing, calls: Vec<Call>) -> Result<(), Error> {
    note_calls(context, job.company_id, outgoing.row.channel.channel_account_id, calls).await
}

/// Finishes a job that only made a call.
pub async fn finish_call(context: &Context, job: &Claimed, channel_account_id: Uuid, call: Option<Call>) -> Result<(), Error> {
    let transaction = context.begin_system(job.company_id).await?;
    end(context, job, transaction, channel_account_id, call.into_iter().collect()).await
}

async fn end(context: &Context, job: &Claimed, transaction: Transaction, channel: Uuid, calls: Vec<Call>) -> Result<(), Error> {
    log_calls(context, &transaction, channel, calls);
    finish(job, transaction).await.map(drop)
}

/// Keeps calls in the log of calls, where nothing else is written with them.
pub async fn note_calls(context: &Context, company_id: Uuid, channel: Uuid, calls: Vec<Call>) -> Result<(), Error> {
    let transaction = context.begin_system(company_id).await?;
    log_calls(context, &transaction, channel, calls);
    transaction.commit_quietly().await
}

/// Keeps calls in the log of calls.
pub fn log_calls(context: &Context, transaction: &Transaction, channel: Uuid, calls: Vec<Call>) {
    for call in calls {
        let Call { operation, status, error_code, took_ms } = call;
        transaction.defer(LOG_CALL, parameters![context.new_id(), channel, operation, status, error_code, took_ms]);
    }
}

async fn fail(transaction: &Transaction, message_id: Uuid, code: &str, detail: &str) -> Result<(), Error> {
    if let Some(failed) = transaction.first(RECORD_FAILED, &[&message_id, &code, &detail]).await? {
        emit_status(transaction, message_id, failed);
    }
    Ok(())
}

fn emit_status(transaction: &Transaction, message_id: Uuid, changed: Changed) {
    if changed.is_unheard {
        enqueue_unheard(transaction, changed.conversation_id, message_id);
    }
    let Changed { conversation_id, client_message_id, status, error_code, error_detail, .. } = changed;
    let Changed { department_id, assignee_id, participant_ids, client_id, .. } = changed;
    let payload = MessageStatus { message_id, conversation_id, client_message_id, status, error_code, error_detail };
    let audience = Audience::conversation(department_id, assignee_id).and_participants(&participant_ids).and_client(client_id);
    transaction.emit(Event::new(Topic::Conversation(conversation_id), audience, &payload));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let second = Duration::from_secs(1);
        assert_eq!(pause(second, 1), second);
        assert_eq!(pause(second, 4), Duration::from_secs(8));
        assert_eq!(pause(second, 60), Duration::from_mins(15));
    }
}
