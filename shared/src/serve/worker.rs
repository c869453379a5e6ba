//! The shell around a worker: takes jobs from its queue, in the order of their lanes, until each is finished.

use std::{
    collections::HashSet,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::try_join;
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use postgres_from_row::FromRow;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Work, is_cold,
    queue::{Batch, Record, time_left},
    report, run, unpanicked,
};
use crate::{
    clock,
    context::{Context, Origin, Process},
    database::Transaction,
    describe,
    error::{Error, INTERNAL, UNAVAILABLE},
    jobs::{self, Dispatch, Queue, Timer},
    log,
    needs::{Privilege, Uses},
    parameters, progress,
};

/// What a worker has for its work, in seconds.
struct Times {
    /// Until Lambda ends the function.
    function: u64,
    /// It holds a job this long: longer than its function lasts, so that no two work on the same job.
    lease: u64,
    /// A message whose worker was killed comes back after this long.
    hidden: u64,
    /// No further job of a lane is begun with less than this left of the function's time.
    longest_job: u64,
}

impl Times {
    fn of(queue: Queue) -> Self {
        match queue {
            // A client waits for it, so what a killed worker leaves is taken up soon; a turn asks a model for ten seconds at most. A message that comes
            // back early, having waited for its function, finds the job leased and does no harm.
            Queue::Bot => Self { function: 15, lease: 20, hidden: 21, longest_job: 12 },
            _ => Self { function: 30, lease: 40, hidden: 180, longest_job: 18 },
        }
    }
}

/// Attempts after which a job has failed for good, those included whose worker never came back to say what became of them.
const MOST_ATTEMPTS: i32 = 10;

/// Until a lane is asked again in which another message's worker is busy.
const SHORT_PAUSE: Duration = Duration::from_secs(5);

const LONGEST_PAUSE: Duration = Duration::from_mins(15);

const CLAIM: &str = "select * from app.claim_job($1, $2::text::interval)";

/// Whoever asks for a job also sends what there is room for, as others are finished.
const NEXT_JOBS: &str = "select * from app.next_jobs($1)";

const FINISH: &str = "
    update jobs
       set finished_at = now(), leased_until = null, last_error = null
     where id = $1 and finished_at is null";

const RELEASE: &str = "
    update jobs
       set leased_until = null, run_at = now() + make_interval(secs => $2), last_error = $3, dispatched_at = now()
     where id = $1 and finished_at is null";

const HOLD: &str = "
    update jobs
       set leased_until = null, run_at = now() + make_interval(secs => $2), dispatched_at = now(), attempts = attempts - 1
     where id = $1 and finished_at is null";

/// Its lane goes on without it: it becomes a lane of its own.
const PUT_OFF: &str = "
    update jobs
       set leased_until = null, run_at = now() + make_interval(secs => $2), dispatched_at = null, attempts = attempts - 1,
           lane = id::text
     where id = $1 and finished_at is null";

const GIVE_UP: &str = "
    update jobs
       set finished_at = now(), leased_until = null, failed = true, last_error = $2
     where id = $1 and finished_at is null";

/// A job this worker has leased.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub id: Uuid,
    pub company_id: Uuid,
    pub kind: String,
    pub lane: String,
    pub payload: Value,
    /// This attempt's number, from 1.
    pub attempts: i32,
    /// Times that somebody had it done again after it had failed for good.
    pub retries: i32,
}

impl Claimed {
    /// The payload as the type that was enqueued.
    ///
    /// # Errors
    /// 500 when it is not of that type.
    pub fn read<T: for<'de> Deserialize<'de>>(&self) -> Result<T, Error> {
        T::deserialize(&self.payload).map_err(|error| INTERNAL.caused_by(format!("payload of {}: {error}", self.kind)))
    }

    /// Whether this is the last attempt before the job has failed for good.
    #[must_use]
    pub fn is_last_attempt(&self) -> bool {
        self.attempts >= MOST_ATTEMPTS
    }

    /// Whether it was given up before: what was told then is to be taken back.
    #[must_use]
    pub fn is_retried(&self) -> bool {
        self.retries > 0
    }

    /// Marks the job as done, in the transaction that records its result. Travels with its commit: jobs are the last rows locked.
    pub fn finish(&self, transaction: &Transaction) {
        transaction.defer(FINISH, parameters![self.id]);
    }
}

/// What came of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Finished, and marked so by `Claimed::finish` in the transaction that recorded the result.
    Done,
    /// To be tried again after this long, its lane waiting: the provider was busy.
    Again { after: Duration, reason: String },
    /// Not yet: to be tried again after this long, its lane waiting, without an attempt counted.
    Hold { after: Duration },
    /// Not now: due again after this long, its lane going on without an attempt counted.
    PutOff { after: Duration },
    /// Failed for good, for this reason: it is given up.
    Failed { reason: String },
}

#[derive(FromRow)]
struct Claim {
    state: String,
    wait_seconds: i32,
    id: Uuid,
    company_id: Option<Uuid>,
    kind: Option<String>,
    lane: Option<String>,
    payload: Option<Value>,
    attempts: i32,
    retries: i32,
}

/// Serves the worker of one queue. The handler gets one leased job at a time. Where a job has failed for good, `give_up` gets the
/// transaction that says so, adds what whoever waits for the job must know, and commits it.
pub fn serve_worker<H, F, G, E>(queue: Queue, privilege: Privilege, handler: H, give_up: G)
where
    H: Fn(Context, Claimed) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Outcome, Error>> + Send + 'static,
    G: Fn(Claimed, Transaction) -> E + Send + Sync + 'static,
    E: Future<Output = Result<(), Error>> + Send + 'static,
{
    let handler: Handle = Arc::new(move |context, job| Box::pin(handler(context, job)));
    serve_boxed(queue, privilege, handler, Arc::new(move |job, transaction| Box::pin(give_up(job, transaction))));
}

type Handle = Arc<dyn Fn(Context, Claimed) -> Work<Result<Outcome, Error>> + Send + Sync>;
type GiveUp = Arc<dyn Fn(Claimed, Transaction) -> Work<Result<(), Error>> + Send + Sync>;

fn serve_boxed(queue: Queue, privilege: Privilege, handler: Handle, give_up: GiveUp) {
    let name = describe::binary_name();
    if describe::is_asked() {
        let privilege = describe::privilege(privilege);
        let Times { function, hidden, .. } = Times::of(queue);
        let own = json!({"trigger": "queue", "queue": queue, "privilege": privilege, "seconds": function, "hidden": hidden});
        println!("{}", describe::other(own));
        return;
    }
    run(Uses::Database, |process| {
        lambda_runtime::run(service_fn(move |event: LambdaEvent<Batch>| {
            let (process, handler, give_up) = (Arc::clone(&process), Arc::clone(&handler), Arc::clone(&give_up));
            let worker = Worker { process, handler, give_up, name: name.clone(), queue };
            let deadline = clock::monotonic() + time_left(&event.context);
            async move { Ok::<_, lambda_runtime::Error>(worker.batch(event.payload, deadline).await) }
        }))
    });
}

#[derive(Deserialize)]
struct Message {
    id: Uuid,
}

struct Worker {
    process: Arc<Process>,
    handler: Handle,
    give_up: GiveUp,
    name: String,
    queue: Queue,
}

impl Worker {
    /// Works through a batch. Once a message of a lane fails, the later ones of that lane are handed back with it.
    async fn batch(&self, batch: Batch, deadline: Instant) -> Value {
        let mut failed = Vec::new();
        let mut blocked = HashSet::new();
        for record in batch.records {
            if blocked.contains(&record.attributes.group) {
                failed.push(record);
                continue;
            }
            let Ok(message) = serde_json::from_str::<Message>(&record.body) else {
                log::error("message is not a job", &record.message_id);
                continue;
            };
            if let Err(wait) = self.until_finished(message.id, &record.attributes.group, deadline).await {
                self.delay(&record, wait).await;
                blocked.insert(record.attributes.group.clone());
                failed.push(record);
            }
        }
        let failures: Vec<Value> = failed.iter().map(|record| json!({"itemIdentifier": record.message_id})).collect();
        json!({"batchItemFailures": failures})
    }

    /// Works on the lane of `wanted` until that job is finished. `Err` is how long to wait before trying again.
    async fn until_finished(&self, wanted: Uuid, group: &str, deadline: Instant) -> Result<(), Duration> {
        let mut is_first = true;
        let longest_job = Duration::from_secs(Times::of(self.queue).longest_job);
        loop {
            if !is_first && clock::monotonic() + longest_job > deadline {
                return Err(Duration::from_secs(1));
            }
            is_first = false;
            let origin = Origin { request_id: wanted.to_string(), function: self.name.clone(), ..Origin::default() };
            let context = Context::new(Arc::clone(&self.process), origin);
            let claim = self.claim(&context, wanted).await.map_err(|error| {
                if let Some(why) = error.0.transient {
                    log::done_again(&self.name, why, error.cause());
                }
                log::warn("job not claimed", error.cause().unwrap_or_default());
                Duration::from_secs(2)
            })?;
            let job = match claim.state.as_str() {
                "finished" => return Ok(()),
                "run" => Claimed {
                    id: claim.id,
                    company_id: claim.company_id.unwrap_or_default(),
                    kind: claim.kind.unwrap_or_default(),
                    lane: claim.lane.unwrap_or_default(),
                    payload: claim.payload.unwrap_or_default(),
                    attempts: claim.attempts,
                    retries: claim.retries,
                },
                // It was put off after this message was sent: its own lane's message comes when it is due, and this lane goes on.
                _ if group != wanted.to_string() && claim.lane == Some(wanted.to_string()) => return Ok(()),
                // Another message's worker is at work in this lane, which has been two: it is done long before its lease is.
                "busy" if claim.id != wanted => return Err(SHORT_PAUSE),
                _ => return Err(Duration::from_secs(u64::try_from(claim.wait_seconds).unwrap_or(1))),
            };
            let is_wanted = job.id == wanted;
            match self.work(&context, &job).await {
                Outcome::Again { after, .. } | Outcome::Hold { after } => return Err(after),
                Outcome::PutOff { .. } if is_wanted => return Ok(()),
                _ => {}
            }
        }
    }

    async fn claim(&self, context: &Context, wanted: Uuid) -> Result<Claim, Error> {
        let transaction = context.begin_nobody().await?;
        let lease = format!("{} seconds", Times::of(self.queue).lease);
        let (claim, next): (Claim, Vec<Dispatch>) =
            try_join(transaction.one(CLAIM, &[&wanted, &lease]), transaction.all(NEXT_JOBS, &[&wanted])).await?;
        transaction.commit_quietly().await?;
        jobs::dispatch(context, &next).await;
        Ok(claim)
    }

    /// Runs the handler and records what it could not record itself.
    async fn work(&self, context: &Context, job: &Claimed) -> Outcome {
        let cold = is_cold();
        let outcome = if job.attempts > MOST_ATTEMPTS {
            Outcome::Failed { reason: "the last attempt never ended: its worker was killed or ran out of time".to_owned() }
        } else {
            self.attempt(context, job).await
        };
        if let Err(error) = self.record(context, job, &outcome).await {
            log::warn("job's outcome not recorded", error.cause().unwrap_or_default());
        }
        let (status, cause) = match &outcome {
            Outcome::Done => ("200", None),
            Outcome::Hold { .. } | Outcome::PutOff { .. } => ("202", None),
            Outcome::Again { reason, .. } => ("503", Some(reason.as_str())),
            Outcome::Failed { reason } => ("500", Some(reason.as_str())),
        };
        report::finished(context, "job", status, cold, cause);
        if status == "500" {
            log::metric("jobs_failed", "Count", 1.0, &self.name);
        }
        outcome
    }

    async fn attempt(&self, context: &Context, job: &Claimed) -> Outcome {
        let handled = unpanicked((self.handler)(context.clone(), job.clone())).await;
        context.settle().await;
        let outcome = handled.unwrap_or_else(|error| {
            if let Some(why) = error.0.transient {
                log::done_again(&self.name, why, error.cause());
            }
            let reason = error.cause().unwrap_or(error.problem().code).to_owned();
            let seconds = 2_u64.saturating_pow(u32::try_from(job.attempts).unwrap_or(1));
            Outcome::Again { after: Duration::from_secs(seconds).min(LONGEST_PAUSE), reason }
        });
        match outcome {
            Outcome::Again { reason, .. } if job.is_last_attempt() => Outcome::Failed { reason },
            other => other,
        }
    }

    async fn record(&self, context: &Context, job: &Claimed, outcome: &Outcome) -> Result<(), Error> {
        if *outcome == Outcome::Done {
            return Ok(());
        }
        let transaction = context.begin_system(job.company_id).await?;
        match outcome {
            Outcome::Done => {}
            Outcome::Again { after, reason } => {
                transaction.execute(RELEASE, &[&job.id, &after.as_secs_f64(), reason]).await?;
            }
            Outcome::Hold { after } => {
                transaction.execute(HOLD, &[&job.id, &after.as_secs_f64()]).await?;
            }
            Outcome::PutOff { after } => {
                transaction.execute(PUT_OFF, &[&job.id, &after.as_secs_f64()]).await?;
                transaction.commit_quietly().await?;
                let at = context.now().checked_add(*after).unwrap_or(Timestamp::MAX);
                jobs::set_timers(context, &[Timer { id: job.id, at }]).await;
                return Ok(());
            }
            Outcome::Failed { reason } => {
                transaction.defer(GIVE_UP, parameters![job.id, reason.clone()]);
                progress::fail(&transaction, job.id, reason).await?;
                return self.give_up(context, job, transaction, reason).await;
            }
        }
        transaction.commit_quietly().await
    }

    /// A job that cannot even be given up must not hold up its lane. While the database is away, the lease keeps it for later.
    async fn give_up(&self, context: &Context, job: &Claimed, transaction: Transaction, reason: &str) -> Result<(), Error> {
        let given_up = unpanicked((self.give_up)(job.clone(), transaction)).await;
        let Err(error) = given_up else { return Ok(()) };
        if error.problem() == UNAVAILABLE {
            return Err(error);
        }
        log::error("job not given up as it should be", error.cause().unwrap_or(error.problem().code));
        let transaction = context.begin_system(job.company_id).await?;
        progress::fail(&transaction, job.id, reason).await?;
        transaction.execute(GIVE_UP, &[&job.id, &reason]).await?;
        transaction.commit_quietly().await
    }

    /// Lets SQS show the message again after `wait` and not after the queue's whole visibility time-out.
    async fn delay(&self, record: &Record, wait: Duration) {
        let seconds = i32::try_from(wait.as_secs().clamp(1, 43_200)).unwrap_or(60);
        let change = self
            .process
            .aws
            .queues()
            .change_message_visibility()
            .queue_url(self.queue.url())
            .receipt_handle(&record.receipt_handle)
            .visibility_timeout(seconds);
        if let Err(error) = change.send().await {
            log::warn("message not delayed", &format!("{error:?}"));
        }
    }
}
