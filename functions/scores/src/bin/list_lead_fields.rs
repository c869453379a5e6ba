//! GET /lead-fields — the company's own fields of leads.

use scores::fields::{self, LeadFields};
use shared::prelude::*;

const ROUTE: Route = Route::get("/lead-fields");

pub fn main() {
    serve(&ROUTE, list_lead_fields);
}

async fn list_lead_fields(context: Context, caller: Staff) -> Result<Json<LeadFields>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Json(fields::read(&transaction).await?))
}
