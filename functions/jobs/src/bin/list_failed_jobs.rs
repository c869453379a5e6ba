//! GET /jobs/failed — background work that failed for good, the last first.

use jobs::BackgroundJob;
use shared::prelude::*;

const ROUTE: Route = Route::get("/jobs/failed");

#[derive(Debug, Deserialize, Validate, JsonSchema)]
struct Filters {
    /// Such as `deliver_message`.
    #[garde(length(chars, min = 1, max = 60))]
    kind: Option<String>,
    /// Failed at or after this time.
    #[garde(skip)]
    from: Option<Timestamp>,
    /// Failed before this time.
    #[garde(skip)]
    to: Option<Timestamp>,
}

const FAILED_JOBS: TimeList = TimeList {
    rows: "
    select id, kind, queue, payload, attempts, retries, last_error, created_at, finished_at, retried_at
      from jobs
     where failed
       and ($1::text is null or kind = $1)
       and ($2::timestamptz is null or finished_at >= $2)
       and ($3::timestamptz is null or finished_at < $3)",
    at: "jobs.finished_at",
    id: "jobs.id",
    shown: "
    select jobs.id, jobs.kind, jobs.queue, 'failed' as state, jobs.attempts, jobs.retries, jobs.last_error as reason, jobs.payload,
           jobs.created_at, jobs.finished_at as failed_at, jobs.retried_at
      from page jobs",
};

pub fn main() {
    serve(&ROUTE, list_failed_jobs);
}

async fn list_failed_jobs(context: Context, caller: Admin, asked: List<Filters>) -> Result<Page<BackgroundJob>, Error> {
    let transaction = context.begin(&caller).await?;
    let Filters { kind, from, to } = &asked.filters;
    let rows = transaction.list(&FAILED_JOBS, &asked, &[kind, from, to]).await?;
    Ok(asked.page(rows, |job: &BackgroundJob| (job.failed_at.unwrap_or(job.created_at), job.id)))
}
