//! POST /clients/{id}/unblock — the client is heard again, and what they wrote meanwhile is there to be read.

use clients::{CLIENT, Client, ClientUnblocked, LOCK_CLIENT};
use conversations::{enqueue_bot_turn, words_of_kinds};
use futures_util::future::{try_join, try_join3};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/clients/{id}/unblock").fails(&[NOT_FOUND]);

const UNBLOCK: &str = "select app.unblock_client($1, $2) as conversation_ids";

/// What the bot put off, and where it has not answered what was written before.
const WAKE: &str = "select app.wake_bot($1) as conversation_ids";

#[derive(FromRow)]
struct Unblocked {
    conversation_ids: Vec<Uuid>,
}

pub fn main() {
    serve(&ROUTE, unblock_client);
}

async fn unblock_client(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<Client>, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, current): (_, Client) = try_join(transaction.query(LOCK_CLIENT, &[&id]), transaction.one(CLIENT, &[&id])).await?;
    if current.blocked_at.is_none() {
        return transaction.commit(Json(current)).await;
    }
    let words = words_of_kinds();
    let (Unblocked { conversation_ids }, bots, client): (_, Unblocked, Client) =
        try_join3(transaction.one(UNBLOCK, &[&id, &words]), transaction.one(WAKE, &[&id]), transaction.one(CLIENT, &[&id]))
            .await?;
    for conversation_id in bots.conversation_ids {
        enqueue_bot_turn(&context, &transaction, conversation_id);
    }
    transaction.tell_staff(&ClientUnblocked { client_id: id, conversation_ids });
    transaction.audit(id, &current, &client);
    transaction.commit(Json(client)).await
}
