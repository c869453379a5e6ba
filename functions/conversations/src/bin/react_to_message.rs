//! POST /messages/{id}/reactions — reacts to a message with one emoji, or takes the reaction back.

use conversations::{
    BOT_MODE, CHANNEL_REMOVED, CLIENT_BLOCKED, CONVERSATION_CLOSED, Message, MessageKind, NOT_DELIVERED, NOT_HOLDER, NOT_TAKEN,
    WINDOW_CLOSED, Written, changed_message, enqueue_delivery, lock_message, may_send,
};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/messages/{id}/reactions").fails(&[
    BOT_MODE,
    CHANNEL_REMOVED,
    CLIENT_BLOCKED,
    CONVERSATION_CLOSED,
    NOT_DELIVERED,
    NOT_FOUND,
    NOT_HOLDER,
    NOT_TAKEN,
    WINDOW_CLOSED,
]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewReaction {
    /// One emoji; empty takes back the one that is there.
    #[garde(length(bytes, max = 64), custom(one_or_none))]
    emoji: String,
}

/// It goes out like a message, and is shown on the message it is to once WhatsApp has it.
const ADD_REACTION: &str = changed_message!(
    "with changed as (
        insert into messages (id, conversation_id, channel_account_id, sender_type, sender_id, kind, body, reply_to_id, status, sent_at)
        select $1, conversation_id, channel_account_id, 'agent', $3, 'reaction', $4, id, 'queued', clock_timestamp()
          from messages
         where id = $2 and provider_id is not null and deleted_at is null and kind <> 'system'
        returning *
    )"
);

pub fn main() {
    serve(&ROUTE, react_to_message);
}

async fn react_to_message(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    _: IdempotencyKey,
    Json(input): Json<NewReaction>,
) -> Result<Created<Message>, Error> {
    let transaction = context.begin(&agent).await?;
    let held = lock_message(&transaction, id).await?.conversation;
    if let Err(problem) = may_send(context.now(), &agent, &held, MessageKind::Reaction) {
        return Err(held.refuse(&transaction, problem).await);
    }
    let added = transaction.first(ADD_REACTION, &[&context.new_id(), &id, &agent.user_id, &input.emoji]).await?;
    let Written { conversation, message } = added.ok_or(NOT_DELIVERED)?;
    enqueue_delivery(&context, &transaction, &conversation, message.id);
    transaction.audit(id, &Value::Null, &json!({"emoji": input.emoji}));
    transaction.commit(Created(message)).await
}

fn one_or_none(emoji: &str, (): &()) -> garde::Result {
    if emoji.is_empty() { Ok(()) } else { shared::one_emoji(emoji, &()) }
}
