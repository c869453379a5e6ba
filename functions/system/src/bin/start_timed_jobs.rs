//! Worker of the timer queue — starts jobs for later the moment they are due.

use std::time::Duration;

use jiff::SignedDuration;
use shared::{
    jobs::{self, Dispatch, Timer},
    prelude::*,
    serve_messages,
};

/// What the database's clock may be behind ours.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_millis(200);

/// One that comes earlier than it should is the dispatcher's.
const LONGEST_WAIT: Duration = Duration::from_millis(1_500);

/// A timer tells only that a job is due: what is, and whether it was sent already, the rows know.
const NEXT_JOBS: &str = "select * from app.next_jobs($1)";

pub fn main() {
    serve_messages(Queue::Timer, Privilege::Standard, start_timed_jobs);
}

/// A message comes within the second before its job is due.
async fn start_timed_jobs(context: Context, mut timers: Vec<Timer>) -> Result<(), Error> {
    timers.sort_by_key(|timer| timer.at);
    for timer in timers {
        let left = timer.at.duration_since(context.now()) + CLOCKS_DIFFER;
        tokio::time::sleep(Duration::try_from(left).unwrap_or_default().min(LONGEST_WAIT)).await;
        let transaction = context.begin_nobody().await?;
        let due: Vec<Dispatch> = transaction.all(NEXT_JOBS, &[&timer.id]).await?;
        transaction.commit_quietly().await?;
        jobs::dispatch(&context, &due).await;
    }
    Ok(())
}
