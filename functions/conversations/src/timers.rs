//! What comes back to a conversation by itself: from a snooze, and to the bot.

use shared::prelude::*;

use crate::{
    Conversation, ConversationUnsnoozed, ConversationUpdated, HeldConversation, SystemMessage, add_system_message,
    emit_conversation, held_columns, updated_conversation,
};

/// The kind of the jobs that look after it.
pub const CONVERSATION_TIMER: &str = "run_conversation_timer";

/// Gives it to the bot, which begins anew when its client writes next. No row when there is no bot on its channel.
const RETURN_TO_BOT: &str = updated_conversation!(
    "
        update conversations
           set mode = 'bot', assignee_id = null, version = version + 1
          from (select coalesce(held.bot_flow_id, channel_accounts.bot_flow_id) as id
                  from conversations held
                  join companies on companies.id = held.company_id and companies.bot_enabled
                  join channel_accounts on channel_accounts.company_id = held.company_id
                                       and channel_accounts.id = held.channel_account_id
                 where held.id = $1) flow
         where conversations.id = $1 and conversations.ended_at is null and flow.id is not null
        returning conversations.*"
);

/// No row when it is not snoozed any more.
const UNSNOOZE: &str = updated_conversation!(
    "
        update conversations
           set snoozed_at = null, snoozed_until = null
         where id = $1 and snoozed_at is not null
        returning *"
);

const STAY_WITH_PEOPLE: &str = "update conversations set return_to_bot_at = null where id = $1";

const LOCK_DUE: &str =
    concat!("select ", held_columns!(), ", snoozed_until, return_to_bot_at from conversations where id = $1 for update");

#[derive(FromRow)]
struct Due {
    #[from_row(flatten)]
    held: HeldConversation,
    snoozed_until: Option<Timestamp>,
    return_to_bot_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct ConversationTimer {
    conversation_id: Uuid,
    at: Timestamp,
}

/// Asks for a look at a conversation at this time. Each change of a time asks anew: the row decides.
pub fn enqueue_timer(context: &Context, transaction: &Transaction, id: Uuid, at: Option<Timestamp>) {
    if let Some(at) = at {
        let payload = json!({"conversation_id": id, "at": at});
        transaction.enqueue(Job::new(context, Queue::Automation, CONVERSATION_TIMER, format!("timer:{id}"), payload));
    }
}

/// Gives a locked conversation to the bot and tells so; `None` when there is none.
pub async fn return_to_bot(
    context: &Context,
    transaction: &Transaction,
    company_id: Uuid,
    held: &HeldConversation,
    by: Option<Uuid>,
) -> Result<Option<Conversation>, Error> {
    let Some(conversation): Option<Conversation> = transaction.first(RETURN_TO_BOT, &[&held.id]).await? else {
        return Ok(None);
    };
    emit_conversation::<ConversationUpdated>(transaction, company_id, &conversation, by, Some(held.audience()));
    let line = SystemMessage {
        text: "Conversa devolvida ao robô.".to_owned(),
        payload: json!({"act": "returned_to_bot", "by_user_id": by}),
    };
    add_system_message(context, transaction, &conversation, line);
    Ok(Some(conversation))
}

/// Ends the snooze of a locked conversation and tells so; `None` when it is over already.
pub async fn unsnooze(
    context: &Context,
    transaction: &Transaction,
    company_id: Uuid,
    id: Uuid,
    by: Option<Uuid>,
) -> Result<Option<Conversation>, Error> {
    let Some(conversation): Option<Conversation> = transaction.first(UNSNOOZE, &[&id]).await? else { return Ok(None) };
    emit_conversation::<ConversationUnsnoozed>(transaction, company_id, &conversation, by, None);
    let line = SystemMessage { text: "Adiamento encerrado.".to_owned(), payload: json!({"act": "unsnoozed", "by_user_id": by}) };
    add_system_message(context, transaction, &conversation, line);
    Ok(Some(conversation))
}

/// Does a job of a conversation's time: waits for it, and does what is still to be done then in the transaction that says so.
pub async fn run_conversation_timer(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let ConversationTimer { conversation_id: id, at } = job.read()?;
    let now = context.now();
    if at > now {
        return Ok(Outcome::PutOff { after: at.duration_since(now).unsigned_abs() });
    }
    let transaction = context.begin_system(job.company_id).await?;
    let due: Option<Due> = transaction.first(LOCK_DUE, &[&id]).await?;
    if let Some(Due { held, snoozed_until, return_to_bot_at }) = due {
        if snoozed_until == Some(at) {
            unsnooze(context, &transaction, job.company_id, id, None).await?;
        }
        if return_to_bot_at == Some(at) && return_to_bot(context, &transaction, job.company_id, &held, None).await?.is_none() {
            transaction.execute(STAY_WITH_PEOPLE, &[&id]).await?;
        }
    }
    job.finish(&transaction);
    transaction.commit_quietly().await?;
    Ok(Outcome::Done)
}
