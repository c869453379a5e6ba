//! Schedules: invokes functions by the clock, as EventBridge Scheduler does.

mod expression;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::task::{JoinHandle, JoinSet};

pub use self::expression::next_after;
use crate::{Invoke, template::ScheduleDefinition};

/// Longest sleep; after it the wall clock is read again, which may have been set or suspended.
const LONGEST_SLEEP: Duration = Duration::from_secs(20);

/// Runs the schedules until the handle is aborted. A run that is still going is not started again.
pub fn run(schedules: Vec<ScheduleDefinition>, invoke: Invoke) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut tasks = JoinSet::new();
        for schedule in schedules {
            tasks.spawn(repeat(schedule, Arc::clone(&invoke)));
        }
        while tasks.join_next().await.is_some() {}
    })
}

async fn repeat(schedule: ScheduleDefinition, invoke: Invoke) {
    let mut planned = Timestamp::now();
    loop {
        let now = Timestamp::now();
        loop {
            planned = match next_after(&schedule.expression, &schedule.time_zone, planned) {
                Ok(Some(next)) => next,
                Ok(None) => return,
                Err(error) => {
                    eprintln!("the schedule of {} does not run: {error:#}", schedule.function);
                    return;
                }
            };
            if planned > now {
                break;
            }
        }
        while let Ok(left) = Duration::try_from(planned.duration_since(Timestamp::now())) {
            tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
        }
        // Failures are in the journal of invocations; the next run is the retry.
        let _ = invoke(&schedule.function, event(&schedule.input, planned)).await;
    }
}

/// The input with the context attribute for the planned time filled in.
fn event(input: &str, planned: Timestamp) -> Bytes {
    if input.is_empty() {
        return Bytes::from_static(b"{}");
    }
    let second = planned.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Bytes::from(input.replace("<aws.scheduler.scheduled-time>", &second))
}
