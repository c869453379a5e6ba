//! DELETE /leads/{id} — takes a lead off the board; everything of it is kept, and it may be brought back.

use futures_util::future::try_join;
use leads::{HOLD_LEADS, LEAD, Lead, LeadDeleted};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/leads/{id}").fails(&[NOT_FOUND]);

const DELETE: &str = "update leads set deleted_at = now(), version = version + 1, updated_at = now() where id = $1";

pub fn main() {
    serve(&ROUTE, delete_lead);
}

async fn delete_lead(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let ids = [id];
    let (_, current): (_, Lead) =
        try_join(transaction.query(HOLD_LEADS, &[&ids.as_slice()]), transaction.one(LEAD, &[&id])).await?;
    if current.deleted_at.is_some() {
        return Err(NOT_FOUND.into());
    }
    transaction.execute(DELETE, &[&id]).await?;
    let (pipeline_id, stage_id) = (current.pipeline_id, current.stage_id());
    current.tell(&transaction, caller.company_id, &LeadDeleted { lead_id: id, pipeline_id, stage_id, merged_into_id: None });
    transaction.audit(id, &current, &Value::Null);
    transaction.commit(NoContent).await
}
