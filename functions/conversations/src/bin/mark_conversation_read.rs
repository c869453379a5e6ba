//! POST /conversations/{id}/read — everything up to a message is read; the client sees blue ticks.

use conversations::{Conversation, lock, mark_read};
use shared::prelude::*;

const ROUTE: Route = Route::post("/conversations/{id}/read");

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Read {
    /// The last message seen, one of this conversation's; all there are when not given.
    #[garde(skip)]
    message_id: Option<Uuid>,
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
    let conversation = mark_read(&context, &transaction, &agent, id, input.message_id).await?;
    transaction.commit(Json(conversation)).await
}
