//! GET /health — whether everything a request may need answers.

use std::time::Duration;

use futures_util::future::join4;
use shared::{closed_set, environment::variable, error::UNAVAILABLE, http::Report, prelude::*};

const ROUTE: Route = Route::get("/health").needs(Privilege::Files);

const PATIENCE: Duration = Duration::from_secs(3);

/// Jobs that wait longer than this have been forgotten by somebody.
const LONGEST_WAIT: f64 = 300.0;

closed_set! {
    /// `degraded` while something fails that most requests do without, `error` without Postgres.
    HealthStatus { Ok = "ok", Degraded = "degraded", Error = "error" }
}

closed_set! {
    ServiceStatus { Ok = "ok", Error = "error" }
}

#[derive(Serialize, JsonSchema)]
struct Health {
    status: HealthStatus,
    timestamp: Timestamp,
    services: Services,
    checks: Vec<Check>,
    /// For people, with the status `error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

#[derive(Serialize, JsonSchema)]
struct Services {
    database: ServiceStatus,
    /// DynamoDB, which is in its place.
    redis: ServiceStatus,
    storage: ServiceStatus,
    queue: ServiceStatus,
}

#[derive(Serialize, JsonSchema)]
struct Check {
    name: &'static str,
    ok: bool,
    /// Seconds the oldest due job has waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    age: Option<f64>,
}

const OLDEST_DUE_JOB: &str = "select app.oldest_due_job() as age";

#[derive(FromRow)]
struct OldestJob {
    age: Option<f64>,
}

pub fn main() {
    serve(&ROUTE, health);
}

async fn health(context: Context, _: Anyone) -> Result<Report<Health>, Error> {
    let (postgres, dynamodb, s3, queues) = join4(
        tokio::time::timeout(PATIENCE, Box::pin(oldest_job(&context))),
        check_within("dynamodb", reach_dynamodb(&context)),
        check_within("s3", reach_s3(&context)),
        check_within("sqs", reach_sqs(&context)),
    )
    .await;
    let (is_reached, age) = match postgres {
        Ok(Ok(oldest)) => (true, oldest.age),
        _ => (false, None),
    };
    let postgres = Check { name: "postgres", ok: is_reached, age: None };
    let jobs = Check { name: "jobs", ok: is_reached && age.is_none_or(|age| age < LONGEST_WAIT), age };
    let services = Services { database: word(&postgres), redis: word(&dynamodb), storage: word(&s3), queue: word(&queues) };
    let checks = vec![postgres, dynamodb, s3, queues, jobs];
    let are_well = checks.iter().all(|check| check.ok);
    let status = if are_well { HealthStatus::Ok } else { HealthStatus::Degraded };
    let health = Health { status, timestamp: context.now(), services, checks, error: None };
    if is_reached {
        return Ok(Report(Ok(health)));
    }
    let error = context.origin().language.pick(UNAVAILABLE.portuguese, UNAVAILABLE.english);
    Ok(Report(Err(Health { status: HealthStatus::Error, error: Some(error), ..health })))
}

fn word(check: &Check) -> ServiceStatus {
    if check.ok { ServiceStatus::Ok } else { ServiceStatus::Error }
}

async fn oldest_job(context: &Context) -> Result<OldestJob, Error> {
    let transaction = context.begin_nobody().await?;
    transaction.one(OLDEST_DUE_JOB, &[]).await
}

async fn check_within(name: &'static str, check: impl Future<Output = bool>) -> Check {
    Check { name, ok: tokio::time::timeout(PATIENCE, Box::pin(check)).await.unwrap_or(false), age: None }
}

async fn reach_dynamodb(context: &Context) -> bool {
    context.aws().dynamodb().describe_table().table_name(variable("CONNECTIONS_TABLE")).send().await.is_ok()
}

async fn reach_s3(context: &Context) -> bool {
    context.aws().files().head_bucket().bucket(variable("FILES_BUCKET")).send().await.is_ok()
}

async fn reach_sqs(context: &Context) -> bool {
    let queue = Queue::Delivery.url();
    context.aws().queues().get_queue_attributes().queue_url(queue).send().await.is_ok()
}
