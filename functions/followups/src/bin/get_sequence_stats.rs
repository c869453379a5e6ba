//! GET /followups/sequences/{id}/stats — how leads went through a sequence: how many of each end, how many replied, and after which step.

use followups::step::StepKind;
use futures_util::future::try_join3;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/followups/sequences/{id}/stats").fails(&[NOT_FOUND]);

#[derive(Debug, Serialize, JsonSchema, FromRow)]
#[schemars(rename = "FollowupTotals")]
struct Totals {
    enrolled: i64,
    active: i64,
    paused: i64,
    responded: i64,
    completed: i64,
    cancelled: i64,
    failed: i64,
    /// Of those who were taken in, in percent with one decimal; null of nobody.
    response_rate: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema, FromRow)]
#[schemars(rename = "FollowupStepStats")]
struct StepStats {
    /// From 0.
    step: i32,
    kind: StepKind,
    /// Which of its words; 0 are its own.
    variant: i32,
    sent: i64,
    tasks: i64,
    /// Who replied with this being the last that they were sent.
    responses: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SequenceStats {
    #[serde(flatten)]
    totals: Totals,
    /// Steps that did something.
    steps: Vec<StepStats>,
    /// How often which step was not done, and why.
    skipped: Vec<Skipped>,
}

#[derive(Debug, Serialize, JsonSchema, FromRow)]
#[schemars(rename = "FollowupSkipped")]
struct Skipped {
    step: i32,
    reason: String,
    count: i64,
}

const TOTALS: &str = "
    select count(executions.id) as enrolled,
           count(*) filter (where status = 'active') as active,
           count(*) filter (where status = 'paused') as paused,
           count(*) filter (where status = 'responded') as responded,
           count(*) filter (where status = 'completed') as completed,
           count(*) filter (where status = 'cancelled') as cancelled,
           count(*) filter (where status = 'failed') as failed,
           round(100.0 * count(*) filter (where status = 'responded') / nullif(count(executions.id), 0), 1)::text as response_rate
      from followup_sequences sequences
      left join followup_executions executions on executions.sequence_id = sequences.id
     where sequences.id = $1 and sequences.deleted_at is null
     group by sequences.id";

const STEPS: &str = "
    with done as (
        select logs.step, logs.kind, logs.variant, logs.outcome,
               executions.status = 'responded'
                   and row_number() over (partition by executions.id order by logs.step desc, logs.attempt desc) = 1 as is_answered
          from followup_executions executions
          join followup_logs logs on logs.company_id = executions.company_id and logs.execution_id = executions.id
         where executions.sequence_id = $1 and logs.outcome in ('sent', 'task') and logs.step is not null
    )
    select step, kind, coalesce(variant, 0) as variant, count(*) filter (where outcome = 'sent') as sent,
           count(*) filter (where outcome = 'task') as tasks, count(*) filter (where is_answered) as responses
      from done
     group by 1, 2, 3
     order by 1, 2, 3";

const SKIPPED: &str = "
    select logs.step, coalesce(logs.reason, '') as reason, count(*)
      from followup_executions executions
      join followup_logs logs on logs.company_id = executions.company_id and logs.execution_id = executions.id
     where executions.sequence_id = $1 and logs.outcome = 'skipped' and logs.step is not null
     group by 1, 2
     order by 1, 2";

pub fn main() {
    serve(&ROUTE, get_sequence_stats);
}

async fn get_sequence_stats(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<SequenceStats>, Error> {
    let transaction = context.begin(&caller).await?;
    let (totals, steps, skipped) =
        try_join3(transaction.one(TOTALS, &[&id]), transaction.all(STEPS, &[&id]), transaction.all(SKIPPED, &[&id])).await?;
    Ok(Json(SequenceStats { totals, steps, skipped }))
}
