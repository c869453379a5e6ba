//! Worker of the scores queue — scores leads anew: all of a company after a change of its rules, or those whose facts or days have changed.

use std::{collections::BTreeMap, time::Duration};

use scores::{LeadScored, LeadScoringUpdated, RECOMPUTE_SCORES, RecomputeScores, SCORES, current_rules, rescore};
use shared::{
    prelude::*,
    progress::{Ending, Progress, Step},
};

/// Leads of a page.
const MOST: i64 = 200;

const COUNT: &str = "select count(*) as total from leads where status = 'open' and deleted_at is null";

/// The next ones, held.
const NEXT: &str = "
    select id from leads where status = 'open' and deleted_at is null and ($1::uuid is null or id > $1) order by id limit $2 for no key update";

/// Those that were scored longest ago, held in one order.
const STALE: &str = "
    select id from leads
     where id in (select id from leads
                   where status = 'open' and deleted_at is null and scored_at < $1::timestamptz - interval '1 day'
                   order by scored_at, id
                   limit $2)
     order by id
       for no key update";

#[derive(FromRow)]
struct Found {
    id: Uuid,
}

#[derive(FromRow)]
struct Count {
    total: i64,
}

pub fn main() {
    serve_worker(Queue::Scores, Privilege::Standard, recompute_scores, give_up);
}

async fn recompute_scores(context: Context, job: Claimed) -> Result<Outcome, Error> {
    if job.kind == RECOMPUTE_SCORES { recompute_all(&context, &job).await } else { rescore_stale(&context, &job).await }
}

async fn recompute_all(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let RecomputeScores { version } = job.read()?;
    let Some(mut progress) = Progress::begin(context, job.company_id, job.id).await? else {
        return Ok(Outcome::Failed { reason: "nobody watches it".to_owned() });
    };
    loop {
        let transaction = context.begin_system(job.company_id).await?;
        let (after, is_cancelled): (Option<Uuid>, _) = (progress.place()?, progress.is_cancelled());
        if after.is_none() {
            let Count { total } = transaction.one(COUNT, &[]).await?;
            progress.expect(&transaction, total).await?;
        }
        let page: Vec<Found> = if is_cancelled { Vec::new() } else { transaction.all(NEXT, &[&after, &MOST]).await? };
        let Some(Found { id: last }) = page.last() else {
            let (rules, now) = current_rules(&transaction).await?;
            if !is_cancelled && now == version {
                transaction.tell_staff(&LeadScoringUpdated { rules: &rules, version, is_applied: true });
            }
            let ending = if is_cancelled { Ending::Cancelled } else { Ending::Done };
            let result = json!({"leads": progress.row.done});
            progress.finish(&transaction, ending, &result).await?;
            job.finish(&transaction);
            transaction.commit_quietly().await?;
            return Ok(Outcome::Done);
        };
        let ids: Vec<Uuid> = page.iter().map(|found| found.id).collect();
        let broken = rescore(&transaction, &ids, context.now()).await?;
        let step = progress.advance(&transaction, ids.len(), broken, last).await?;
        transaction.commit_quietly().await?;
        if step == Step::Pause {
            return Ok(Outcome::Hold { after: Duration::ZERO });
        }
    }
}

async fn rescore_stale(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let transaction = context.begin_system(job.company_id).await?;
    let now = context.now();
    let found: Vec<Found> = transaction.all(STALE, &[&now, &MOST]).await?;
    let ids: Vec<Uuid> = found.iter().map(|found| found.id).collect();
    let before: Vec<LeadScored> = transaction.all(SCORES, &[&ids]).await?;
    let versions: BTreeMap<Uuid, i32> = before.iter().map(|lead| (lead.lead_id, lead.version)).collect();
    rescore(&transaction, &ids, now).await?;
    let after: Vec<LeadScored> = transaction.all(SCORES, &[&ids]).await?;
    for lead in after.iter().filter(|lead| versions.get(&lead.lead_id) != Some(&lead.version)) {
        lead.tell(&transaction, job.company_id);
    }
    job.finish(&transaction);
    transaction.commit_quietly().await?;
    Ok(Outcome::Done)
}

/// Whoever watches it is told by the shell; what is stale is found again.
async fn give_up(_: Claimed, transaction: Transaction) -> Result<(), Error> {
    transaction.commit_quietly().await
}
