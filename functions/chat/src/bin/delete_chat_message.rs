//! DELETE /chat/messages/{id} — takes a message away: its place stays, with nothing in it. One's own, or another's by who manages the channel.

use chat::{ChatMessage, MESSAGE, NOT_AUTHOR};
use futures_util::future::try_join;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/chat/messages/{id}").fails(&[NOT_FOUND, NOT_AUTHOR]);

/// No row where it is not the caller's to delete.
const HOLD: &str = "select from chat_messages where id = $1 for no key update";

const DELETE: &str = "update chat_messages set deleted_at = now(), deleted_by_id = app.user_id() where id = $1 and deleted_at is null returning id";

pub fn main() {
    serve(&ROUTE, delete_chat_message);
}

async fn delete_chat_message(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let (held, current): (_, ChatMessage) = try_join(transaction.query(HOLD, &[&id]), transaction.one(MESSAGE, &[&id])).await?;
    if held.is_empty() {
        return Err(NOT_AUTHOR.into());
    }
    if transaction.query(DELETE, &[&id]).await?.is_empty() {
        return Err(NOT_FOUND.into());
    }
    let message: ChatMessage = transaction.one(MESSAGE, &[&id]).await?;
    message.tell_updated(&transaction, caller.company_id);
    transaction.audit(id, &json!({"channel_id": current.channel_id, "author_id": current.author_id}), &Value::Null);
    transaction.commit(NoContent).await
}
