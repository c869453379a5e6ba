//! POST /knowledge/optimize — looks for what could be better, as a long job: articles that say the same, or something else, that no longer hold or
//! help, and questions that nothing answers. While one goes on, it is that one. It only proposes.

use shared::{
    prelude::*,
    progress::{self, JobProgress},
};

const ROUTE: Route = Route::post("/knowledge/optimize");

#[derive(Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

pub fn main() {
    serve(&ROUTE, optimize_knowledge);
}

async fn optimize_knowledge(
    context: Context,
    caller: Supervisor,
    _: IdempotencyKey,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Accepted<JobProgress>, Error> {
    let transaction = context.begin(&caller).await?;
    let lane = format!("knowledge:{}", caller.company_id);
    let job = Job::new(&context, Queue::Knowledge, "optimize_knowledge", lane, json!({}));
    let progress = progress::start(&transaction, job, "all", None).await?;
    transaction.audit(progress.id, &Value::Null, &json!({"kind": "optimize_knowledge"}));
    transaction.commit(Accepted(progress)).await
}
