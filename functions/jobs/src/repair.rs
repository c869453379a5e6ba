//! Failed jobs of a kind, done again page by page.

use shared::{jobs::Dispatch, prelude::*};

/// Jobs in one transaction.
const PAGE: i64 = 200;

/// Of those that had failed when it was asked for: what fails again meanwhile stays. They go to their queues as others finish.
const RETRY_PAGE: &str = "
    with page as (
        select id
          from jobs
         where failed and kind = $1 and finished_at <= $2
         order by finished_at, id
         limit $3
           for update skip locked
    )
    update jobs
       set finished_at = null, failed = false, attempts = 0, leased_until = null, run_at = now(), dispatched_at = null,
           retries = retries + 1, retried_at = now()
      from page
     where jobs.id = page.id
    returning jobs.id, jobs.queue";

const NEXT_JOBS: &str = "select * from app.next_jobs($1)";

/// What the job is told.
#[derive(Debug, Serialize, Deserialize)]
pub struct RetryFailedJobs {
    /// Of the jobs.
    pub kind: String,
}

/// A job that waits again.
#[derive(Debug, FromRow)]
pub struct Retried {
    id: Uuid,
    queue: String,
}

/// Has the next page of failed jobs of this kind done again; none when there are no more.
///
/// # Errors
/// As the database fails.
pub async fn retry_page(transaction: &Transaction, kind: &str, failed_by: Timestamp) -> Result<Vec<Retried>, Error> {
    transaction.all(RETRY_PAGE, &[&kind, &failed_by, &PAGE]).await
}

/// Sends as many jobs to the queues of these as there is room for. Those that are not sent follow those that finish.
///
/// # Errors
/// As the database fails.
pub async fn send(context: &Context, retried: &[Retried]) -> Result<(), Error> {
    let mut queues: Vec<&str> = Vec::new();
    for Retried { id, queue } in retried {
        if queues.contains(&queue.as_str()) {
            continue;
        }
        queues.push(queue);
        let transaction = context.begin_nobody().await?;
        let next: Vec<Dispatch> = transaction.all(NEXT_JOBS, &[id]).await?;
        transaction.commit_quietly().await?;
        shared::jobs::dispatch(context, &next).await;
    }
    Ok(())
}
