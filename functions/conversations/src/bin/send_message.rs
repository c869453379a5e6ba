//! POST /messages — an agent answers the client.

use conversations::{
    Addressed, Answerable, BOT_MODE, CHANNEL_REMOVED, CLIENT_BLOCKED, CLIENT_MESSAGE_ID_REUSED, CONVERSATION_CLOSED,
    FILE_NOT_READY, Message, NOT_HOLDER, NOT_TAKEN, ToConversation, WINDOW_CLOSED,
};
use shared::{error::NOT_FOUND, files::QUARANTINED, prelude::*};

const ROUTE: Route = Route::post("/messages").fails(&[
    BOT_MODE,
    CHANNEL_REMOVED,
    CLIENT_BLOCKED,
    CONVERSATION_CLOSED,
    FILE_NOT_READY,
    NOT_FOUND,
    NOT_HOLDER,
    NOT_TAKEN,
    QUARANTINED,
    WINDOW_CLOSED,
    CLIENT_MESSAGE_ID_REUSED,
]);

reads!(PUBLIC_API_URL);

pub fn main() {
    serve(&ROUTE, send_message);
}

async fn send_message(
    context: Context,
    agent: Staff,
    IdempotencyKey(key): IdempotencyKey,
    Json(Addressed { to, message: input }): Json<Addressed<ToConversation>>,
) -> Result<Created<Message>, Error> {
    let own_id = input.own_id(&context, &agent, key);
    let transaction = context.begin(&agent).await?;
    let mut ready = Answerable::read(&transaction, to.conversation_id, &input, &own_id).await?;
    if let Some(sent) = ready.sent_before.take() {
        // Its conversation may have become part of another since.
        let is_there = [Some(ready.held.id), ready.held.merged_into_id].contains(&Some(sent.message.conversation_id));
        return Ok(Created(sent.again(&agent, &input, is_there)?));
    }
    if let Err(problem) = ready.judge(&context, &agent, &input) {
        return Err(ready.held.refuse(&transaction, problem).await);
    }
    let (_, message) = ready.answer(&context, &transaction, &agent, &input, own_id).await?;
    transaction.commit(Created(message)).await
}
