//! GET /lead-scoring — the rules by which leads are scored.

use scores::rules::LeadScoring;
use shared::prelude::*;

const ROUTE: Route = Route::get("/lead-scoring");

pub fn main() {
    serve(&ROUTE, get_lead_scoring);
}

async fn get_lead_scoring(context: Context, caller: Supervisor) -> Result<Json<LeadScoring>, Error> {
    let transaction = context.begin(&caller).await?;
    let (rules, version) = scores::current_rules(&transaction).await?;
    Ok(Json(LeadScoring { rules, version }))
}
