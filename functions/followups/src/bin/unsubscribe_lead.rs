//! POST /followups/unsubscribe/{token} — whoever has the link gets nothing of sequences any more, on any channel, for good (RFC 8058).

use followups::{COMPANY_OF_LEAD, CompanyOfLead, Unsubscription, lead_of};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/followups/unsubscribe/{token}").fails(&[NOT_FOUND]);

const OPT_OUT: &str = "select app.opt_out(app.company_id(), array[$1::uuid], 'link')::text";

pub fn main() {
    serve(&ROUTE, unsubscribe_lead);
}

async fn unsubscribe_lead(context: Context, _: Anyone, Path(token): Path<String>) -> Result<Json<Unsubscription>, Error> {
    let lead_id = lead_of(&context, &token)?;
    let lookup = context.begin_nobody().await?;
    let CompanyOfLead { company_id, company_name, .. } = lookup.one(COMPANY_OF_LEAD, &[&lead_id]).await?;
    drop(lookup);
    let transaction = context.begin_system(company_id).await?;
    transaction.query(OPT_OUT, &[&lead_id]).await?;
    transaction.audit(lead_id, &Value::Null, &json!({"unsubscribed_by": "link"}));
    transaction.commit(Json(Unsubscription { company_name, is_unsubscribed: true })).await
}
