//! Open-loop load: requests leave at their time whether earlier ones were answered or not.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{runtime::Handle, task::JoinSet};

use crate::report::Times;

/// What came of a load.
pub struct Outcome {
    /// From when each request was due to its answer: a late start counts too.
    pub times: Times,
    pub failed: u64,
    pub sent: u64,
}

/// Runs `work` with 0, 1, 2 … evenly at this rate. `work` answers whether it succeeded.
pub async fn open_loop<F>(per_minute: u32, length: Duration, work: impl Fn(u64) -> F + Send + 'static) -> Outcome
where
    F: Future<Output = bool> + Send + 'static,
{
    let interval = Duration::from_mins(1) / per_minute;
    let total = u64::try_from(length.as_nanos() / interval.as_nanos()).unwrap_or_default();
    let results = Arc::new(Mutex::new((Times::default(), 0_u64)));
    let (handle, kept) = (Handle::current(), Arc::clone(&results));
    // A thread sleeps more exactly than the runtime's timer, which counts in milliseconds.
    let running = tokio::task::spawn_blocking(move || {
        let start = Instant::now();
        let mut running = JoinSet::new();
        for number in 0..total {
            let due = start + interval * u32::try_from(number).unwrap_or(u32::MAX);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let (work, results) = (work(number), Arc::clone(&kept));
            running.spawn_on(
                async move {
                    let is_success = work.await;
                    let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                    results.0.add(due.elapsed());
                    results.1 += u64::from(!is_success);
                },
                &handle,
            );
        }
        running
    })
    .await
    .expect("the schedule does not panic");
    running.join_all().await;
    let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
    Outcome { times: std::mem::take(&mut results.0), failed: results.1, sent: total }
}
