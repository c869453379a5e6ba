//! GET /followups/executions/{id}/logs — what was done with a lead in a sequence and why, newest first.

use followups::{execution::LogOutcome, step::StepKind};
use futures_util::future::try_join;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/followups/executions/{id}/logs").fails(&[NOT_FOUND]);

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {}

#[derive(Debug, Serialize, JsonSchema, FromRow)]
struct ExecutionLog {
    id: Uuid,
    at: Timestamp,
    /// Null of what is no step; from 0.
    step: Option<i32>,
    /// The times that this step was come to, from 1.
    attempt: Option<i32>,
    kind: Option<StepKind>,
    /// Which of the step's words were said; 0 are its own.
    variant: Option<i32>,
    outcome: LogOutcome,
    reason: Option<String>,
    message_id: Option<Uuid>,
    mail_id: Option<Uuid>,
    task_id: Option<Uuid>,
    /// Who did it; null of what comes by itself.
    by_id: Option<Uuid>,
}

const LOGS: TimeList = TimeList {
    rows: "select * from followup_logs where execution_id = $1",
    at: "followup_logs.at",
    id: "followup_logs.id",
    shown: "select followup_logs.id, followup_logs.at, followup_logs.step, followup_logs.attempt, followup_logs.kind, followup_logs.variant,
                   followup_logs.outcome, followup_logs.reason, followup_logs.message_id, followup_logs.mail_id, followup_logs.task_id,
                   followup_logs.by_id
              from page followup_logs",
};

const IS_THERE: &str = "select from followup_executions where id = $1";

pub fn main() {
    serve(&ROUTE, list_execution_logs);
}

async fn list_execution_logs(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    asked: List<Filters>,
) -> Result<Page<ExecutionLog>, Error> {
    let transaction = context.begin(&caller).await?;
    let (there, rows) = try_join(transaction.query(IS_THERE, &[&id]), transaction.list(&LOGS, &asked, &[&id])).await?;
    if there.is_empty() {
        return Err(NOT_FOUND.into());
    }
    Ok(asked.page(rows, |log: &ExecutionLog| (log.at, log.id)))
}
