//! What was left to the background: jobs that failed, long ones with their progress, and raw webhooks.

pub mod repair;
pub mod webhooks;

use shared::{closed_set, prelude::*, progress::JobProgress};

pub const JOB_FINISHED: Problem =
    Problem::new(409, "job_finished", "Esta tarefa já terminou.", "This job has ended already.").showing::<JobProgress>();

closed_set! {
    /// How far a job has come. Only those that failed are listed.
    pub BackgroundJobState { Failed = "failed", Waiting = "waiting", Running = "running", Done = "done" }
}

/// A piece of background work.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct BackgroundJob {
    pub id: Uuid,
    /// What is done, such as `deliver_message`.
    pub kind: String,
    /// Whose worker does it.
    pub queue: String,
    pub state: BackgroundJobState,
    /// Since it was added, or last done again.
    pub attempts: i32,
    /// Times that somebody had it done again.
    pub retries: i32,
    /// Why the last attempt failed.
    pub reason: Option<String>,
    /// What it is about: ids of rows.
    #[schemars(with = "serde_json::Map<String, Value>")]
    pub payload: Value,
    pub created_at: Timestamp,
    /// When it had failed for good.
    pub failed_at: Option<Timestamp>,
    pub retried_at: Option<Timestamp>,
}
