//! GET /channels/{id} — one channel, with what is the caller's of it.

use channels::{CHANNEL, OwnChannel};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/channels/{id}").fails(&[NOT_FOUND]);

pub fn main() {
    serve(&ROUTE, get_channel);
}

async fn get_channel(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<OwnChannel>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Json(transaction.one(CHANNEL, &[&id]).await?))
}
