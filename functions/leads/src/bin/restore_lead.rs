//! POST /leads/{id}/restore — brings back a lead that was deleted, on top of the stage it was in. Of a pipeline that is in use no more it goes to
//! where new leads do.

use futures_util::future::{try_join, try_join3};
use leads::{HOLD_LEADS, HOLD_STAGE_OF, LEAD, Lead, LeadCreated};
use scores::rescored;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/leads/{id}/restore").fails(&[NOT_FOUND]);

const RESTORE: &str = "
    with place as materialized (
        select stages.pipeline_id, stages.id, (app.rank_in(stages.id, $1, null, null)).place
          from stages
         where stages.id = (
               select coalesce((select leads.stage_id from leads
                                  join pipelines on pipelines.company_id = leads.company_id and pipelines.id = leads.pipeline_id
                                 where leads.id = $1 and pipelines.archived_at is null),
                               (select first.id from stages first
                                  join pipelines on pipelines.company_id = first.company_id and pipelines.id = first.pipeline_id
                                 where pipelines.is_default and first.kind = 'open'
                                 order by first.position
                                 limit 1))))
    update leads
       set deleted_at = null, pipeline_id = place.pipeline_id, stage_id = place.id, rank = place.place, version = version + 1,
           updated_at = now()
      from place
     where leads.id = $1";

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
    let (_, lead): (_, Lead) = try_join(
        transaction.execute(RESTORE, &[&id]),
        rescored(&transaction, &ids, context.now(), transaction.one(LEAD, &[&id])),
    )
    .await?;
    lead.tell(&transaction, caller.company_id, &LeadCreated { lead: &lead });
    transaction.audit(id, &current, &lead);
    transaction.commit(Json(lead)).await
}
