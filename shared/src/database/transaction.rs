//! One transaction of one tenant: statements, and what they leave behind (events, jobs, audit), committed together.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use futures_util::{
    FutureExt,
    future::{join4, try_join, try_join_all},
};
use postgres_from_row::FromRow;
use serde::Serialize;
use serde_json::{Value, json};
use tokio_postgres::{Client, Row, Statement, types::ToSql};
use uuid::Uuid;

use super::{connection::Connection, connection::Held, failure};
use crate::{
    access::Identity,
    context::Context,
    error::{Error, IDEMPOTENCY_KEY_REUSED, NOT_FOUND},
    events::Event,
    http::Answer,
    jobs::Job,
    realtime,
};

type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

const ENTER: &str = "select app.enter($1, $2, $3, $4)";
const ENTER_SYSTEM: &str = "select app.enter_system($1)";

const CLAIM_IDEMPOTENCY_KEY: &str = "
    insert into idempotency_keys (route, key, request_hash)
    values ($1, $2, $3)
    on conflict do nothing
    returning true";

const STORED_ANSWER: &str = "
    select status, body, request_hash = $3 as same_request
      from idempotency_keys
     where user_id = app.user_id() and route = $1 and key = $2";

const STORE_ANSWER: &str = "
    update idempotency_keys
       set status = $3, body = $4
     where user_id = app.user_id() and route = $1 and key = $2";

const RECORD: &str = "select tx, ids from app.record($1, $2, $3, $4)";

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

fn as_sql(parameter: &Parameter) -> &(dyn ToSql + Sync) {
    &**parameter
}

/// Deferred statements sent without waiting for one another; `join_all` keeps their order up to this many.
const STATEMENTS_IN_FLIGHT: usize = 30;

#[derive(Default)]
struct LeftBehind {
    events: Vec<Event>,
    jobs: Vec<Job>,
    audit: Vec<Value>,
    accesses: Vec<Value>,
    deferred: Vec<(&'static str, Vec<Parameter>)>,
}

/// Sends all statements without waiting for one another, then waits for all.
async fn run_all(client: &Client, statements: &[(Statement, &Vec<Parameter>)]) -> Result<(), tokio_postgres::Error> {
    let work = statements.iter().map(|(statement, parameters)| client.execute_raw(statement, parameters.iter().map(as_sql)));
    try_join_all(work).await.map(drop)
}

#[derive(Default)]
struct Beginning {
    enter: Option<Statement>,
    claim: Option<Statement>,
    key: Option<(String, Vec<u8>)>,
}

/// A position in what a transaction has left behind.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    events: usize,
    jobs: usize,
    deferred: usize,
}

/// An open transaction. `BEGIN` and entering the tenant travel with its first statement; what it leaves behind travels with `COMMIT`.
/// Dropped without `commit`, it is rolled back.
pub struct Transaction {
    context: Context,
    held: Held,
    enter: Enter,
    has_begun: AtomicBool,
    has_savepoint: AtomicBool,
    is_over: bool,
    left_behind: Mutex<LeftBehind>,
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

    async fn open(&self, enter: Enter) -> Result<Transaction, Error> {
        let held = self.database().hold_clean(self).await?;
        let left_behind = Mutex::default();
        Ok(Transaction {
            context: self.clone(),
            held,
            enter,
            has_begun: AtomicBool::new(false),
            has_savepoint: AtomicBool::new(false),
            is_over: false,
            left_behind,
        })
    }
}

impl Transaction {
    /// All rows.
    ///
    /// # Errors
    /// As `failure::explain` maps them.
    pub async fn query(&self, sql: &'static str, parameters: Parameters<'_>) -> Result<Vec<Row>, Error> {
        let (statement, beginning) = try_join(self.prepare(sql), self.prepare_beginning()).await?;
        let work = self.connection().client.query(&statement, parameters);
        // Nothing is awaited from here until everything of the first flight is sent: a query beside this one comes after it.
        if self.has_begun.swap(true, Ordering::SeqCst) {
            let _flight = self.context.flight();
            return work.await.map_err(|error| failure::explain(&error));
        }
        self.begin_with(beginning, work).await
    }

    /// All rows as `T`.
    ///
    /// # Errors
    /// As `query`.
    pub async fn all<T: FromRow>(&self, sql: &'static str, parameters: Parameters<'_>) -> Result<Vec<T>, Error> {
        let rows = self.query(sql, parameters).await?;
        rows.iter().map(|row| T::try_from_row(row).map_err(|error| failure::explain(&error))).collect()
    }

    /// The first row as `T`, if there is one.
    ///
    /// # Errors
    /// As `query`.
    pub async fn first<T: FromRow>(&self, sql: &'static str, parameters: Parameters<'_>) -> Result<Option<T>, Error> {
        let rows = self.query(sql, parameters).await?;
        rows.first().map(|row| T::try_from_row(row).map_err(|error| failure::explain(&error))).transpose()
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
    pub async fn execute(&self, sql: &'static str, parameters: Parameters<'_>) -> Result<u64, Error> {
        let (statement, beginning) = try_join(self.prepare(sql), self.prepare_beginning()).await?;
        let work = self.connection().client.execute(&statement, parameters);
        if self.has_begun.swap(true, Ordering::SeqCst) {
            let _flight = self.context.flight();
            return work.await.map_err(|error| failure::explain(&error));
        }
        self.begin_with(beginning, work).await
    }

    /// Enters a tenant that was not known when the transaction began, by a function of schema `app` that proves it and answers
    /// `feed_cursor` with what else the caller needs. `None` when it proves nothing.
    pub async fn enter_with(&self, sql: &'static str, parameters: Parameters<'_>) -> Result<Option<Row>, Error> {
        let row = self.query(sql, parameters).await?.into_iter().next();
        if let Some(row) = &row {
            self.context.set_feed_cursor(row.get("feed_cursor"));
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
        let mut current = self.left_behind();
        current.events.truncate(left_behind.events);
        current.jobs.truncate(left_behind.jobs);
        current.deferred.truncate(left_behind.deferred);
    }

    /// How much has been left behind so far, for `rollback_to_savepoint`.
    pub fn mark(&self) -> Mark {
        let current = self.left_behind();
        Mark { events: current.events.len(), jobs: current.jobs.len(), deferred: current.deferred.len() }
    }

    /// Sends a statement without waiting for its answer: should it fail, the next one does.
    fn send(&self, sql: &'static str) {
        let _ = self.connection().client.batch_execute(sql).now_or_never();
    }

    /// Adds an event, pushed to sockets and readable in the feed once committed.
    pub fn emit(&self, event: Event) {
        self.left_behind().events.push(event);
    }

    /// Adds a job, sent to its queue once committed.
    pub fn enqueue(&self, job: Job) {
        self.left_behind().jobs.push(job);
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

    async fn finish(mut self, stored: Option<(u16, Value)>, is_act: bool) -> Result<(), Error> {
        self.context.check_limit().await?;
        if !self.has_begun.load(Ordering::SeqCst) {
            self.query("select 1", &[]).await?;
        }
        let left_behind = std::mem::take(&mut *self.left_behind());
        let LeftBehind { events, jobs, mut audit, accesses, deferred } = left_behind;
        if is_act && audit.is_empty() && matches!(self.enter, Enter::Person(_)) && accesses.is_empty() {
            self.audit(self.context.origin().target.clone().unwrap_or_default(), &Value::Null, &Value::Null);
            audit = std::mem::take(&mut self.left_behind().audit);
        }
        let recorded = self.commit_flight(&events, &jobs, &audit, &accesses, &deferred, stored).await?;
        self.is_over = true;
        let context = self.context.clone();
        drop(self);
        realtime::publish_and_dispatch(&context, events, recorded, jobs).await;
        Ok(())
    }

    /// Sends what is left behind, the stored answer and `COMMIT` together.
    async fn commit_flight(
        &mut self,
        events: &[Event],
        jobs: &[Job],
        audit: &[Value],
        accesses: &[Value],
        deferred: &[(&'static str, Vec<Parameter>)],
        stored: Option<(u16, Value)>,
    ) -> Result<Recorded, Error> {
        let needs_record = !(events.is_empty() && jobs.is_empty() && audit.is_empty() && accesses.is_empty());
        let record = if needs_record { Some(self.prepare(RECORD).await?) } else { None };
        let idempotency = self.context.idempotency().zip(stored);
        let store = if idempotency.is_some() { Some(self.prepare(STORE_ANSWER).await?) } else { None };
        let mut statements = Vec::with_capacity(deferred.len());
        for (sql, parameters) in deferred {
            statements.push((self.prepare(sql).await?, parameters));
        }
        let _flight = self.context.flight();
        let client = &self.connection().client;
        let events: Vec<Value> = events.iter().enumerate().map(|(position, event)| event.to_row(position)).collect();
        let (events, jobs, audit, accesses) = (json!(events), json!(jobs), json!(audit), json!(accesses));
        let recording = async {
            match &record {
                Some(statement) => client.query_one(statement, &[&events, &jobs, &audit, &accesses]).await.map(Some),
                None => Ok(None),
            }
        };
        let storing = async {
            let (Some(statement), Some(((key, _), (status, body)))) = (&store, &idempotency) else { return Ok(0) };
            let route = &self.context.origin().function;
            client.execute(statement, &[route, key, &i32::from(*status), body]).await
        };
        let (early, last) = statements.split_at(statements.len() - statements.len().min(STATEMENTS_IN_FLIGHT));
        for statements in early.chunks(STATEMENTS_IN_FLIGHT) {
            let _flight = self.context.flight();
            run_all(client, statements).await.map_err(|error| failure::explain(&error))?;
        }
        let deferring = run_all(client, last);
        let (deferred, recorded, stored, committed) = join4(deferring, recording, storing, client.batch_execute("commit")).await;
        let (error, is_of_commit) = match (deferred, recorded, stored, committed) {
            (Ok(()), Ok(recorded), Ok(_), Ok(())) => return Ok(Recorded::read(recorded.as_ref())),
            (Err(error), ..) | (_, Err(error), ..) | (_, _, Err(error), _) => (error, false),
            (Ok(()), Ok(_), Ok(_), Err(error)) => (error, true),
        };
        let mut failed = failure::explain(&error);
        // Only the database's own word that a statement before it failed says that `COMMIT` did nothing. Where the connection was
        // lost, whether it was committed is not known: doing it again is the caller's decision.
        failed.0.transient &= !is_of_commit && error.as_db_error().is_some();
        Err(failed)
    }

    /// What the first flight needs besides its statement, prepared while there is still time to wait.
    async fn prepare_beginning(&self) -> Result<Beginning, Error> {
        if self.has_begun.load(Ordering::SeqCst) {
            return Ok(Beginning::default());
        }
        let enter = self.enter_statement().await?;
        let key = self.context.idempotency().filter(|_| matches!(self.enter, Enter::Person(_)));
        let claim = if key.is_some() { Some(self.prepare(CLAIM_IDEMPOTENCY_KEY).await?) } else { None };
        Ok(Beginning { enter, claim, key })
    }

    /// The first flight: `BEGIN`, entering the tenant, claiming the idempotency key and the first statement, in one round trip.
    async fn begin_with<T>(
        &self,
        beginning: Beginning,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Error> {
        let Beginning { enter, claim, key } = beginning;
        let connection = self.connection();
        let _flight = self.context.flight();
        let beginning = connection.client.batch_execute("begin");
        let entering = async {
            let Some(statement) = &enter else { return Ok(None) };
            let row = match &self.enter {
                Enter::Person(identity) => {
                    let Identity { company_id, user_id, role, session_id } = identity;
                    connection.client.query_one(statement, &[company_id, user_id, &role.as_str(), session_id]).await
                }
                Enter::System(company_id) => connection.client.query_one(statement, &[company_id]).await,
                Enter::Nobody => return Ok(None),
            };
            row.map(Some)
        };
        let claiming = async {
            match (&claim, &key) {
                (Some(statement), Some((key, hash))) => {
                    let route = &self.context.origin().function;
                    connection.client.query_opt(statement, &[route, key, hash]).await.map(|row| row.is_some())
                }
                _ => Ok(true),
            }
        };
        let (begun, entered, claimed, worked) = join4(beginning, entering, claiming, work).await;
        let explain = |error: tokio_postgres::Error| failure::explain(&error);
        begun.map_err(explain)?;
        if let Some(row) = entered.map_err(explain)? {
            self.context.set_feed_cursor(row.get(0));
        }
        if !claimed.map_err(explain)? {
            return Err(self.replay(key).await?);
        }
        worked.map_err(explain)
    }

    /// The answer stored under a key that was already used.
    async fn replay(&self, key: Option<(String, Vec<u8>)>) -> Result<Error, Error> {
        let (key, hash) = key.unwrap_or_default();
        // The statement that came with the claim may have failed on the earlier request's own rows.
        let connection = self.connection();
        connection.client.batch_execute("rollback; begin").await.map_err(|error| failure::explain(&error))?;
        if let (Some(statement), Enter::Person(identity)) = (self.enter_statement().await?, &self.enter) {
            let Identity { company_id, user_id, role, session_id } = identity;
            let parameters: Parameters = &[company_id, user_id, &role.as_str(), session_id];
            connection.client.query_one(&statement, parameters).await.map_err(|error| failure::explain(&error))?;
        }
        let stored = self.prepare(STORED_ANSWER).await?;
        let row = connection.client.query_opt(&stored, &[&self.context.origin().function, &key, &hash]).await;
        let Some(row) = row.map_err(|error| failure::explain(&error))? else { return Ok(NOT_FOUND.into()) };
        if !row.get::<_, bool>("same_request") {
            return Ok(IDEMPOTENCY_KEY_REUSED.into());
        }
        let status: Option<i32> = row.get("status");
        let body: Option<Value> = row.get("body");
        let mut replay = Error::from(IDEMPOTENCY_KEY_REUSED);
        let status = status.and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
        replay.0.replay = Some((status, body.unwrap_or_default()));
        Ok(replay)
    }

    async fn enter_statement(&self) -> Result<Option<Statement>, Error> {
        match self.enter {
            Enter::Person(_) => self.prepare(ENTER).await.map(Some),
            Enter::System(_) => self.prepare(ENTER_SYSTEM).await.map(Some),
            Enter::Nobody => Ok(None),
        }
    }

    async fn prepare(&self, sql: &'static str) -> Result<Statement, Error> {
        self.connection().statement(&self.context, sql).await.map_err(|error| failure::explain(&error))
    }

    fn connection(&self) -> &Connection {
        self.held.as_ref().expect("a transaction holds a connection")
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

/// The positions of the events just recorded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) tx: String,
    pub(crate) ids: Vec<i64>,
}

impl Recorded {
    fn read(row: Option<&Row>) -> Self {
        row.map(|row| Self { tx: row.get("tx"), ids: row.get("ids") }).unwrap_or_default()
    }
}

/// An answer that can be stored under an `Idempotency-Key`.
pub trait IntoStored {
    /// Status and JSON body; `None` for answers without one.
    fn to_stored(&self) -> Option<(u16, Value)>;
}

impl<T: Serialize> IntoStored for crate::http::Json<T> {
    fn to_stored(&self) -> Option<(u16, Value)> {
        serde_json::to_value(&self.0).ok().map(|body| (200, body))
    }
}

impl<T: Serialize> IntoStored for crate::http::Created<T> {
    fn to_stored(&self) -> Option<(u16, Value)> {
        serde_json::to_value(&self.0).ok().map(|body| (201, body))
    }
}

impl<T: Serialize> IntoStored for crate::http::Accepted<T> {
    fn to_stored(&self) -> Option<(u16, Value)> {
        serde_json::to_value(&self.0).ok().map(|body| (202, body))
    }
}

impl IntoStored for crate::http::NoContent {
    fn to_stored(&self) -> Option<(u16, Value)> {
        Some((204, Value::Null))
    }
}

impl IntoStored for crate::http::Redirect {
    fn to_stored(&self) -> Option<(u16, Value)> {
        None
    }
}
