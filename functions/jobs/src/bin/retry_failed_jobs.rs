//! POST /jobs/retry — has all jobs of a kind that have failed done again, as a long job. While one goes on for this kind, it is that one.

use jobs::repair::RetryFailedJobs;
use shared::{
    prelude::*,
    progress::{self, JobProgress},
    rule,
};

const ROUTE: Route = Route::post("/jobs/retry");

/// What kinds are made of.
const KIND: &str = "^[a-z_]{1,60}$";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct JobsToRetry {
    /// Such as `deliver_message`.
    #[garde(custom(is_kind))]
    #[schemars(regex(pattern = KIND))]
    kind: String,
}

const FAILED: &str = "select count(*) as total from jobs where failed and kind = $1";

#[derive(FromRow)]
struct Count {
    total: i64,
}

pub fn main() {
    serve(&ROUTE, retry_failed_jobs);
}

async fn retry_failed_jobs(
    context: Context,
    caller: Admin,
    _: IdempotencyKey,
    Json(JobsToRetry { kind }): Json<JobsToRetry>,
) -> Result<Accepted<JobProgress>, Error> {
    let transaction = context.begin(&caller).await?;
    let Count { total } = transaction.one(FAILED, &[&kind]).await?;
    let payload = json!(RetryFailedJobs { kind: kind.clone() });
    let job = Job::new(&context, Queue::Repair, "retry_failed_jobs", format!("retry:{kind}"), payload);
    let progress = progress::start(&transaction, job, &kind, Some(total)).await?;
    transaction.audit(progress.id, &Value::Null, &json!({"kind": kind, "total": progress.total}));
    transaction.commit(Accepted(progress)).await
}

fn is_kind(text: &str, (): &()) -> garde::Result {
    let is_kind = (1..=60).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_kind { Ok(()) } else { Err(rule("pattern", "Use letras minúsculas e _.", "Use lower-case letters and _.")) }
}
