//! POST /leads/{id}/restore — brings back a lead that was deleted, on top of the stage it was in. Of a pipeline that is in use no more it goes to
//! where new leads do.

use futures_util::future::{try_join, try_join3};
use leads::{HOLD_LEADS, HOLD_STAGE_TO_RETURN, LEAD, Lead, LeadCreated, RETURN};
use scores::rescored;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/leads/{id}/restore").fails(&[NOT_FOUND]);

pub fn main() {
    serve(&ROUTE, restore_lead);
}

async fn restore_lead(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<Lead>, Error> {
    let transaction = context.begin(&caller).await?;
    let ids = [id];
    let (_, _, current): (_, _, Lead) = try_join3(
        transaction.query(HOLD_STAGE_TO_RETURN, &[&id]),
        transaction.query(HOLD_LEADS, &[&ids.as_slice()]),
        transaction.one(LEAD, &[&id]),
    )
    .await?;
    if current.deleted_at.is_none() {
        return transaction.commit(Json(current)).await;
    }
    let (_, lead): (_, Lead) =
        try_join(transaction.execute(RETURN, &[&id]), rescored(&transaction, &ids, context.now(), transaction.one(LEAD, &[&id])))
            .await?;
    lead.tell(&transaction, caller.company_id, &LeadCreated { lead: &lead });
    transaction.audit(id, &current, &lead);
    transaction.commit(Json(lead)).await
}
