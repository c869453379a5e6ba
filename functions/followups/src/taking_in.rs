//! A sequence takes in whoever meets its criteria, and lets go on who was paused with it: page after page.

use std::time::Duration;

use futures_util::future::try_join;
use shared::prelude::*;

use crate::{
    enrol::{Audience, Said, look_later},
    sequence::Sequence,
    sequence_columns,
    window::zone_of,
};

/// Leads of one transaction.
const PAGE: i64 = 500;

const RUNNING: &str = concat!(
    "select ",
    sequence_columns!(),
    " from followup_sequences where id = $1 and is_active and deleted_at is null for share of followup_sequences"
);

const PAUSED: &str = "
    select executions.id, executions.next_run_at, app.zone_said_of(leads) as zone
      from followup_executions executions
      join leads on leads.company_id = executions.company_id and leads.id = executions.lead_id
     where executions.sequence_id = $1
       and (executions.status = 'paused' or executions.status = 'active' and executions.job_id is null)
     order by executions.id
     limit $2
       for update of executions";

const GO_ON: &str = "
    update followup_executions
       set status = 'active', next_run_at = again.at, job_id = again.job_id
      from unnest($1::uuid[], $2::timestamptz[], $3::uuid[]) as again (id, at, job_id)
     where followup_executions.id = again.id and finished_at is null";

#[derive(FromRow)]
struct Paused {
    id: Uuid,
    next_run_at: Option<Timestamp>,
    zone: Option<String>,
}

#[derive(Deserialize)]
struct EnrollLeads {
    sequence_id: Uuid,
}

/// Does a job that takes leads in.
///
/// # Errors
/// Those of the database.
pub async fn take_in(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let EnrollLeads { sequence_id } = job.read()?;
    let transaction = context.begin_system(job.company_id).await?;
    // Held, so that whoever pauses it pauses all of them.
    let Some(sequence) = transaction.first::<Sequence>(RUNNING, &[&sequence_id]).await? else {
        job.finish(&transaction);
        transaction.commit_quietly().await?;
        return Ok(Outcome::Done);
    };
    let again = resume(context, &transaction, &sequence).await?;
    let audience = Audience::of(&sequence);
    let (first, said) = try_join(audience.first(&transaction, PAGE), Said::read(&transaction)).await?;
    if !first.is_empty() {
        audience.enroll(context, &transaction, &said, (&first, true)).await?;
    }
    if again < PAGE && i64::try_from(first.len()).unwrap_or(PAGE) < PAGE {
        job.finish(&transaction);
        transaction.commit_quietly().await?;
        return Ok(Outcome::Done);
    }
    transaction.commit_quietly().await?;
    Ok(Outcome::Hold { after: Duration::from_millis(10) })
}

/// Those who were paused go on where they were, and those whom people took in are looked after; what fell due meanwhile is done when the
/// sequence may.
async fn resume(context: &Context, transaction: &Transaction, sequence: &Sequence) -> Result<i64, Error> {
    let paused: Vec<Paused> = transaction.all(PAUSED, &[&sequence.id, &PAGE]).await?;
    if paused.is_empty() {
        return Ok(0);
    }
    let (said, hours, now) = (Said::read(transaction).await?, sequence.hours(), context.now());
    let holidays = said.holidays();
    let next = |row: &Paused| {
        let due = row.next_run_at.map_or(now, |due| due.max(now));
        // One without an open hour is looked at, and ended.
        hours.next_run(&zone_of(row.zone.as_deref(), &said.time_zone).0, &holidays, due).unwrap_or(due)
    };
    let ids: Vec<Uuid> = paused.iter().map(|row| row.id).collect();
    let times: Vec<Timestamp> = paused.iter().map(next).collect();
    let jobs: Vec<Uuid> = paused.iter().map(|_| context.new_id()).collect();
    transaction.execute(GO_ON, &[&ids, &times, &jobs]).await?;
    for ((id, at), job) in ids.iter().zip(&times).zip(&jobs) {
        look_later(context, transaction, *id, *job, *at);
    }
    Ok(i64::try_from(ids.len()).unwrap_or(PAGE))
}
