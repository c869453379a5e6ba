//! POST /messages/{id}/retry — sends a failed message again.

use conversations::{
    BOT_MODE, CHANNEL_REMOVED, CLIENT_BLOCKED, CONVERSATION_CLOSED, HeldMessage, MESSAGE, Message, MessageStatus, NOT_FAILED,
    NOT_HOLDER, NOT_TAKEN, WINDOW_CLOSED, Written, changed_message, emit_message, enqueue_delivery, lock_message, may_send,
};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/messages/{id}/retry").fails(&[
    BOT_MODE,
    CHANNEL_REMOVED,
    CLIENT_BLOCKED,
    CONVERSATION_CLOSED,
    NOT_FAILED,
    NOT_FOUND,
    NOT_HOLDER,
    NOT_TAKEN,
    WINDOW_CLOSED,
]);

/// What people wrote and failed. Whatever WhatsApp still tells of the first attempt is not of this one.
const QUEUE_AGAIN: &str = changed_message!(
    "with changed as (
        update messages
           set status = 'queued', error_code = null, error_detail = null, provider_id = null, sending_at = null
         where id = $1 and status = 'failed' and sender_type = 'agent' and deleted_at is null
        returning *
    )"
);

pub fn main() {
    serve(&ROUTE, retry_message);
}

async fn retry_message(context: Context, agent: Staff, Path(id): Path<Uuid>, _: IdempotencyKey) -> Result<Json<Message>, Error> {
    let transaction = context.begin(&agent).await?;
    let HeldMessage { conversation: held, message, .. } = lock_message(&transaction, id).await?;
    if let Err(problem) = may_send(context.now(), &agent, &held, message.kind) {
        return Err(held.refuse(&transaction, problem).await);
    }
    let Some(Written { conversation, message }) = transaction.first(QUEUE_AGAIN, &[&id]).await? else {
        let current: Message = transaction.one(MESSAGE, &[&id]).await?;
        return Err(NOT_FAILED.with_current(&current));
    };
    emit_message(&transaction, &conversation, &MessageStatus::of(&message));
    enqueue_delivery(&context, &transaction, &conversation, id);
    transaction.audit(id, &json!({"status": "failed"}), &json!({"status": "queued"}));
    transaction.commit(Json(message)).await
}
