//! The two flights of a transaction: its beginning with the first statement, and what it leaves behind with `COMMIT`.

use std::sync::atomic::Ordering;

use futures_util::future::{join3, join4, try_join, try_join_all, try_join3};
use serde_json::{Value, json};
use tokio_postgres::{Client, Row, Statement, types::ToSql};

use super::transaction::{Enter, LeftBehind, Parameter, Parameters, Transaction};
use crate::{
    error::{Error, IDEMPOTENCY_KEY_REUSED, NOT_FOUND},
    events::Recorded,
    identity::Identity,
    postgres,
};

const ENTER: &str = "select app.enter($1, $2, $3, $4, $5)";
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

const RECORD: &str = "
    select tx, ids, sent, app.tell_notified() as told, app.add_asked_jobs() as asked, app.people_of_channels($1) as people
      from app.record($1, $2, $3, $4)";

fn as_sql(parameter: &Parameter) -> &(dyn ToSql + Sync) {
    &**parameter
}

/// Deferred statements sent without waiting for one another; `join_all` keeps their order up to this many.
const STATEMENTS_IN_FLIGHT: usize = 30;

/// Sends all statements without waiting for one another, then waits for all.
async fn run_all(client: &Client, statements: &[(Statement, &Vec<Parameter>)]) -> Result<(), tokio_postgres::Error> {
    let work = statements.iter().map(|(statement, parameters)| client.execute_raw(statement, parameters.iter().map(as_sql)));
    try_join_all(work).await.map(drop)
}

/// What the first flight needs besides its statement.
#[derive(Default)]
pub(super) struct Beginning {
    enter: Option<Statement>,
    claim: Option<Statement>,
    key: Option<(String, Vec<u8>)>,
}

impl Transaction {
    /// Sends what is left behind, the stored answer and `COMMIT` together.
    pub(super) async fn commit_flight(
        &mut self,
        left_behind: &LeftBehind,
        stored: Option<(u16, Value)>,
        is_act: bool,
    ) -> Result<Recorded, Error> {
        let LeftBehind { events, jobs, audit, accesses, deferred, .. } = left_behind;
        // What the system does may be said by triggers alone, which ask for jobs and notify; of a person there is an audit row.
        let may_be_told_by_triggers = is_act && matches!(self.enter, Enter::System(_));
        let says_nothing = events.is_empty() && jobs.is_empty() && audit.is_empty() && accesses.is_empty();
        let needs_record = may_be_told_by_triggers || !says_nothing;
        let idempotency = self.context.idempotency().zip(stored);
        let preparing_deferred = async {
            let mut statements = Vec::with_capacity(deferred.len());
            for (sql, parameters) in deferred {
                statements.push((self.prepare(sql).await?, parameters));
            }
            Ok(statements)
        };
        let (record, store, statements) = try_join3(
            self.prepare_if(needs_record, RECORD),
            self.prepare_if(idempotency.is_some(), STORE_ANSWER),
            preparing_deferred,
        )
        .await?;
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
            run_all(client, statements).await.map_err(|error| postgres::explain(&error))?;
        }
        let deferring = run_all(client, last);
        let (deferred, row, stored, committed) = join4(deferring, recording, storing, client.batch_execute("commit")).await;
        let (error, is_of_commit) = match (deferred, row, stored, committed) {
            (Ok(()), Ok(row), Ok(_), Ok(())) => return Ok(recorded(row.as_ref())),
            (Err(error), ..) | (_, Err(error), ..) | (_, _, Err(error), _) => (error, false),
            (Ok(()), Ok(_), Ok(_), Err(error)) => (error, true),
        };
        let mut failed = postgres::explain(&error);
        // Only the database's own word that a statement before it failed says that `COMMIT` did nothing. Where the connection was
        // lost, whether it was committed is not known: doing it again is the caller's decision.
        failed.0.transient = failed.0.transient.filter(|_| !is_of_commit && error.as_db_error().is_some());
        Err(failed)
    }

    /// What the first flight needs besides its statement, prepared while there is still time to wait.
    pub(super) async fn prepare_beginning(&self) -> Result<Beginning, Error> {
        if self.has_begun.load(Ordering::SeqCst) {
            return Ok(Beginning::default());
        }
        let key = self.context.idempotency().filter(|_| matches!(self.enter, Enter::Person(_)));
        let (enter, claim) = try_join(self.enter_statement(), self.prepare_if(key.is_some(), CLAIM_IDEMPOTENCY_KEY)).await?;
        Ok(Beginning { enter, claim, key })
    }

    /// The first statement begins the transaction. Its first poll sends all that goes with it.
    pub(super) async fn run<T>(
        &self,
        beginning: Beginning,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Error> {
        if !self.has_begun.swap(true, Ordering::SeqCst) {
            return self.begin_with(beginning, work).await;
        }
        let _flight = self.context.flight();
        match work.await {
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.explain(error).await),
        }
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
                    let standing = self.context.standing().as_str();
                    connection.client.query_one(statement, &[company_id, user_id, &role.as_str(), session_id, &standing]).await
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
        let outcome = (|| {
            begun?;
            if let Some(row) = entered? {
                self.context.set_feed_cursor(row.get(0));
            }
            Ok((claimed?, worked))
        })();
        match outcome {
            Ok((false, _)) => {
                let replay = self.replay(key).await?;
                self.context.replay_with(replay.clone());
                Err(replay)
            }
            Ok((true, Ok(answer))) => Ok(answer),
            Ok((true, Err(error))) | Err(error) => Err(self.explain(error).await),
        }
    }

    /// The answer stored under a key that was already used.
    async fn replay(&self, key: Option<(String, Vec<u8>)>) -> Result<Error, Error> {
        let (key, hash) = key.unwrap_or_default();
        // The statement that came with the claim may have failed on the earlier request's own rows.
        let connection = self.connection();
        connection.client.batch_execute("rollback").await.map_err(|error| postgres::explain(&error))?;
        let (enter, stored) = (self.enter_statement().await?, self.prepare(STORED_ANSWER).await?);
        let entering = async {
            let (Some(statement), Enter::Person(identity)) = (&enter, &self.enter) else { return Ok(()) };
            let Identity { company_id, user_id, role, session_id } = identity;
            let standing = self.context.standing().as_str();
            connection.client.query_one(statement, &[company_id, user_id, &role.as_str(), session_id, &standing]).await.map(drop)
        };
        let function = &self.context.origin().function;
        let parameters: Parameters = &[function, &key, &hash];
        // Sent together: a query that ran beside the claim must not come in between, before the tenant is entered.
        let (begun, entered, row) =
            join3(connection.client.batch_execute("begin"), entering, connection.client.query_opt(&stored, parameters)).await;
        let row = begun.and(entered).and(row).map_err(|error| postgres::explain(&error))?;
        let Some(row) = row else { return Ok(NOT_FOUND.into()) };
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

    async fn prepare_if(&self, is_needed: bool, sql: &'static str) -> Result<Option<Statement>, Error> {
        if is_needed { self.prepare(sql).await.map(Some) } else { Ok(None) }
    }

    async fn enter_statement(&self) -> Result<Option<Statement>, Error> {
        match self.enter {
            Enter::Person(_) => self.prepare(ENTER).await.map(Some),
            Enter::System(_) => self.prepare(ENTER_SYSTEM).await.map(Some),
            Enter::Nobody => Ok(None),
        }
    }
}

/// Where `app.record` has put the events, and which jobs are to be sent at once.
fn recorded(row: Option<&Row>) -> Recorded {
    let Some(row) = row else { return Recorded::default() };
    let [told, asked, people] = ["told", "asked", "people"].map(|name| row.get::<_, Option<Value>>(name).unwrap_or_default());
    Recorded { tx: row.get("tx"), ids: row.get("ids"), sent: row.get("sent"), told, pushes: Value::Null, asked, people }
}
