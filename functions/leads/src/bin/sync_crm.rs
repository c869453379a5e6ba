//! POST /integrations/crm/sync — keeps leads and the company's CRM alike, as a long job. While one goes on, it is that one.

use leads::crm::start::begin;
use shared::{error::NOT_FOUND, prelude::*, progress::JobProgress};

pub const CRM_DISABLED: Problem = Problem::new(
    409,
    "crm_not_active",
    "O CRM está desativado ou recusa a chave: salve a conexão de novo.",
    "The CRM is disabled or refuses its key: save the connection again.",
);

const ROUTE: Route = Route::post("/integrations/crm/sync").fails(&[NOT_FOUND, CRM_DISABLED]);

const CONNECTION: &str = "select id, status = 'active' as is_active from crm_connections";

#[derive(FromRow)]
struct Found {
    id: Uuid,
    is_active: bool,
}

pub fn main() {
    serve(&ROUTE, sync_crm);
}

async fn sync_crm(context: Context, caller: Supervisor, _: IdempotencyKey) -> Result<Accepted<JobProgress>, Error> {
    let transaction = context.begin(&caller).await?;
    let Found { id, is_active } = transaction.one(CONNECTION, &[]).await?;
    if !is_active {
        return Err(CRM_DISABLED.into());
    }
    let progress = begin(&context, &transaction, caller.company_id, true).await?;
    transaction.audit(progress.id, &Value::Null, &json!({"crm_id": id}));
    transaction.commit(Accepted(progress)).await
}
