//! GET /chat/messages/{id} — one message, with what the caller may see of its cards: where a link to it leads.

use chat::{ChatMessage, MESSAGE, ShownChatMessage, with_cards};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/chat/messages/{id}").fails(&[NOT_FOUND]);

pub fn main() {
    serve(&ROUTE, get_chat_message);
}

async fn get_chat_message(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<ShownChatMessage>, Error> {
    let transaction = context.begin(&caller).await?;
    let message: ChatMessage = transaction.one(MESSAGE, &[&id]).await?;
    let shown = with_cards(&transaction, vec![message]).await?.pop().ok_or(NOT_FOUND)?;
    Ok(Json(shown))
}
