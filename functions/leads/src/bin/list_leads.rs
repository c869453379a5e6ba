//! GET /leads — leads, newest first, in numbered pages, with how many there are and what they may bring.

use leads::{LeadPage, lead_filters};
use shared::prelude::*;

const ROUTE: Route = Route::get("/leads");

lead_filters! {
    /// Which leads, and which page of them.
    Filters {
        #[garde(range(min = 1, max = 1_000_000))]
        page: Option<u32>,
        #[garde(range(min = 1, max = 100))]
        limit: Option<u32>,
    }
}

pub fn main() {
    serve(&ROUTE, list_leads);
}

async fn list_leads(context: Context, caller: Staff, Query(filters): Query<Filters>) -> Result<Json<LeadPage>, Error> {
    let transaction = context.begin(&caller).await?;
    let (page, limit) = (filters.page, filters.limit);
    Ok(Json(filters.asked(caller.user_id).page(&transaction, page, limit).await?))
}
