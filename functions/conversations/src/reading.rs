//! What staff have read of a conversation.

use shared::prelude::*;

use crate::{Conversation, ConversationRead, conversation_columns, conversation_joins, emit_conversation};

/// The read cursor only moves forward. No row when the message is none of this conversation's.
const MARK_READ: &str = concat!(
    "with last as (
        select sent_at, id from messages where id = $2 and conversation_id = $1
    ), seen as (
        select coalesce(max(inbound_number), 0) as number
          from messages
         where conversation_id = $1
           and inbound_number is not null
           and ($2::uuid is null or (sent_at, id) <= (select sent_at, id from last))
    ), updated as (
        update conversations
           set read_count = greatest(read_count, seen.number)
          from seen
         where id = $1
           and ($2::uuid is null or exists (select from last))
        returning conversations.*
    )
    select ",
    conversation_columns!(),
    ", (select provider_id from messages
         where conversation_id = $1 and inbound_number = (select number from seen)
         order by sent_at desc, id desc
         limit 1) as last_provider_id
      from updated as conversations ",
    conversation_joins!()
);

/// To the end, of those that have something unread.
const MARK_ALL_READ: &str = concat!(
    "with updated as (
        update conversations
           set read_count = inbound_count
         where id = any ($1) and read_count < inbound_count
        returning *
    )
    select ",
    conversation_columns!(),
    ", (select provider_id from messages
         where conversation_id = conversations.id and inbound_number = conversations.inbound_count
         order by sent_at desc, id desc
         limit 1) as last_provider_id
      from updated as conversations ",
    conversation_joins!()
);

#[derive(FromRow)]
struct Marked {
    #[from_row(flatten)]
    conversation: Conversation,
    last_provider_id: Option<String>,
}

/// Marks a conversation that the caller holds the lock of as read up to a message, or as far as it goes; 404 when the message is none of
/// its own. The client sees blue ticks.
pub async fn mark_read(
    context: &Context,
    transaction: &Transaction,
    agent: &Identity,
    id: Uuid,
    message_id: Option<Uuid>,
) -> Result<Conversation, Error> {
    let marked: Marked = transaction.one(MARK_READ, &[&id, &message_id]).await?;
    Ok(tell(context, transaction, agent, marked))
}

/// Marks conversations that the caller holds the locks of as read to the end, as `mark_read` does one.
pub async fn mark_all_read(context: &Context, transaction: &Transaction, agent: &Identity, ids: &[Uuid]) -> Result<(), Error> {
    let all: Vec<Marked> = transaction.all(MARK_ALL_READ, &[&ids]).await?;
    for marked in all {
        tell(context, transaction, agent, marked);
    }
    Ok(())
}

fn tell(context: &Context, transaction: &Transaction, agent: &Identity, marked: Marked) -> Conversation {
    let Marked { conversation, last_provider_id } = marked;
    transaction.settle_notifications_of(conversation.id);
    emit_conversation::<ConversationRead>(transaction, agent.company_id, &conversation, Some(agent.user_id), None);
    if let Some(provider_id) = last_provider_id {
        let payload = json!({"channel_account_id": conversation.channel_account_id, "provider_id": provider_id});
        let job = Job::new(context, Queue::Delivery, "mark_read", format!("read:{}", conversation.id), payload);
        transaction.enqueue(job.unless_waiting(provider_id));
    }
    conversation
}
