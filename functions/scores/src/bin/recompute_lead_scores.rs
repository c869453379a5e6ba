//! POST /lead-scoring/recompute — scores all open leads anew, as a long job. While one goes on, it is that one.

use scores::{RECOMPUTE_SCORES, current_rules, recompute};
use shared::{prelude::*, progress::JobProgress};

const ROUTE: Route = Route::post("/lead-scoring/recompute");

#[derive(Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

pub fn main() {
    serve(&ROUTE, recompute_lead_scores);
}

async fn recompute_lead_scores(
    context: Context,
    caller: Supervisor,
    _: IdempotencyKey,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Accepted<JobProgress>, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, version) = current_rules(&transaction).await?;
    let progress = recompute(&context, &transaction, caller.company_id, version).await?;
    transaction.audit(progress.id, &Value::Null, &json!({"kind": RECOMPUTE_SCORES}));
    transaction.commit(Accepted(progress)).await
}
