//! Long jobs that people watch: how far each has come, and whether it is to stop. Imports, exports, syncs and repairs all work so.
//!
//! A route adds the job with `start`. Its worker takes page after page, each in a transaction of its own that ends with `advance`, so that
//! what was done and what is said of it are never apart, and whoever comes after a killed worker goes on where that one was.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use postgres_from_row::FromRow;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    clock, closed_set,
    context::Context,
    database::Transaction,
    error::{Error, INTERNAL, NOT_FOUND},
    jobs::Job,
};

/// A worker goes on with other lanes after this long, well before its lease and its time end.
const SPELL: Duration = Duration::from_secs(10);

closed_set! {
    /// `cancelling` until the worker has come to the end of its page.
    pub JobState {
        Queued = "queued",
        Running = "running",
        Cancelling = "cancelling",
        Cancelled = "cancelled",
        Done = "done",
        Failed = "failed",
    }
}

/// A long job, as who started it, supervisors who may start another of its kind, and admins see it.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct JobProgress {
    pub id: Uuid,
    /// What it does, such as `retry_failed_jobs`.
    pub kind: String,
    pub state: JobState,
    /// Items taken up so far.
    pub done: i64,
    /// Those of them that came to nothing.
    pub failed: i64,
    /// Items in all; null while nobody knows.
    pub total: Option<i64>,
    /// What came of it, by its kind.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub result: Option<Value>,
    /// Why it failed as a whole.
    pub reason: Option<String>,
    /// Null: the system.
    pub started_by: Option<Uuid>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

/// A long job has come further, twice a second at most, or has ended. Told to who started it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct JobProgressed<'progress> {
    pub job: &'progress JobProgress,
}

#[cfg_attr(debug_assertions, expect(unsafe_code, reason = "the catalogue of events is a section of the binary"))]
mod told {
    crate::event!(super::JobProgressed<'_> = "job.progress");
}

/// The columns of `JobProgress`, of `job_progress`.
#[macro_export]
macro_rules! job_progress_columns {
    () => {
        "job_progress.id, job_progress.kind, job_progress.state, job_progress.done, job_progress.failed, job_progress.total,
         job_progress.result, job_progress.reason, job_progress.started_by, job_progress.created_at, job_progress.finished_at"
    };
}

/// No row while another of its kind and key goes on.
const START: &str = concat!(
    "insert into job_progress (id, kind, key, total)
     values ($1, $2, $3, $4)
     on conflict (company_id, kind, key) where finished_at is null do nothing
     returning ",
    job_progress_columns!()
);

/// Jobs that may end just then, one after the other.
const ENDINGS: usize = 5;

const GOING: &str =
    concat!("select ", job_progress_columns!(), " from job_progress where kind = $1 and key = $2 and finished_at is null");

/// Also one that failed: its job is done again.
const BEGIN: &str = concat!(
    "update job_progress
        set state = case when state = 'cancelling' then state else 'running' end, reason = null, finished_at = null
      where id = $1 and (finished_at is null or state = 'failed')
     returning place, ",
    job_progress_columns!()
);

/// Whether it is told: not more than twice a second.
const ADVANCE: &str = concat!(
    "with before as (
        select id, told_at < clock_timestamp() - interval '500 milliseconds' as is_told from job_progress where id = $1 for update
    )
    update job_progress
       set done = job_progress.done + $2, failed = job_progress.failed + $3, place = $4,
           total = greatest(job_progress.total, job_progress.done + $2),
           told_at = case when before.is_told then clock_timestamp() else told_at end
      from before
     where job_progress.id = before.id and finished_at is null
    returning before.is_told, ",
    job_progress_columns!()
);

const EXPECT: &str = "update job_progress set total = $2 where id = $1 and finished_at is null";

const FINISH: &str = concat!(
    "update job_progress
        set state = $2, result = $3, finished_at = now()
      where id = $1 and finished_at is null
     returning ",
    job_progress_columns!()
);

const FAIL: &str = concat!(
    "update job_progress
        set state = 'failed', reason = $2, finished_at = now()
      where id = $1 and finished_at is null
     returning ",
    job_progress_columns!()
);

/// Adds a job that people watch, of `total` items where that is known. While one of its kind and key goes on, that one is answered and
/// nothing is added.
///
/// # Errors
/// As the database fails.
pub async fn start(transaction: &Transaction, job: Job, key: &str, total: Option<i64>) -> Result<JobProgress, Error> {
    // One that was in the way may have ended before it is looked for.
    for _ in 0..ENDINGS {
        if let Some(progress) = transaction.first::<JobProgress>(START, &[&job.id, &job.kind, &key, &total]).await? {
            tell(transaction, &progress);
            transaction.enqueue(job);
            return Ok(progress);
        }
        if let Some(going) = transaction.first(GOING, &[&job.kind, &key]).await? {
            return Ok(going);
        }
    }
    Err(NOT_FOUND.into())
}

/// A job is given up: where people watch it, they are told.
///
/// # Errors
/// As the database fails.
pub(crate) async fn fail(transaction: &Transaction, job: Uuid, reason: &str) -> Result<(), Error> {
    let failed: Option<JobProgress> = transaction.first(FAIL, &[&job, &reason]).await?;
    if let Some(progress) = failed {
        tell(transaction, &progress);
    }
    Ok(())
}

/// Tells who started it how far it has come.
pub fn tell(transaction: &Transaction, progress: &JobProgress) {
    if let Some(person) = progress.started_by {
        transaction.tell_person(person, &JobProgressed { job: progress });
    }
}

#[derive(FromRow)]
struct Begun {
    place: Option<Value>,
    #[from_row(flatten)]
    row: JobProgress,
}

#[derive(FromRow)]
struct Advanced {
    is_told: bool,
    #[from_row(flatten)]
    row: JobProgress,
}

/// What the worker does after a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Takes the next page.
    Continue,
    /// Hands the job back, to go on soon: it has worked for long enough at a time.
    Pause,
    /// Stops: somebody does not want the rest.
    Cancelled,
}

/// How a job ends that does not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Done,
    Cancelled,
}

/// A long job in the hands of its worker.
#[derive(Debug)]
pub struct Progress {
    /// As it was last seen.
    pub row: JobProgress,
    place: Option<Value>,
    begun: Instant,
}

impl Progress {
    /// Takes up the job, or goes on with it. `None` when it has ended already.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn begin(context: &Context, company_id: Uuid, job: Uuid) -> Result<Option<Self>, Error> {
        let transaction = context.begin_system(company_id).await?;
        let begun: Option<Begun> = transaction.first(BEGIN, &[&job]).await?;
        transaction.commit_quietly().await?;
        Ok(begun.map(|Begun { place, row }| Self { row, place, begun: clock::monotonic() }))
    }

    /// Whether it was cancelled before this page.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.row.state == JobState::Cancelling
    }

    /// Where the page before has ended, as `advance` was told; `None` at the beginning.
    ///
    /// # Errors
    /// 500 when it is not of that type.
    pub fn place<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        let read = |place: &Value| T::deserialize(place).map_err(|error| INTERNAL.caused_by(format!("place of a job: {error}")));
        self.place.as_ref().filter(|place| !place.is_null()).map(read).transpose()
    }

    /// Says how many items there are, where nobody knew when it was started.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn expect(&self, transaction: &Transaction, total: i64) -> Result<(), Error> {
        transaction.execute(EXPECT, &[&self.row.id, &total]).await.map(drop)
    }

    /// Counts a page, in the transaction that does it: `done` items taken up, `failed` of them for nothing, and where the next begins.
    /// Whoever cancels meanwhile waits for the page, and the answer is after it.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn advance(
        &mut self,
        transaction: &Transaction,
        done: usize,
        failed: usize,
        place: impl Serialize + Send,
    ) -> Result<Step, Error> {
        let count = |items: usize| i64::try_from(items).unwrap_or(i64::MAX);
        let place = json!(place);
        let advanced: Advanced = transaction.one(ADVANCE, &[&self.row.id, &count(done), &count(failed), &place]).await?;
        if advanced.is_told {
            tell(transaction, &advanced.row);
        }
        self.row = advanced.row;
        self.place = Some(place);
        Ok(if self.is_cancelled() {
            Step::Cancelled
        } else if clock::monotonic().duration_since(self.begun) > SPELL {
            Step::Pause
        } else {
            Step::Continue
        })
    }

    /// Ends it with what came of it, in the transaction that finishes the job.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn finish(self, transaction: &Transaction, ending: Ending, result: &Value) -> Result<(), Error> {
        let state = match ending {
            Ending::Done => JobState::Done,
            Ending::Cancelled => JobState::Cancelled,
        };
        let finished: Option<JobProgress> = transaction.first(FINISH, &[&self.row.id, &state.as_str(), result]).await?;
        if let Some(progress) = finished {
            tell(transaction, &progress);
        }
        Ok(())
    }
}
