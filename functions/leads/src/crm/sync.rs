//! A company's leads and its CRM kept alike, as a long job: first what has changed there is taken, then what is gone there, then the CRM is told.

use std::time::Duration;

use jiff::SignedDuration;
use shared::{
    log,
    prelude::*,
    progress::{Ending, Progress, Step},
};

use super::{
    call::Stop,
    connection::{Connection, ConnectionRow},
    pull, push,
    start::{SyncCrm, begin, begin_later},
};
use crate::IS_IMPORT;

/// Until what has changed is looked for again by itself.
const EVERY: SignedDuration = SignedDuration::from_mins(15);

/// What a CRM has changed may be shown so much later.
const OVERLAP: SignedDuration = SignedDuration::from_mins(2);

/// Calls in a row that come to nothing before the job has failed.
const TRIES: i32 = 5;

/// A job waits no longer than this at a time.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// Leads and CRM were looked at. Whoever shows either reads it anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CrmSynced {
    /// Leads made of whom only the CRM knew.
    pub leads_made: usize,
    /// Leads of whom the CRM said something new.
    pub leads_changed: usize,
    /// Records made there.
    pub records_made: usize,
    /// Records that were told something new.
    pub records_changed: usize,
    /// Records taken away there, whose leads are gone.
    pub records_removed: usize,
    /// New conflicts.
    pub conflicts: usize,
    /// Leads that the CRM does not take.
    pub refused: usize,
}
event!(CrmSynced = "crm.synced");

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    Changed,
    Deleted,
    Removed,
    Told,
}

/// Where the next page begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Place {
    phase: Phase,
    /// Of their pages.
    next: Option<String>,
    /// The last lead of the page before.
    after: Option<Uuid>,
    began_at: Timestamp,
    since: Option<Timestamp>,
    /// The latest change of theirs that was seen.
    seen: Option<Timestamp>,
    so_far: CrmSynced,
}

/// What was refused is tried once more; who is back here is made anew there.
const TRY_AGAIN: &str = "update crm_records set lead_version = 0, attempts = 0, refused = null where $1 and refused is not null";
const BACK_AGAIN: &str = "
    with back as (
        update crm_records
           set crm_id = null, agreed = '{}', lead_version = 0, archived_at = null, gone_at = null
          from leads
         where archived_at is not null and leads.company_id = crm_records.company_id and leads.id = lead_id and leads.deleted_at is null
        returning lead_id
    )
    update leads set crm_id = null from back where leads.id = back.lead_id";

/// Records whose leads are gone.
const TO_REMOVE: &str = "
    select record.lead_id, record.crm_id
      from crm_records record
      join leads on leads.company_id = record.company_id and leads.id = record.lead_id
     where leads.deleted_at is not null and leads.merged_into_id is null
       and record.crm_id is not null and record.archived_at is null and record.gone_at is null
       and ($1::uuid is null or record.lead_id > $1)
     order by record.lead_id
     limit 1";

const REMOVED: &str = "update crm_records set archived_at = now() where lead_id = $1";

const READ_UNTIL: &str = "update crm_connections set read_until = coalesce($1, read_until)";
const GOES_WELL: &str = "update crm_connections set failures = 0, paused_until = null, last_error = null where failures > 0 or last_error is not null";
const WAITS: &str = "update crm_connections set failures = $1, paused_until = now() + make_interval(secs => $2), last_error = coalesce($3, last_error)";
const BROKEN: &str =
    "update crm_connections set status = 'broken', last_error = $1, version = version + 1 where status = 'active'";
/// `$2`: all of it was looked at.
const SYNCED: &str = "
    update crm_connections
       set synced_at = case when $2 then now() else synced_at end
    returning coalesce(hinted_at > $1, false) as is_hinted";

#[derive(FromRow)]
struct ToRemove {
    lead_id: Uuid,
    crm_id: String,
}

#[derive(FromRow)]
struct Synced {
    is_hinted: bool,
}

/// Takes it up, or goes on with it.
///
/// # Errors
/// As the database fails.
pub async fn run(context: Context, job: Claimed) -> Result<Outcome, Error> {
    let SyncCrm { is_asked_for } = job.read()?;
    let Some(progress) = Progress::begin(&context, job.company_id, job.id).await? else {
        return Ok(Outcome::Failed { reason: "nobody watches it".to_owned() });
    };
    let transaction = context.begin_system(job.company_id).await?;
    let found = ConnectionRow::read(&context, &transaction, job.company_id).await?;
    let Some((row, crm)) = found.filter(|(row, _)| row.is_active) else {
        return Ok(Outcome::Failed { reason: "the CRM is not connected, or refuses its key".to_owned() });
    };
    let place = progress.place::<Place>()?;
    if place.is_none() {
        transaction.execute(TRY_AGAIN, &[&is_asked_for]).await?;
        transaction.execute(BACK_AGAIN, &[]).await?;
    }
    transaction.commit_quietly().await?;
    let place = place.unwrap_or(Place {
        phase: Phase::Changed,
        next: None,
        after: None,
        began_at: context.now(),
        since: row.read_until,
        seen: None,
        so_far: CrmSynced::default(),
    });
    let mut run = Run { context, job, progress, crm, row, place };
    if run.progress.is_cancelled() {
        return run.end(Ending::Cancelled).await;
    }
    if let Some(wait) =
        run.row.paused_until.map(|until| until.duration_since(run.context.now())).filter(SignedDuration::is_positive)
    {
        return Ok(hold(wait.try_into().unwrap_or_default()));
    }
    loop {
        match run.page().await? {
            Ok(Step::Continue) => {}
            Ok(Step::Pause) => return Ok(hold(Duration::from_secs(1))),
            Ok(Step::Cancelled) => return run.end(Ending::Cancelled).await,
            Err(Paused::Finished) => return run.end(Ending::Done).await,
            Err(Paused::Stopped(stop)) => return run.stopped(stop).await,
        }
    }
}

/// After one that was given up the next one begins at its time.
pub fn given_up(job: &Claimed, transaction: &Transaction) {
    let at = transaction.context().now().checked_add(EVERY).ok();
    begin_later(transaction.context(), transaction, job.company_id, at);
}

/// Begins one at its time.
///
/// # Errors
/// As the database fails.
pub async fn poll(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let transaction = context.begin_system(job.company_id).await?;
    let found = ConnectionRow::read(context, &transaction, job.company_id).await?;
    if found.is_some_and(|(row, _)| row.is_active) {
        begin(context, &transaction, job.company_id, false).await?;
    }
    job.finish(&transaction);
    transaction.commit_quietly().await?;
    Ok(Outcome::Done)
}

fn hold(wait: Duration) -> Outcome {
    Outcome::Hold { after: wait.clamp(Duration::from_secs(1), LONGEST_WAIT) }
}

enum Paused {
    Finished,
    Stopped(Stop),
}

type Stepped = Result<Step, Paused>;

struct Run {
    context: Context,
    job: Claimed,
    progress: Progress,
    crm: Connection,
    row: ConnectionRow,
    place: Place,
}

impl Run {
    async fn page(&mut self) -> Result<Stepped, Error> {
        match self.place.phase {
            Phase::Changed => self.take_page(false).await,
            Phase::Deleted => self.take_page(true).await,
            Phase::Removed => self.remove_one().await,
            Phase::Told => self.tell_page().await,
        }
    }

    async fn take_page(&mut self, of_deleted: bool) -> Result<Stepped, Error> {
        let place = self.place.next.as_deref();
        let asked = if of_deleted {
            self.crm.deleted(&self.context, place).await
        } else {
            self.crm.changed(&self.context, self.place.since, place).await
        };
        let page = match asked {
            Ok(page) => page,
            Err(stop) => return Ok(Err(Paused::Stopped(stop))),
        };
        let transaction = self.context.begin_system(self.job.company_id).await?;
        if !self.row.was_synced {
            // Whoever was there before the two knew each other is no lead that has just come in.
            transaction.query(IS_IMPORT, &[]).await?;
        }
        let pulled = pull::take(&self.context, &transaction, &self.crm, &page.records).await?;
        let mut next = self.place.clone();
        next.so_far.leads_made += pulled.made;
        next.so_far.leads_changed += pulled.changed;
        next.so_far.conflicts += pulled.conflicts;
        let latest = page.records.iter().filter_map(|record| record.changed_at).max();
        next.seen = if of_deleted { next.seen } else { next.seen.max(latest) };
        next.next = page.next;
        if next.next.is_none() {
            next.phase = if of_deleted { Phase::Removed } else { Phase::Deleted };
            let until = next.seen.and_then(|seen| seen.checked_sub(OVERLAP).ok());
            transaction.execute(READ_UNTIL, &[&until]).await?;
        }
        self.goes_well(&transaction).await?;
        self.advance(transaction, page.records.len(), pulled.skipped, next).await
    }

    /// One call and what is kept of it: a killed worker's successor does it again, and finds it done.
    async fn remove_one(&mut self) -> Result<Stepped, Error> {
        let transaction = self.context.begin_system(self.job.company_id).await?;
        let wanted: Option<ToRemove> = transaction.first(TO_REMOVE, &[&self.place.after]).await?;
        let mut next = self.place.clone();
        let Some(ToRemove { lead_id, crm_id }) = wanted else {
            (next.phase, next.after) = (Phase::Told, None);
            return self.advance(transaction, 0, 0, next).await;
        };
        drop(transaction);
        if let Err(stop) = self.crm.take_away(&self.context, &crm_id).await {
            return Ok(Err(Paused::Stopped(stop)));
        }
        next.after = Some(lead_id);
        next.so_far.records_removed += 1;
        let transaction = self.context.begin_system(self.job.company_id).await?;
        transaction.execute(REMOVED, &[&lead_id]).await?;
        self.goes_well(&transaction).await?;
        self.advance(transaction, 1, 0, next).await
    }

    async fn tell_page(&mut self) -> Result<Stepped, Error> {
        let pushed = push::push(&self.context, &self.crm, self.place.after).await?;
        let mut next = self.place.clone();
        next.so_far.records_made += pushed.made;
        next.so_far.records_changed += pushed.changed;
        next.so_far.refused += pushed.refused;
        next.so_far.conflicts += pushed.conflicts;
        let transaction = self.context.begin_system(self.job.company_id).await?;
        if pushed.made + pushed.changed > 0 {
            self.goes_well(&transaction).await?;
        }
        if let Some(stop) = pushed.stop {
            // What was told is kept already; the rest of the page is looked at again.
            let step = self.advance(transaction, pushed.made + pushed.changed, pushed.refused, next).await?;
            return Ok(if matches!(step, Ok(Step::Cancelled)) { step } else { Err(Paused::Stopped(stop)) });
        }
        next.after = pushed.last.or(next.after);
        let is_last = pushed.last.is_none();
        let step = self.advance(transaction, pushed.looked_at, pushed.refused, next).await?;
        Ok(if is_last && matches!(step, Ok(Step::Continue | Step::Pause)) { Err(Paused::Finished) } else { step })
    }

    async fn goes_well(&mut self, transaction: &Transaction) -> Result<(), Error> {
        self.row.failures = 0;
        transaction.execute(GOES_WELL, &[]).await.map(drop)
    }

    async fn advance(&mut self, transaction: Transaction, done: usize, failed: usize, next: Place) -> Result<Stepped, Error> {
        let step = self.progress.advance(&transaction, done, failed, &next).await?;
        transaction.commit_quietly().await?;
        self.place = next;
        Ok(Ok(step))
    }

    async fn stopped(self, stop: Stop) -> Result<Outcome, Error> {
        let transaction = self.context.begin_system(self.job.company_id).await?;
        let ConnectionRow { failures, .. } = self.row;
        let (wait, failures, reason) = match stop {
            Stop::Wait { after } => (after, failures, None),
            Stop::Blocked { reason } => {
                transaction.execute(BROKEN, &[&reason]).await?;
                transaction.commit_quietly().await?;
                return Ok(Outcome::Failed { reason });
            }
            Stop::Down { reason } | Stop::Unknown { reason } => {
                let doubled = 2_u64.saturating_pow(u32::try_from(failures).unwrap_or_default());
                (Duration::from_secs(doubled.saturating_mul(2)), failures + 1, Some(reason))
            }
        };
        let is_over = failures >= TRIES;
        let kept = if is_over { 0 } else { failures };
        transaction.execute(WAITS, &[&kept, &wait.as_secs_f64(), &reason]).await?;
        if is_over {
            self.next_one(&transaction);
        }
        transaction.commit_quietly().await?;
        let reason = reason.unwrap_or_default();
        if is_over {
            log::warn("a CRM does not answer", &reason);
            return Ok(Outcome::Failed { reason });
        }
        Ok(hold(wait))
    }

    fn next_one(&self, transaction: &Transaction) {
        let at = self.context.now().checked_add(EVERY).ok();
        begin_later(&self.context, transaction, self.job.company_id, at);
    }

    async fn end(self, ending: Ending) -> Result<Outcome, Error> {
        let transaction = self.context.begin_system(self.job.company_id).await?;
        let so_far = self.place.so_far;
        if so_far != CrmSynced::default() {
            transaction.tell_staff(&so_far);
        }
        let synced: Synced = transaction.one(SYNCED, &[&self.place.began_at, &(ending == Ending::Done)]).await?;
        self.next_one(&transaction);
        // What it has told of meanwhile may be newer than what was read.
        if synced.is_hinted && ending == Ending::Done {
            begin_later(&self.context, &transaction, self.job.company_id, None);
        }
        self.progress.finish(&transaction, ending, &json!(so_far)).await?;
        self.job.finish(&transaction);
        transaction.commit_quietly().await?;
        Ok(Outcome::Done)
    }
}
