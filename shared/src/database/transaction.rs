//! One transaction of one tenant: statements, and what they leave behind (events, jobs, audit), committed together.

use std::sync::{
    Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, try_join},
};
use postgres_from_row::FromRow;
use serde::Serialize;
use serde_json::{Value, json};
use tokio_postgres::{Row, Statement, error::SqlState, types::ToSql};
use uuid::Uuid;

use super::order::Order;
use crate::{
    audience::Audience,
    context::Context,
    error::{Error, NOT_FOUND, UNAVAILABLE},
    events::{self, Event, EventPayload, Topic},
    http::{Answer, IntoStored},
    identity::Identity,
    jobs::Job,
    postgres::{self, Connection, Held},
    realtime,
};

pub(super) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Whose rows a transaction sees.
#[derive(Clone, Debug)]
pub enum Enter {
    /// A signed-in person, as far as their role and the company's rules let them see.
    Person(Identity),
    /// The system itself, for one company.
    System(Uuid),
    /// No tenant: only the look-ups of schema `app`.
    Nobody,
}

impl From<&Identity> for Enter {
    fn from(identity: &Identity) -> Self {
        Self::Person(identity.clone())
    }
}

/// A parameter of a deferred statement.
pub type Parameter = Box<dyn ToSql + Sync + Send>;

#[derive(Default)]
pub(super) struct LeftBehind {
    pub(super) events: Vec<Event>,
    pub(super) jobs: Vec<Job>,
    pub(super) audit: Vec<Value>,
    pub(super) accesses: Vec<Value>,
    pub(super) deferred: Vec<(&'static str, Vec<Parameter>)>,
    /// Whose sight has changed.
    pub(super) readers: Vec<Uuid>,
}

/// A position in what a transaction has left behind.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    events: usize,
    jobs: usize,
    deferred: usize,
    readers: usize,
}

/// An open transaction. `BEGIN` and entering the tenant travel with its first statement; what it leaves behind travels with `COMMIT`.
/// Dropped without `commit`, it is rolled back.
pub struct Transaction {
    pub(super) context: Context,
    held: Held,
    pub(super) enter: Enter,
    /// Whose events these are.
    company_id: OnceLock<Uuid>,
    order: Order,
    pub(super) has_begun: AtomicBool,
    has_savepoint: AtomicBool,
    is_over: bool,
    left_behind: Mutex<LeftBehind>,
    /// The first statement that failed, since the last savepoint.
    first_failure: Mutex<Option<Error>>,
}

impl Context {
    /// Opens a transaction as the person who made the request.
    ///
    /// # Errors
    /// 503 when the database cannot be reached. A revoked session answers 401 from the first statement.
    pub async fn begin(&self, identity: &Identity) -> Result<Transaction, Error> {
        self.open(identity.into()).await
    }

    /// Opens a transaction as the system, for one company.
    ///
    /// # Errors
    /// 503 when the database cannot be reached.
    pub async fn begin_system(&self, company_id: Uuid) -> Result<Transaction, Error> {
        self.open(Enter::System(company_id)).await
    }

    /// Opens a transaction before any tenant is known.
    ///
    /// # Errors
    /// 503 when the database cannot be reached.
    pub async fn begin_nobody(&self) -> Result<Transaction, Error> {
        self.open(Enter::Nobody).await
    }

    fn open(&self, enter: Enter) -> BoxFuture<'_, Result<Transaction, Error>> {
        Box::pin(async move {
            let held = self.database().await?.hold_clean(self.trips()).await?;
            let left_behind = Mutex::default();
            let company_id = match &enter {
                Enter::Person(identity) => identity.company_id.into(),
                Enter::System(company_id) => (*company_id).into(),
                Enter::Nobody => OnceLock::new(),
            };
            Ok(Transaction {
                context: self.clone(),
                held,
                enter,
                company_id,
                order: Order::default(),
                has_begun: AtomicBool::new(false),
                has_savepoint: AtomicBool::new(false),
                is_over: false,
                left_behind,
                first_failure: Mutex::default(),
            })
        })
    }
}

impl Transaction {
    /// All rows.
    ///
    /// # Errors
    /// As `postgres::explain` maps them.
    pub fn query<'a>(&'a self, sql: &'static str, parameters: Parameters<'a>) -> BoxFuture<'a, Result<Vec<Row>, Error>> {
        Box::pin(async move {
            let place = self.order.take_place();
            let (statement, beginning) = try_join(self.prepare(sql), self.prepare_beginning()).await?;
            place.send(Box::pin(self.run(beginning, self.connection().client.query(&statement, parameters)))).await
        })
    }

    /// All rows as `T`.
    ///
    /// # Errors
    /// As `query`.
    pub async fn all<T: FromRow>(&self, sql: &'static str, parameters: Parameters<'_>) -> Result<Vec<T>, Error> {
        let rows = self.query(sql, parameters).await?;
        rows.iter().map(|row| T::try_from_row(row).map_err(|error| postgres::explain(&error))).collect()
    }

    /// The first row as `T`, if there is one.
    ///
    /// # Errors
    /// As `query`.
    pub async fn first<T: FromRow>(&self, sql: &'static str, parameters: Parameters<'_>) -> Result<Option<T>, Error> {
        let rows = self.query(sql, parameters).await?;
        rows.first().map(|row| T::try_from_row(row).map_err(|error| postgres::explain(&error))).transpose()
    }

    /// The row that must be there.
    ///
    /// # Errors
    /// 404 without a row: unknown, another tenant's, or out of the caller's sight.
    pub async fn one<T: FromRow>(&self, sql: &'static str, parameters: Parameters<'_>) -> Result<T, Error> {
        self.first(sql, parameters).await?.ok_or_else(|| NOT_FOUND.into())
    }

    /// How many rows a statement changed.
    ///
    /// # Errors
    /// As `query`.
    pub fn execute<'a>(&'a self, sql: &'static str, parameters: Parameters<'a>) -> BoxFuture<'a, Result<u64, Error>> {
        Box::pin(async move {
            let place = self.order.take_place();
            let (statement, beginning) = try_join(self.prepare(sql), self.prepare_beginning()).await?;
            place.send(Box::pin(self.run(beginning, self.connection().client.execute(&statement, parameters)))).await
        })
    }

    /// Runs a statement by itself, committed whatever becomes of this transaction. It is sent before the transaction's first flight, and
    /// travels with it where that begins at the same time (`join`, this first).
    ///
    /// # Errors
    /// As `query`; 503 when the transaction has begun already, a passing reason.
    pub fn commit_ahead<'a>(&'a self, sql: &'static str, parameters: &'a [Parameter]) -> BoxFuture<'a, Result<Vec<Row>, Error>> {
        Box::pin(async move {
            let place = self.order.take_place();
            let connection = self.connection();
            let statement = connection.statement(self.context.trips(), sql).await.map_err(|error| postgres::explain(&error))?;
            if self.has_begun.load(Ordering::SeqCst) {
                return Err(UNAVAILABLE.caused_by("what is to be committed ahead comes too late").passing("order"));
            }
            let _flight = self.context.flight();
            let parameters: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|parameter| &**parameter as _).collect();
            let work = connection.client.query(&statement, &parameters);
            place.send(work).await.map_err(|error| postgres::explain(&error))
        })
    }

    /// Enters a tenant that was not known when the transaction began, by a function of schema `app` that proves it and answers
    /// `company_id` and `feed_cursor` with what else the caller needs. `None` when it proves nothing.
    pub async fn enter_with(&self, sql: &'static str, parameters: Parameters<'_>) -> Result<Option<Row>, Error> {
        let row = self.query(sql, parameters).await?.into_iter().next();
        if let Some(row) = &row {
            self.context.set_feed_cursor(row.get("feed_cursor"));
            self.company_id.get_or_init(|| row.get("company_id"));
        }
        Ok(row)
    }

    /// Marks the point that `rollback_to_savepoint` returns to. Travels with the next statement.
    pub fn savepoint(&self) {
        // An earlier one is released first: hundreds of them in one transaction would be slow.
        let is_open = self.has_savepoint.swap(true, Ordering::SeqCst);
        self.send(if is_open { "release savepoint item; savepoint item" } else { "savepoint item" });
    }

    /// Undoes everything since the last `savepoint`, what was left behind included.
    pub fn rollback_to_savepoint(&self, left_behind: Mark) {
        self.send("rollback to savepoint item");
        *self.first_failure() = None;
        let mut current = self.left_behind();
        current.events.truncate(left_behind.events);
        current.jobs.truncate(left_behind.jobs);
        current.deferred.truncate(left_behind.deferred);
        current.readers.truncate(left_behind.readers);
    }

    /// How much has been left behind so far, for `rollback_to_savepoint`.
    pub fn mark(&self) -> Mark {
        let current = self.left_behind();
        Mark {
            events: current.events.len(),
            jobs: current.jobs.len(),
            deferred: current.deferred.len(),
            readers: current.readers.len(),
        }
    }

    /// Sends a statement without waiting for its answer: should it fail, the next one does.
    fn send(&self, sql: &'static str) {
        let _ = self.connection().client.batch_execute(sql).now_or_never();
    }

    /// Adds an event, pushed to sockets and readable in the feed once committed.
    pub fn emit(&self, event: Event) {
        self.left_behind().events.push(event);
    }

    /// Adds an event of the company that all of its staff are told.
    ///
    /// # Panics
    /// Before a company was entered, which is a mistake of the caller.
    pub fn tell_staff<P: EventPayload>(&self, payload: &P) {
        let company_id = *self.company_id.get().expect("events are of a company");
        self.emit(Event::new(Topic::Company(company_id), Audience::staff(), payload));
    }

    /// Adds an event that one person alone is told, on all their devices.
    pub fn tell_person<P: EventPayload>(&self, user_id: Uuid, payload: &P) {
        self.emit(Event::new(Topic::User(user_id), Audience::user(user_id), payload));
    }

    /// Adds a job, sent to its queue once committed.
    pub fn enqueue(&self, job: Job) {
        self.left_behind().jobs.push(job);
    }

    /// What this person may see has changed: their open sockets follow once it is committed, before its events are pushed.
    pub fn look_anew(&self, user_id: Uuid) {
        self.left_behind().readers.push(user_id);
    }

    /// What the audit trail says of this write. Without it, a person's write is still recorded by its function and target.
    pub fn audit(&self, target: impl ToString, before: &impl Serialize, after: &impl Serialize) {
        let origin = self.context.origin();
        let row = json!({
            "action": origin.function,
            "target": target.to_string(),
            "before": serde_json::to_value(before).unwrap_or_default(),
            "after": serde_json::to_value(after).unwrap_or_default(),
            "ip": origin.ip,
            "user_agent": origin.user_agent,
            "request_id": origin.request_id,
        });
        self.left_behind().audit.push(row);
    }

    /// Notes that personal data was read.
    pub fn note_access(&self, target: impl ToString) {
        let origin = self.context.origin();
        let row = json!({
            "action": origin.function,
            "target": target.to_string(),
            "ip": origin.ip,
            "request_id": origin.request_id,
        });
        self.left_behind().accesses.push(row);
    }

    /// Commits with everything left behind, pushes the events and sends the jobs, and gives `answer` back.
    /// With an `Idempotency-Key`, the answer is stored in the same transaction.
    ///
    /// # Errors
    /// 429 when the caller is over the limit; otherwise as `query`. Nothing is committed then, unless the connection was lost while
    /// `COMMIT` was on its way.
    pub async fn commit<A: Answer + IntoStored>(self, answer: A) -> Result<A, Error> {
        let stored = answer.to_stored();
        self.finish(stored, true).await?;
        Ok(answer)
    }

    /// Commits work that answers nobody: jobs, webhooks.
    ///
    /// # Errors
    /// As `commit`.
    pub async fn commit_quietly(self) -> Result<(), Error> {
        self.finish(None, true).await
    }

    /// A statement that travels with `COMMIT`, for rows whose outcome nobody waits for. Should it fail, so does the commit.
    pub fn defer(&self, sql: &'static str, parameters: Vec<Parameter>) {
        self.left_behind().deferred.push((sql, parameters));
    }

    /// Commits what is no act of the person: bookkeeping of a connection, or nothing but reads that end before an outside call.
    /// Leaves no audit row of its own accord.
    ///
    /// # Errors
    /// As `commit`.
    pub async fn commit_unaudited(self) -> Result<(), Error> {
        self.finish(None, false).await
    }

    fn finish(mut self, stored: Option<(u16, Value)>, is_act: bool) -> BoxFuture<'static, Result<(), Error>> {
        Box::pin(async move {
            self.context.check_limit().await?;
            if !self.has_begun.load(Ordering::SeqCst) {
                self.query("select 1", &[]).await?;
            }
            let says_nothing = self.left_behind().audit.is_empty() && self.left_behind().accesses.is_empty();
            if is_act && says_nothing && matches!(self.enter, Enter::Person(_)) {
                self.audit(self.context.origin().target.clone().unwrap_or_default(), &Value::Null, &Value::Null);
            }
            let mut left_behind = std::mem::take(&mut *self.left_behind());
            events::order(&mut left_behind.events);
            let mut recorded = self.commit_flight(&left_behind, stored, is_act).await?;
            left_behind.events.append(&mut recorded.take_told());
            self.is_over = true;
            let (context, company_id) = (self.context.clone(), self.company_id.get().copied());
            drop(self);
            let LeftBehind { events, jobs, readers, .. } = left_behind;
            realtime::publish_and_dispatch(&context, company_id, &readers, events, recorded, jobs).await;
            Ok(())
        })
    }

    pub(super) async fn prepare(&self, sql: &'static str) -> Result<Statement, Error> {
        match self.connection().statement(self.context.trips(), sql).await {
            Ok(statement) => Ok(statement),
            Err(error) => Err(self.explain(error).await),
        }
    }

    /// What an error means to the caller. Of a statement that fails only because one before it has failed, what that one means.
    pub(super) async fn explain(&self, error: tokio_postgres::Error) -> Error {
        if error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION) {
            // Both answers may have come at once, and whoever waits for the other is yet to see it.
            tokio::task::yield_now().await;
            return self.first_failure().clone().unwrap_or_else(|| postgres::explain(&error));
        }
        if postgres::is_plan_outdated(&error) {
            self.connection().is_outdated.store(true, Ordering::SeqCst);
        }
        self.first_failure().get_or_insert_with(|| postgres::explain(&error)).clone()
    }

    fn first_failure(&self) -> MutexGuard<'_, Option<Error>> {
        self.first_failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn connection(&self) -> &Connection {
        self.held.as_ref().expect("a transaction holds a connection")
    }

    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    fn left_behind(&self) -> MutexGuard<'_, LeftBehind> {
        self.left_behind.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(connection) = self.held.as_mut()
            && self.has_begun.load(Ordering::SeqCst)
        {
            connection.is_dirty = !self.is_over;
        }
    }
}
