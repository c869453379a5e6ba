//! GET /followups/unsubscribe/{token} — whose messages a link ends, and whether they have ended already. Changes nothing.

use followups::{COMPANY_OF_LEAD, CompanyOfLead, Unsubscription, lead_of};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/followups/unsubscribe/{token}").fails(&[NOT_FOUND]);

pub fn main() {
    serve(&ROUTE, show_unsubscribe);
}

async fn show_unsubscribe(context: Context, _: Anyone, Path(token): Path<String>) -> Result<Json<Unsubscription>, Error> {
    let lead_id = lead_of(&context, &token)?;
    let lookup = context.begin_nobody().await?;
    let CompanyOfLead { company_name, is_unsubscribed, .. } = lookup.one(COMPANY_OF_LEAD, &[&lead_id]).await?;
    Ok(Json(Unsubscription { company_name, is_unsubscribed }))
}
