//! PATCH /messages/{id}/read — everything of a message's conversation up to it is read; the client sees blue ticks.

use conversations::{Conversation, lock_message, mark_read};
use shared::prelude::*;

const ROUTE: Route = Route::patch("/messages/{id}/read");

pub fn main() {
    serve(&ROUTE, mark_message_read);
}

async fn mark_message_read(context: Context, agent: Staff, Path(id): Path<Uuid>) -> Result<Json<Conversation>, Error> {
    let transaction = context.begin(&agent).await?;
    let held = lock_message(&transaction, id).await?;
    let conversation = mark_read(&context, &transaction, &agent, held.conversation.id, Some(id)).await?;
    transaction.commit(Json(conversation)).await
}
