//! The process's one connection, made when first needed and again when lost.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex as SyncMutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio_postgres::{Client, Config, NoTls, Statement, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Trips, failure};
use crate::error::Error;

pub use tokio_postgres::Row;

/// Tries to connect, with this long between them: a suspended database takes a moment to wake.
const PAUSES: [Duration; 3] = [Duration::from_millis(200), Duration::from_millis(600), Duration::from_millis(1500)];

/// A server that does not even refuse is not asked again after this long: the caller is to be answered before the function's time-out.
const PATIENCE: Duration = Duration::from_secs(4);

/// As `app.enter`, for a session of nobody.
const KNOWN_TO_EVERY_REQUEST: &str = "
    select from app.session_access('00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000', '',
                                   '00000000-0000-0000-0000-000000000000');
    select app.enter_system('00000000-0000-0000-0000-000000000000')";

/// Where the connection lives. One transaction at a time holds it.
pub(crate) struct Database {
    config: Result<Config, String>,
    slot: Arc<Mutex<Option<Connection>>>,
}

/// A live connection with its prepared statements.
pub(crate) struct Connection {
    pub(crate) client: Client,
    statements: SyncMutex<HashMap<&'static str, Statement>>,
    /// A transaction was left open; it is rolled back before the next begins and before the answer leaves.
    pub(crate) is_dirty: bool,
    /// A table was changed under its prepared statements: the next transaction needs a new connection.
    pub(crate) is_outdated: AtomicBool,
}

pub(crate) type Held = OwnedMutexGuard<Option<Connection>>;

impl Database {
    pub(crate) fn new(url: &str) -> Self {
        let config = url.parse::<Config>().map_err(|_| "the database URL is not valid".to_owned()).map(|mut config| {
            config.connect_timeout(Duration::from_secs(5)).application_name("balcao");
            config
        });
        Self { config, slot: Arc::default() }
    }

    /// Waits for the connection to be free and makes it if there is none.
    pub(crate) async fn hold(&self, trips: &Trips) -> Result<Held, Error> {
        let mut held = Arc::clone(&self.slot).lock_owned().await;
        // Lets the connection's own task notice first that the server went away while this process was frozen.
        tokio::task::yield_now().await;
        if held.as_ref().is_some_and(|connection| connection.client.is_closed() || connection.is_outdated.load(Ordering::SeqCst))
        {
            *held = None;
        }
        if held.is_none() {
            let _flight = trips.flight();
            *held = Some(self.connect(trips).await?);
        }
        Ok(held)
    }

    /// Connects before anybody needs it, and lets the server get to know the tables of every request meanwhile: of a new connection
    /// it knows none, and takes longer for the first `app.enter` than for all else of a read.
    pub(crate) async fn connect_early(&self, trips: &Trips) -> Result<(), Error> {
        let held = self.hold(trips).await?;
        if let Some(connection) = held.as_ref() {
            // Nobody waits for the answer: what comes next is sent behind it.
            let _ = connection.client.batch_execute(KNOWN_TO_EVERY_REQUEST).now_or_never();
        }
        Ok(())
    }

    /// `hold`, with what an earlier transaction left open rolled back.
    pub(crate) async fn hold_clean(&self, trips: &Trips) -> Result<Held, Error> {
        let mut held = self.hold(trips).await?;
        if let Some(connection) = held.as_mut().filter(|connection| connection.is_dirty) {
            let _flight = trips.flight();
            connection.client.batch_execute("rollback").await.map_err(|error| failure::explain(&error))?;
            connection.is_dirty = false;
        }
        Ok(held)
    }

    /// Rolls back what a finished piece of work left open, so that nothing stays open while the process is frozen.
    pub(crate) async fn settle(&self, trips: &Trips) {
        let mut held = self.slot.lock().await;
        if let Some(connection) = held.as_mut().filter(|connection| connection.is_dirty) {
            let _flight = trips.flight();
            match connection.client.batch_execute("rollback").await {
                Ok(()) => connection.is_dirty = false,
                Err(_) => *held = None,
            }
        }
    }

    async fn connect(&self, trips: &Trips) -> Result<Connection, Error> {
        let config = self.config.as_ref().map_err(|cause| crate::error::INTERNAL.caused_by(cause))?;
        let mut pauses = PAUSES.iter();
        let give_up_at = trips.elapsed() + PATIENCE;
        loop {
            let error = match open(config).await {
                Ok(client) => {
                    return Ok(Connection {
                        client,
                        statements: SyncMutex::default(),
                        is_dirty: false,
                        is_outdated: AtomicBool::new(false),
                    });
                }
                Err(error) => error,
            };
            match pauses.next() {
                Some(pause) if failure::is_worth_reconnecting(&error) && trips.elapsed() < give_up_at => {
                    tokio::time::sleep(*pause).await;
                }
                _ => return Err(failure::explain(&error)),
            }
        }
    }
}

async fn open(config: &Config) -> Result<Client, tokio_postgres::Error> {
    if config.get_ssl_mode() == SslMode::Disable {
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        return Ok(client);
    }
    crate::aws::install_tls();
    let (client, connection) = config.connect(MakeRustlsConnect::with_webpki_roots()).await?;
    tokio::spawn(connection);
    Ok(client)
}

impl Connection {
    /// The prepared form of `sql`: one round trip the first time in this process.
    pub(crate) async fn statement(&self, trips: &Trips, sql: &'static str) -> Result<Statement, tokio_postgres::Error> {
        let known = self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let _flight = trips.flight();
        let statement = self.client.prepare(sql).await?;
        self.statements.lock().unwrap_or_else(PoisonError::into_inner).insert(sql, statement.clone());
        Ok(statement)
    }
}

/// Joins constant pieces of SQL to one statement, kept for the life of the process: for lists whose filters come and go.
/// The pieces are constants, so nothing a caller sends can become SQL, and there are only as many statements as combinations.
pub fn intern(pieces: &[&'static str]) -> &'static str {
    static KNOWN: SyncMutex<Option<HashMap<String, &'static str>>> = SyncMutex::new(None);
    let sql = pieces.concat();
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    if let Some(interned) = known.get(&sql) {
        return interned;
    }
    let interned: &'static str = Box::leak(sql.clone().into_boxed_str());
    known.insert(sql, interned);
    interned
}
