//! POST /jobs/{id}/cancel — stops a long job after its page, for who started it and for admins. What is done stays done.

use jobs::JOB_FINISHED;
use shared::{
    error::{FORBIDDEN, NOT_FOUND},
    job_progress_columns,
    prelude::*,
    progress::{self, JobProgress, JobState},
};

const ROUTE: Route = Route::post("/jobs/{id}/cancel").fails(&[JOB_FINISHED, NOT_FOUND]);

/// No row of one that is ending, has ended, or is not the caller's to see.
const CANCEL: &str = concat!(
    "update job_progress
        set state = 'cancelling'
      where id = $1 and state in ('queued', 'running')
     returning ",
    job_progress_columns!()
);

const PROGRESS: &str = concat!("select ", job_progress_columns!(), " from job_progress where id = $1");

pub fn main() {
    serve(&ROUTE, cancel_job);
}

async fn cancel_job(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<JobProgress>, Error> {
    let transaction = context.begin(&caller).await?;
    let cancelled: Option<JobProgress> = transaction.first(CANCEL, &[&id]).await?;
    let Some(job) = cancelled else {
        let current: JobProgress = transaction.one(PROGRESS, &[&id]).await?;
        return match current.state {
            // A colleague's, which the caller only sees.
            JobState::Queued | JobState::Running => Err(FORBIDDEN.into()),
            JobState::Cancelling | JobState::Cancelled => transaction.commit(Json(current)).await,
            JobState::Done | JobState::Failed => Err(JOB_FINISHED.with_current(&current)),
        };
    };
    // Others are told by the worker, once it has stopped.
    if job.started_by == Some(caller.user_id) {
        progress::tell(&transaction, &job);
    }
    transaction.audit(id, &Value::Null, &json!({"kind": job.kind, "state": job.state, "done": job.done, "total": job.total}));
    transaction.commit(Json(job)).await
}
