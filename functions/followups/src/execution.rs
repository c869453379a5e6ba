//! A lead on its way through a sequence.

use shared::{closed_set, prelude::*};

closed_set! {
    /// How it stands.
    pub ExecutionStatus {
        Active = "active",
        /// Its sequence does not run.
        Paused = "paused",
        /// The lead has replied.
        Responded = "responded",
        Completed = "completed",
        Cancelled = "cancelled",
        Failed = "failed",
    }
}

/// The columns of `Execution`, from a relation named `followup_executions`.
#[macro_export]
macro_rules! execution_columns {
    () => {
        "followup_executions.id, followup_executions.sequence_id, sequences.name as sequence_name,
           followup_executions.lead_id, leads.name as lead_name, followup_executions.rotation, followup_executions.status,
           followup_executions.current_step, jsonb_array_length(sequences.steps) as steps_count, followup_executions.next_run_at,
           followup_executions.reason, followup_executions.enrolled_by, followup_executions.started_at, followup_executions.responded_at,
           followup_executions.finished_at,
           (select coalesce(jsonb_agg(jsonb_build_object(
                       'step', logs.step, 'executed_at', app.rfc3339(logs.at),
                       'success', logs.outcome in ('sent', 'task')) order by logs.at, logs.id), '[]')
              from followup_logs logs
             where logs.company_id = followup_executions.company_id and logs.execution_id = followup_executions.id
               and logs.outcome in ('sent', 'task', 'skipped', 'failed') and logs.step is not null) as executed_steps"
    };
}

/// The joins that go with `execution_columns`.
#[macro_export]
macro_rules! execution_joins {
    () => {
        " join followup_sequences sequences on sequences.company_id = followup_executions.company_id
                                           and sequences.id = followup_executions.sequence_id
          join leads on leads.company_id = followup_executions.company_id and leads.id = followup_executions.lead_id "
    };
}

/// One whose lead the caller sees.
pub const EXECUTION: &str = concat!(
    "select ",
    execution_columns!(),
    " from followup_executions ",
    execution_joins!(),
    " where followup_executions.id = $1"
);

/// A lead on its way through a sequence.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
#[schemars(rename = "FollowupExecution")]
pub struct Execution {
    pub id: Uuid,
    pub sequence_id: Uuid,
    pub sequence_name: String,
    pub lead_id: Uuid,
    pub lead_name: String,
    /// The times that the lead went through the sequence before.
    pub rotation: i32,
    pub status: ExecutionStatus,
    /// The one that comes next, from 0.
    pub current_step: i32,
    pub steps_count: i32,
    /// When it is looked at again; null once it is over.
    pub next_run_at: Option<Timestamp>,
    /// Why it ended, or does not go on.
    pub reason: Option<String>,
    /// Null of who was taken in by the sequence itself.
    pub enrolled_by: Option<Uuid>,
    pub started_at: Timestamp,
    pub responded_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// What was done, in order.
    #[schemars(with = "Vec<ExecutedStep>")]
    pub executed_steps: Value,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct ExecutedStep {
    step: i32,
    executed_at: Timestamp,
    /// Whether something was sent, or somebody has a task.
    success: bool,
}

closed_set! {
    /// What the log tells: of a step, what came of it; else what became of the execution.
    pub LogOutcome {
        Enrolled = "enrolled",
        Sent = "sent",
        /// Somebody has a task.
        Task = "task",
        Skipped = "skipped",
        /// Not now: later, for this reason.
        PutOff = "put_off",
        Active = "active",
        Paused = "paused",
        Responded = "responded",
        Completed = "completed",
        Cancelled = "cancelled",
        Failed = "failed",
    }
}
