//! POST /jobs/{id}/retry — has a job that failed done again. One that did not fail, or is being done again, stays as it is.

use jobs::BackgroundJob;
use shared::{
    error::NOT_FOUND,
    jobs::{Dispatch, dispatch},
    prelude::*,
};

const ROUTE: Route = Route::post("/jobs/{id}/retry").fails(&[NOT_FOUND]);

const RETRY_JOB: &str = "select * from app.retry_job($1)";

#[derive(FromRow)]
struct Retried {
    #[from_row(flatten)]
    job: BackgroundJob,
    is_retried: bool,
    /// To its queue, as soon as this is committed.
    is_sent: bool,
    dispatches: i32,
    lane: String,
}

pub fn main() {
    serve(&ROUTE, retry_job);
}

async fn retry_job(context: Context, caller: Admin, Path(id): Path<Uuid>) -> Result<Json<BackgroundJob>, Error> {
    let transaction = context.begin(&caller).await?;
    let Retried { job, is_retried, is_sent, dispatches, lane } = transaction.one(RETRY_JOB, &[&id]).await?;
    let queue = job.queue.clone();
    if is_retried {
        let before = json!({"state": "failed", "failed_at": job.failed_at, "reason": job.reason});
        transaction.audit(id, &before, &json!({"kind": job.kind, "state": job.state, "retries": job.retries}));
    }
    let answer = transaction.commit(Json(job)).await?;
    if is_sent {
        dispatch(&context, &[Dispatch { id, queue, lane, dispatches }]).await;
    }
    Ok(answer)
}
