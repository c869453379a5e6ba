//! POST /leads/{id}/restore — brings back a lead that was deleted, on top of the stage it was in.

use futures_util::future::try_join3;
use leads::{HOLD_LEADS, HOLD_STAGE_OF, LEAD, Lead, LeadCreated};
use scores::rescore;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/leads/{id}/restore").fails(&[NOT_FOUND]);

const RESTORE: &str = "
    update leads
       set deleted_at = null, rank = (select place from app.rank_in(leads.stage_id, leads.id, null, null)), version = version + 1,
           updated_at = now()
     where id = $1";

pub fn main() {
    serve(&ROUTE, restore_lead);
}

async fn restore_lead(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<Lead>, Error> {
    let transaction = context.begin(&caller).await?;
    let ids = [id];
    let (_, _, current): (_, _, Lead) = try_join3(
        transaction.query(HOLD_STAGE_OF, &[&id]),
        transaction.query(HOLD_LEADS, &[&ids.as_slice()]),
        transaction.one(LEAD, &[&id]),
    )
    .await?;
    if current.deleted_at.is_none() {
        return transaction.commit(Json(current)).await;
    }
    transaction.execute(RESTORE, &[&id]).await?;
    rescore(&transaction, &ids, context.now(), false).await?;
    let lead: Lead = transaction.one(LEAD, &[&id]).await?;
    lead.tell(&transaction, caller.company_id, &LeadCreated { lead: &lead });
    transaction.audit(id, &current, &lead);
    transaction.commit(Json(lead)).await
}
