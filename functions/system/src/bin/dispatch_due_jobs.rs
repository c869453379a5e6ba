//! Every minute — sends the jobs that have become due and those that were left behind, and leaves webhooks that nobody applied to jobs.

use futures_util::future::try_join;
use shared::{
    jobs::{self, Dispatch},
    log,
    prelude::*,
};

/// Rows taken in one go.
const BATCH: i32 = 500;

const LEAVE_WEBHOOKS: &str = "select app.leave_webhooks($1)";

/// Set-up tells whether it is alive.
const NOTE_RUN: &str = "select app.note_run('dispatch_due_jobs')";

const TAKE_DUE_JOBS: &str = "select * from app.take_due_jobs($1)";

const OLDEST_DUE_JOB: &str = "select app.oldest_due_job() as age";

pub fn main() {
    serve_schedule("rate(1 minute)", Privilege::Standard, dispatch_due_jobs);
}

async fn dispatch_due_jobs(context: Context) -> Result<(), Error> {
    report_oldest(&context).await?;
    let transaction = context.begin_nobody().await?;
    try_join(transaction.query(LEAVE_WEBHOOKS, &[&BATCH]), transaction.query(NOTE_RUN, &[])).await?;
    transaction.commit_quietly().await?;
    loop {
        let transaction = context.begin_nobody().await?;
        let due: Vec<Dispatch> = transaction.all(TAKE_DUE_JOBS, &[&BATCH]).await?;
        transaction.commit_quietly().await?;
        jobs::dispatch(&context, &due).await;
        if due.len() < usize::try_from(BATCH).unwrap_or_default() {
            return Ok(());
        }
    }
}

async fn report_oldest(context: &Context) -> Result<(), Error> {
    let transaction = context.begin_nobody().await?;
    let rows = transaction.query(OLDEST_DUE_JOB, &[]).await?;
    let age: Option<f64> = rows.first().and_then(|row| row.get("age"));
    transaction.commit_quietly().await?;
    log::metric("oldest_due_job", "Seconds", age.unwrap_or_default(), "dispatch_due_jobs");
    Ok(())
}
