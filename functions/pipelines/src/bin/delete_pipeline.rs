//! DELETE /pipelines/{id} — a pipeline without leads is in use no more.

use futures_util::future::try_join4;
use pipelines::{IS_DEFAULT, LOCKED_PIPELINE, PIPELINE, PIPELINE_IN_USE, Pipeline, PipelineDeleted};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/pipelines/{id}").fails(&[NOT_FOUND, IS_DEFAULT, PIPELINE_IN_USE]);

/// Whoever puts a lead there meanwhile comes before or after.
const HOLD_ALL: &str = "select app.hold_stages(array(select id from stages where pipeline_id = $1))::text";

/// Leads, or some that are on their way out of a table.
const HAS_LEADS: &str = "
    select exists (select from leads where pipeline_id = $1 and deleted_at is null)
           or exists (select from lead_imports where pipeline_id = $1 and state = 'going') as has_leads";

const ARCHIVE: &str = "update pipelines set archived_at = now(), version = version + 1, updated_at = now() where id = $1";

pub fn main() {
    serve(&ROUTE, delete_pipeline);
}

async fn delete_pipeline(context: Context, caller: Supervisor, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, _, current, leads): (_, _, Pipeline, _) = try_join4(
        transaction.query(LOCKED_PIPELINE, &[&id]),
        transaction.query(HOLD_ALL, &[&id]),
        transaction.one(PIPELINE, &[&id]),
        transaction.query(HAS_LEADS, &[&id]),
    )
    .await?;
    if current.is_default {
        return Err(IS_DEFAULT.into());
    }
    if leads.first().is_some_and(|row| row.get("has_leads")) {
        return Err(PIPELINE_IN_USE.into());
    }
    transaction.execute(ARCHIVE, &[&id]).await?;
    current.tell(&transaction, caller.company_id, &PipelineDeleted { pipeline_id: id });
    transaction.audit(id, &current, &Value::Null);
    transaction.commit(NoContent).await
}
