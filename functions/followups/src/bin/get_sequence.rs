//! GET /followups/sequences/{id} — a sequence.

use followups::sequence::{SEQUENCE, Sequence};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/followups/sequences/{id}").fails(&[NOT_FOUND]);

pub fn main() {
    serve(&ROUTE, get_sequence);
}

async fn get_sequence(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<Sequence>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Json(transaction.one(SEQUENCE, &[&id]).await?))
}
