//! POST /conversations/{id}/read — everything up to a message is read; the client sees blue ticks.

use conversations::{Conversation, ConversationRead, conversation_columns, conversation_joins, emit_conversation, lock};
use shared::prelude::*;

const ROUTE: Route = Route::post("/conversations/{id}/read");

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Read {
    /// The last message seen, one of this conversation's; all there are when not given.
    #[garde(skip)]
    message_id: Option<Uuid>,
}

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
         where conversation_id = $1 and inbound_number = (select number from seen)) as last_provider_id
      from updated as conversations ",
    conversation_joins!()
);

#[derive(FromRow)]
struct Marked {
    #[from_row(flatten)]
    conversation: Conversation,
    last_provider_id: Option<String>,
}

pub fn main() {
    serve(&ROUTE, mark_conversation_read);
}

async fn mark_conversation_read(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    Json(input): Json<Read>,
) -> Result<Json<Conversation>, Error> {
    let transaction = context.begin(&agent).await?;
    lock(&transaction, id).await?;
    let Marked { conversation, last_provider_id } = transaction.one(MARK_READ, &[&id, &input.message_id]).await?;
    emit_conversation::<ConversationRead>(&transaction, agent.company_id, &conversation, Some(agent.user_id), None);
    if let Some(provider_id) = last_provider_id {
        let payload = json!({"channel_account_id": conversation.channel_account_id, "provider_id": provider_id});
        let job = Job::new(&context, Queue::Delivery, "mark_read", format!("read:{id}"), payload);
        transaction.enqueue(job.unless_waiting(provider_id));
    }
    transaction.commit(Json(conversation)).await
}
