//! One look at an execution: its step is done, put off or passed over, in one transaction with what comes next.

use std::time::Duration;

use futures_util::future::{try_join, try_join3};
use shared::{error::INTERNAL, prelude::*};

use crate::{
    acting::{self, Done},
    enrol::look_later,
    execution::{ExecutionStatus, LogOutcome},
    judging::{Decision, judge},
    look::Look,
    step::StepKind,
    window::later,
};

/// Until what was in the way is looked at again.
const SOON: Duration = Duration::from_secs(1);

/// Until a task is due.
const A_DAY: Duration = Duration::from_hours(24);

/// In the order of locks, after the client and their conversation.
const HOLD_CLIENT: &str = "select from clients where id = $1 for no key update";
const HOLD_LEAD: &str = "select from leads where id = $1 for no key update";
const HOLD: &str = "select from followup_executions where id = $1 for update";

/// No row where somebody else was first.
const GO_ON: &str = "
    update followup_executions
       set current_step = $4, attempt = $5, next_run_at = $6, status = $7, reason = $8, job_id = $9,
           finished_at = case when $7 in ('active', 'paused') then null else now() end
     where id = $1 and current_step = $2 and attempt = $3 and status = 'active'
    returning id";

const LOG: &str = "
    insert into followup_logs (execution_id, step, attempt, kind, variant, outcome, reason, message_id, mail_id, task_id)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

#[derive(Deserialize)]
struct RunStep {
    execution_id: Uuid,
}

/// Does a job that looks after an execution.
///
/// # Errors
/// Those of the database.
pub async fn run(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let RunStep { execution_id: id } = job.read()?;
    let transaction = context.begin_system(job.company_id).await?;
    let Some(look) = Look::read(&transaction, id).await? else { return finish(job, transaction).await };
    // Another job looks after it now.
    if look.job_id != Some(job.id) {
        return finish(job, transaction).await;
    }
    let now = context.now();
    match judge(&look.facts(), now) {
        Decision::Nothing => finish(job, transaction).await,
        Decision::Wait { until } => Ok(Outcome::PutOff { after: until.duration_since(now).unsigned_abs() }),
        Decision::Act => act(context, job, transaction, id, look).await,
        decision => {
            let next = Next::after(&decision, &look, now);
            let done = Done::of(&decision);
            record(context, &transaction, id, &look, done, next).await?;
            finish(job, transaction).await
        }
    }
}

async fn finish(job: &Claimed, transaction: Transaction) -> Result<Outcome, Error> {
    job.finish(&transaction);
    transaction.commit_quietly().await?;
    Ok(Outcome::Done)
}

/// Holds the client, their conversation, the lead and the execution, in this order, so that a reply is either stored before, and seen, or after.
async fn act(context: &Context, job: &Claimed, transaction: Transaction, id: Uuid, before: Look) -> Result<Outcome, Error> {
    let step = before.step().cloned().ok_or(INTERNAL)?;
    let begun = if step.kind == StepKind::Whatsapp {
        transaction.savepoint();
        Some(acting::begin(context, &transaction, &before.to).await?)
    } else {
        transaction.query(HOLD_CLIENT, &[&before.to.client_id]).await?;
        None
    };
    let (_, _, look) = try_join3(
        transaction.query(HOLD_LEAD, &[&before.to.lead_id]),
        transaction.query(HOLD, &[&id]),
        Look::read(&transaction, id),
    )
    .await?;
    let now = context.now();
    let look = look.filter(|look| (look.job_id, look.current_step) == (Some(job.id), before.current_step));
    // What has just changed is judged anew, with nothing of this done.
    let is_whose = |look: &Look| acting::is_whose_it_was(begun.as_ref(), before.to.client_id, look.to.client_id);
    let Some(mut look) = look.filter(|look| is_whose(look) && judge(&look.facts(), now) == Decision::Act) else {
        return Ok(Outcome::Hold { after: SOON });
    };
    // Whom it has just been made is forgotten with what was begun.
    look.to.client_id = before.to.client_id;
    let (variant, words) = step.words(id, look.place());
    let asked = acting::Asked {
        company_id: job.company_id,
        cause: format!("followup:{id}:{}", look.current_step),
        to: &look.to,
        kind: step.kind,
        words: &words,
        begins: "Conversa iniciada pelo follow-up automático.",
        due_at: now.saturating_add(A_DAY).unwrap_or(now),
    };
    let mut done = match begun {
        Some(begun) => asked.write(context, &transaction, begun).await?,
        None => asked.mail_or_task(context, &transaction).await?,
    };
    done.variant = Some(i32::try_from(variant).unwrap_or_default());
    let next =
        done.ends.map_or_else(|| Next::step(&look, now), |reason| Next::end(&look, ExecutionStatus::Cancelled, Some(reason)));
    record(context, &transaction, id, &look, Some(done), next).await?;
    finish(job, transaction).await
}

/// Where an execution stands afterwards.
struct Next {
    step: i32,
    attempt: i32,
    at: Option<Timestamp>,
    status: ExecutionStatus,
    reason: Option<String>,
}

impl Next {
    fn end(look: &Look, status: ExecutionStatus, reason: Option<&str>) -> Self {
        let reason = reason.map(str::to_owned);
        Self { step: look.current_step, attempt: look.attempt, at: None, status, reason }
    }

    /// The step after the present one, or the end.
    fn step(look: &Look, now: Timestamp) -> Self {
        let step = look.current_step + 1;
        let Some(following) = look.steps.0.get(look.place() + 1) else {
            return Self { step, ..Self::end(look, ExecutionStatus::Completed, None) };
        };
        let facts = look.facts();
        let due = later(now, following.delay_minutes).and_then(|due| facts.hours.next_run(&facts.zone, &facts.holidays, due));
        match due {
            Ok(at) => Self { step, attempt: 1, at: Some(at), status: ExecutionStatus::Active, reason: None },
            Err(_) => Self { step, ..Self::end(look, ExecutionStatus::Failed, Some("never_open")) },
        }
    }

    fn after(decision: &Decision, look: &Look, now: Timestamp) -> Self {
        match decision {
            Decision::End { status, reason } => Self::end(look, *status, *reason),
            Decision::PutOff { until, .. } => {
                Self { attempt: look.attempt + 1, at: Some(*until), ..Self::end(look, ExecutionStatus::Active, None) }
            }
            Decision::Pause => Self { at: look.next_run_at, ..Self::end(look, ExecutionStatus::Paused, None) },
            _ => Self::step(look, now),
        }
    }
}

async fn record(
    context: &Context,
    transaction: &Transaction,
    id: Uuid,
    look: &Look,
    done: Option<Done>,
    next: Next,
) -> Result<(), Error> {
    let Next { step, attempt, at, status, reason } = next;
    let job_id = context.new_id();
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
        [&id, &look.current_step, &look.attempt, &step, &attempt, &at, &status.as_str(), &reason, &job_id];
    if let Some(done) = done {
        let kind = look.step().map(|step| step.kind.as_str());
        let outcome = done.outcome.as_str();
        let Done { variant, reason, message_id, mail_id, task_id, .. } = &done;
        let of_step: [&(dyn tokio_postgres::types::ToSql + Sync); 10] =
            [&id, &look.current_step, &look.attempt, &kind, variant, &outcome, reason, message_id, mail_id, task_id];
        // What was done comes before what follows from it.
        let (_, moved) = try_join(transaction.execute(LOG, &of_step), transaction.query(GO_ON, &parameters)).await?;
        expect_moved(&moved)?;
    } else {
        expect_moved(&transaction.query(GO_ON, &parameters).await?)?;
    }
    if let Some(at) = at.filter(|_| status == ExecutionStatus::Active) {
        look_later(context, transaction, id, job_id, at);
    }
    Ok(())
}

/// What somebody else has changed meanwhile is looked at anew, with nothing of this done.
fn expect_moved(rows: &[shared::Row]) -> Result<(), Error> {
    if rows.is_empty() { Err(INTERNAL.caused_by("an execution has changed while it was looked at")) } else { Ok(()) }
}

const GIVE_UP: &str = "
    update followup_executions
       set status = 'failed', reason = 'gave_up', finished_at = now(), next_run_at = null
     where id = $1 and job_id = $2 and status = 'active'";

/// What could not be done for a reason of our own says so.
///
/// # Errors
/// Those of the database.
pub async fn give_up(job: &Claimed, transaction: &Transaction) -> Result<(), Error> {
    let RunStep { execution_id } = job.read()?;
    transaction.execute(GIVE_UP, &[&execution_id, &job.id]).await?;
    Ok(())
}

impl Done {
    /// What the log says where nothing was done; `None` where the execution alone says it.
    fn of(decision: &Decision) -> Option<Self> {
        let of = |outcome, reason: &str| Some(Self { reason: Some(reason.to_owned()), ..Self::new(outcome) });
        match decision {
            Decision::PutOff { reason, .. } => of(LogOutcome::PutOff, reason),
            Decision::Skip { reason } => of(LogOutcome::Skipped, reason),
            _ => None,
        }
    }
}
