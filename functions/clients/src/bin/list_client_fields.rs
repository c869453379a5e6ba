//! GET /client-fields — the company's own fields of clients.

use clients::fields::{self, ClientFields};
use shared::prelude::*;

const ROUTE: Route = Route::get("/client-fields");

pub fn main() {
    serve(&ROUTE, list_client_fields);
}

async fn list_client_fields(context: Context, caller: Staff) -> Result<Json<ClientFields>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Json(fields::read(&transaction).await?))
}
