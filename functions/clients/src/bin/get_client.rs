//! GET /clients/{id} — one client. Who became another one is shown as that one.

use clients::{Client, client_columns};
use shared::prelude::*;

const ROUTE: Route = Route::get("/clients/{id}");

const SHOWN: &str = concat!(
    "select ",
    client_columns!(),
    " from clients where clients.id = (select coalesce(known.merged_into_id, known.id) from clients known where known.id = $1)"
);

pub fn main() {
    serve(&ROUTE, get_client);
}

async fn get_client(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<Client>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Json(transaction.one(SHOWN, &[&id]).await?))
}
