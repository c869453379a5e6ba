//! POST /conversations/{id}/close — ends the conversation.

use conversations::{CONVERSATION_CLOSED, Conversation, NOT_HOLDER, close, lock, may_close};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/conversations/{id}/close").or(&["/chats/{id}/end"]).fails(&[CONVERSATION_CLOSED, NOT_HOLDER]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Close {
    /// Why, in the company's own words.
    #[garde(length(chars, max = 200))]
    reason: Option<String>,
    /// Whether the client is asked for a rating, as far as they can be written to; what the company's `asks_rating` says where it is not given.
    #[garde(skip)]
    ask_rating: Option<bool>,
}

pub fn main() {
    serve(&ROUTE, close_conversation);
}

async fn close_conversation(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    Json(input): Json<Close>,
) -> Result<Json<Conversation>, Error> {
    let transaction = context.begin(&agent).await?;
    let held = lock(&transaction, id).await?;
    if let Err(problem) = may_close(&agent, &held) {
        return Err(held.refuse(&transaction, problem).await);
    }
    let closed = close(&context, &transaction, &agent, &[&held], input.reason.as_deref(), input.ask_rating).await?;
    let conversation = closed.into_iter().next().ok_or(NOT_FOUND)?;
    transaction.commit(Json(conversation)).await
}
