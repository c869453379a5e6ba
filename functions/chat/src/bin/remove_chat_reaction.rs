//! DELETE /chat/messages/{id}/reactions — the caller takes a reaction back. One that is not there is no error.

use chat::{ChatMessage, MESSAGE};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/chat/messages/{id}/reactions").fails(&[NOT_FOUND]);

#[derive(Deserialize, Validate, JsonSchema)]
struct Wanted {
    #[garde(length(chars, min = 1, max = 40))]
    emoji: String,
}

const TAKE_BACK: &str = "delete from chat_reactions where message_id = $1 and emoji = $2 and user_id = app.user_id()";

pub fn main() {
    serve(&ROUTE, remove_chat_reaction);
}

async fn remove_chat_reaction(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    Query(Wanted { emoji }): Query<Wanted>,
) -> Result<Json<ChatMessage>, Error> {
    let transaction = context.begin(&caller).await?;
    let is_gone = transaction.execute(TAKE_BACK, &[&id, &emoji]).await? > 0;
    let message: ChatMessage = transaction.one(MESSAGE, &[&id]).await?;
    if is_gone {
        message.tell_updated(&transaction, caller.company_id);
    }
    transaction.audit(id, &json!({"emoji": emoji}), &Value::Null);
    transaction.commit(Json(message)).await
}
