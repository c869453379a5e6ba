//! POST /whatsapp/instances/{id}/test — asks the server now, and tells what came back and how long it took.

use std::time::Duration;

use evolution::{Instance, InstanceProblem, Known, Telling, Visit, instance::INSTANCE, record, words::told_in};
use shared::{error::NOT_FOUND, evolution::InstanceState, prelude::*};

const ROUTE: Route = Route::post("/whatsapp/instances/{id}/test").limit(20, Duration::from_mins(1)).fails(&[NOT_FOUND]);

reads!(PUBLIC_API_URL, REACHABLE_INSIDE);

/// What the server has said.
#[derive(Serialize, JsonSchema)]
struct InstanceTest {
    /// Whether messages go in and out: the server answers, and a phone is linked.
    works: bool,
    /// Null where the server does not say.
    state: Option<InstanceState>,
    problem: Option<InstanceProblem>,
    /// The server's own words, or why there are none.
    detail: Option<String>,
    server_version: Option<String>,
    /// Of the slowest call, in milliseconds.
    latency_ms: i32,
    instance: Instance,
}

pub fn main() {
    serve(&ROUTE, test_instance);
}

async fn test_instance(context: Context, caller: Admin, Path(id): Path<Uuid>) -> Result<Json<InstanceTest>, Error> {
    let transaction = context.begin(&caller).await?;
    let ids = [id];
    let known = Known::read(&context, &transaction, caller.company_id, Some(&ids), 1).await?;
    let known = known.into_iter().next().ok_or(NOT_FOUND)?;
    transaction.commit_unaudited().await?;
    let mut visit = Visit::begin(&context, &known);
    if visit.version().await.is_ok() {
        // What is wrong is in what was seen.
        let _ = visit.look().await;
    }
    let seen = visit.seen;
    record(&context, caller.company_id, id, &seen, Telling::Nobody).await?;
    let transaction = context.begin(&caller).await?;
    let instance: Instance = transaction.one(INSTANCE, &[&id]).await?;
    let test = InstanceTest {
        works: seen.state == Some(InstanceState::Open) && seen.problem.is_none(),
        state: seen.state,
        problem: seen.problem,
        detail: seen.detail.map(|detail| told_in(context.origin().language, detail)),
        server_version: seen.server_version,
        latency_ms: seen.calls.iter().map(|call| call.took_ms).max().unwrap_or_default(),
        instance: instance.told(&context),
    };
    transaction.audit(id, &Value::Null, &json!({"works": test.works, "state": test.state, "problem": test.problem}));
    transaction.commit(Json(test)).await
}
