//! POST /chat/messages/{id}/pin — keeps a message at hand for all in the channel, a hundred at most.

use chat::{ChatMessage, MESSAGE, MESSAGE_DELETED, TOO_MANY_PINS};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/chat/messages/{id}/pin").fails(&[NOT_FOUND, MESSAGE_DELETED, TOO_MANY_PINS]);

const PIN: &str = "
    insert into chat_pins (channel_id, message_id)
    select channel_id, id from chat_messages where id = $1 and deleted_at is null
        on conflict do nothing";

pub fn main() {
    serve(&ROUTE, pin_chat_message);
}

async fn pin_chat_message(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<ChatMessage>, Error> {
    let transaction = context.begin(&caller).await?;
    let is_new = transaction.execute(PIN, &[&id]).await.on_constraint("chat_pins_most", TOO_MANY_PINS)? > 0;
    let message: ChatMessage = transaction.one(MESSAGE, &[&id]).await?;
    if message.deleted_at.is_some() {
        return Err(MESSAGE_DELETED.into());
    }
    if is_new {
        message.tell_updated(&transaction, caller.company_id);
    }
    transaction.audit(id, &Value::Null, &json!({"channel_id": message.channel_id}));
    transaction.commit(Json(message)).await
}
