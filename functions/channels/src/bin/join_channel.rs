//! POST /channels/{id}/join — the caller enters a public channel. What was said before counts as read.

use channels::{ARCHIVED, IS_DIRECT, OwnChannel, let_in};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/channels/{id}/join").fails(&[NOT_FOUND, ARCHIVED, IS_DIRECT]);

pub fn main() {
    serve(&ROUTE, join_channel);
}

async fn join_channel(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<OwnChannel>, Error> {
    let transaction = context.begin(&caller).await?;
    let own = let_in(&transaction, &caller, id, &[caller.user_id]).await?;
    transaction.commit(Json(own)).await
}
