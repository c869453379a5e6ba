//! DELETE /chat/messages/{id}/pin — a message is not pinned any more.

use chat::{ChatMessage, MESSAGE};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/chat/messages/{id}/pin").fails(&[NOT_FOUND]);

const UNPIN: &str = "delete from chat_pins where message_id = $1";

pub fn main() {
    serve(&ROUTE, unpin_chat_message);
}

async fn unpin_chat_message(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<ChatMessage>, Error> {
    let transaction = context.begin(&caller).await?;
    let is_gone = transaction.execute(UNPIN, &[&id]).await? > 0;
    let message: ChatMessage = transaction.one(MESSAGE, &[&id]).await?;
    if is_gone {
        message.tell_updated(&transaction, caller.company_id);
    }
    transaction.audit(id, &json!({"channel_id": message.channel_id}), &Value::Null);
    transaction.commit(Json(message)).await
}
