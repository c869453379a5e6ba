//! GET /followups/unsubscribe/{token} — whose messages a link ends, and whether they have ended already. Changes nothing.

use followups::{COMPANY_OF_LEAD, CompanyOfLead, Unsubscription, lead_of};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/followups/unsubscribe/{token}").fails(&[NOT_FOUND]);

const IS_OUT: &str = "select app.has_opted_out(leads) as is_out from leads where id = $1";

pub fn main() {
    serve(&ROUTE, show_unsubscribe);
}

async fn show_unsubscribe(context: Context, _: Anyone, Path(token): Path<String>) -> Result<Json<Unsubscription>, Error> {
    let lead_id = lead_of(&context, &token)?;
    let lookup = context.begin_nobody().await?;
    let CompanyOfLead { company_id, company_name } = lookup.one(COMPANY_OF_LEAD, &[&lead_id]).await?;
    drop(lookup);
    let transaction = context.begin_system(company_id).await?;
    let rows = transaction.query(IS_OUT, &[&lead_id]).await?;
    let is_unsubscribed = rows.first().is_some_and(|row| row.get("is_out"));
    Ok(Json(Unsubscription { company_name, is_unsubscribed }))
}
