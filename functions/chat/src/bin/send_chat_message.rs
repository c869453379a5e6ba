//! POST /channels/{id}/messages — says something in a channel, or in a thread of it. Posted again by its `client_message_id` it is the same message.

use channels::{ARCHIVED, NOT_MANAGER, NOT_MEMBER};
use chat::{MANY_MENTIONED, NewChatMessage, PostedChatMessage, judge, post};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route =
    Route::post("/channels/{id}/messages").fails(&[NOT_FOUND, NOT_MEMBER, NOT_MANAGER, ARCHIVED, MANY_MENTIONED]);

pub fn main() {
    serve(&ROUTE, send_chat_message);
}

async fn send_chat_message(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    Json(wanted): Json<NewChatMessage>,
) -> Result<Made<PostedChatMessage>, Error> {
    let transaction = context.begin(&caller).await?;
    let judged = judge(&transaction, id, &wanted).await?;
    let posted = post(&context, &transaction, &caller, id, &wanted, judged).await?;
    transaction.commit(posted).await
}
