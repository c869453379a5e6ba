//! GET /leads — leads, newest first, in numbered pages, with how many there are and what they may bring.

use leads::{LeadPage, listing};
use shared::prelude::*;

const ROUTE: Route = Route::get("/leads");

pub fn main() {
    serve(&ROUTE, list_leads);
}

async fn list_leads(context: Context, caller: Staff, Query(filters): Query<listing::Filters>) -> Result<Json<LeadPage>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Json(listing::page(&transaction, caller.user_id, filters).await?))
}
