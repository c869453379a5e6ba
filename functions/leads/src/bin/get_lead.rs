//! GET /leads/{id} — a lead, with its client's open conversation and leads that may be the same person.

use leads::{DETAIL, LeadDetail};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/leads/{id}").fails(&[NOT_FOUND]);

pub fn main() {
    serve(&ROUTE, get_lead);
}

async fn get_lead(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<LeadDetail>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Json(transaction.one(DETAIL, &[&id]).await?))
}
