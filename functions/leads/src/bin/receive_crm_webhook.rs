//! POST /webhooks/crm/{token} — the CRM says that something has changed there: it is looked at at once, whatever the call says.

use leads::crm::start::begin;
use shared::{error::SIGNATURE_INVALID, prelude::*};

const ROUTE: Route = Route::post("/webhooks/crm/{token}");

const WHOSE: &str = "select company_id from app.find_crm($1)";

#[derive(FromRow)]
struct Whose {
    company_id: Uuid,
}

const HINTED: &str = "update crm_connections set hinted_at = now() where status = 'active'";

/// That it was heard.
#[derive(Serialize, JsonSchema)]
struct HintTaken {
    ok: bool,
}

pub fn main() {
    serve(&ROUTE, receive_crm_webhook);
}

async fn receive_crm_webhook(context: Context, address: SignedByAddress, RawBody(_): RawBody) -> Result<Json<HintTaken>, Error> {
    let lookup = context.begin_nobody().await?;
    let whose: Option<Whose> = lookup.first(WHOSE, &[&address.id]).await?;
    drop(lookup);
    let Whose { company_id } = whose.ok_or(SIGNATURE_INVALID)?;
    let transaction = context.begin_system(company_id).await?;
    if transaction.execute(HINTED, &[]).await? > 0 {
        begin(&context, &transaction, company_id, false).await?;
    }
    transaction.commit(Json(HintTaken { ok: true })).await
}
