//! What a function may use of the world: time, ids, secrets, Postgres, AWS, other services. Everything that is not deterministic comes from here.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use reqwest::redirect::Policy;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{
    aws::Aws,
    error::{Error, Language, RATE_LIMITED, WRONG_COMPANY},
    identity::{Identity, Standing},
    outside::{self, Refusal},
    postgres::{Database, Flight, Trips},
    rate::{Limit, Verdict},
    settings::Secrets,
};

/// What lives as long as the process.
pub(crate) struct Process {
    pub(crate) aws: Aws,
    configured: OnceCell<Configured>,
    http: OnceLock<reqwest::Client>,
    downloads: OnceLock<reqwest::Client>,
    outside: OnceLock<reqwest::Client>,
}

/// What the settings parameter gives.
struct Configured {
    secrets: Secrets,
    database: Database,
}

impl Process {
    pub(crate) fn new(aws: Aws) -> Self {
        Self { aws, configured: OnceCell::new(), http: OnceLock::new(), downloads: OnceLock::new(), outside: OnceLock::new() }
    }
}

fn client(redirects: Policy) -> reqwest::Client {
    builder(redirects).build().expect("the HTTP client's options are valid")
}

fn builder(redirects: Policy) -> reqwest::ClientBuilder {
    crate::aws::install_tls();
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(15))
        .redirect(redirects)
        .user_agent("Balcao/1.0")
}

/// Who and what a piece of work is for; written to the log and to the audit trail.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub request_id: String,
    /// The function's name.
    pub function: String,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    /// First value in the route's path: what the request is about.
    pub target: Option<String>,
    pub language: Language,
    /// The route's own limit, instead of the default.
    pub limit: Option<Limit>,
}

#[derive(Default)]
struct State {
    identity: Option<Identity>,
    standing: Standing,
    idempotency_key: Option<String>,
    /// What the body asks for, as a hash: the same for the same request in other names.
    asked_for: Vec<u8>,
    /// Companies that the request names.
    companies: Vec<String>,
    feed_cursor: Option<String>,
    replay: Option<Error>,
    limit: Option<Verdict>,
}

struct Inner {
    process: Arc<Process>,
    origin: Origin,
    trips: Trips,
    state: Mutex<State>,
}

/// One request's or one job's view of the process. Cheap to clone.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

impl Context {
    pub(crate) fn new(process: Arc<Process>, origin: Origin) -> Self {
        Self(Arc::new(Inner { process, origin, trips: Trips::new(), state: Mutex::default() }))
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        crate::clock::now()
    }

    /// A new id: UUID version 7, ordered by time.
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        crate::clock::new_id()
    }

    /// Reads the settings parameter, once for the process: where that failed, who comes next tries again.
    pub(crate) async fn configure(&self) -> Result<(), Error> {
        let read = || async {
            let secrets = Secrets::read(&self.0.process.aws).await?;
            Ok(Configured { database: Database::new(&secrets.database_url), secrets })
        };
        self.0.process.configured.get_or_try_init(read).await.map(drop)
    }

    fn configured(&self) -> &Configured {
        self.0.process.configured.get().expect("the shell of a route, or a transaction, has read the settings")
    }

    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.configured().secrets
    }

    #[must_use]
    pub fn aws(&self) -> &Aws {
        &self.0.process.aws
    }

    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// The client for calls to third parties: 5 s to connect, 15 s in all, no redirects.
    pub fn http(&self) -> &reqwest::Client {
        self.0.process.http.get_or_init(|| client(Policy::none()))
    }

    /// As `http`, for files: their addresses may redirect, and credentials stay with the host they are for.
    pub fn downloads(&self) -> &reqwest::Client {
        self.0.process.downloads.get_or_init(|| client(Policy::limited(3)))
    }

    /// A call to an address that somebody typed: where it is not public, it is not made. No redirects. Its function says
    /// `reads!(REACHABLE_INSIDE)`.
    ///
    /// # Errors
    /// Why it is not called.
    pub fn call_outside<'a>(
        &'a self,
        method: reqwest::Method,
        url: &'a str,
    ) -> BoxFuture<'a, Result<reqwest::RequestBuilder, Refusal>> {
        Box::pin(async move {
            // Of an address without a name there is nothing to resolve later.
            let url = outside::check_url(url).await?;
            let client = self.0.process.outside.get_or_init(|| {
                let names = outside::PublicNames::shared();
                let client = builder(Policy::none()).no_proxy().dns_resolver(names).build();
                client.expect("the HTTP client's options are valid")
            });
            Ok(client.request(method, url))
        })
    }

    /// Time since the work began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.trips.elapsed()
    }

    /// The database, which needs the settings.
    pub(crate) async fn database(&self) -> Result<&Database, Error> {
        self.configure().await?;
        Ok(&self.configured().database)
    }

    /// Rolls back what was left open, where the database was used.
    pub(crate) async fn settle(&self) {
        if let Some(configured) = self.0.process.configured.get() {
            configured.database.settle(self.trips()).await;
        }
    }

    /// Round trips to the database.
    pub(crate) fn trips(&self) -> &Trips {
        &self.0.trips
    }

    pub(crate) fn flight(&self) -> Flight<'_> {
        self.0.trips.flight()
    }

    pub(crate) fn signed_in(&self, identity: &Identity) {
        self.state().identity = Some(identity.clone());
    }

    pub(crate) fn identity(&self) -> Option<Identity> {
        self.state().identity.clone()
    }

    /// What `SteppedUp` asks, of a request that asks for more than others of its route; before its transaction is begun.
    pub fn ask_to_step_up(&self) {
        self.ask_for_standing(Standing::SteppedUp);
    }

    /// The route asks this of its caller.
    pub(crate) fn ask_for_standing(&self, standing: Standing) {
        self.state().standing = standing;
    }

    pub(crate) fn standing(&self) -> Standing {
        self.state().standing
    }

    /// The signed-in user, if there is one.
    pub fn user_id(&self) -> Option<Uuid> {
        self.state().identity.as_ref().map(|identity| identity.user_id)
    }

    pub(crate) fn use_idempotency_key(&self, key: String) {
        self.state().idempotency_key = Some(key);
    }

    pub(crate) fn ask_for(&self, hash: Vec<u8>) {
        self.state().asked_for = hash;
    }

    /// The key, and the hash of what it stands for.
    pub(crate) fn idempotency(&self) -> Option<(String, Vec<u8>)> {
        let state = self.state();
        state.idempotency_key.clone().map(|key| (key, state.asked_for.clone()))
    }

    pub(crate) fn hear_of_companies(&self, named: Vec<String>) {
        self.state().companies = named;
    }

    /// Refuses a request that names another company than the one it turns out to be for. The shell asks for whoever is signed in;
    /// a route that learns by itself who it is asked by, asks then.
    ///
    /// # Errors
    /// 403 `wrong_company`.
    pub fn is_for(&self, company_id: Uuid) -> Result<(), Error> {
        let is_named = self.state().companies.iter().all(|name| name.parse() == Ok(company_id));
        if is_named { Ok(()) } else { Err(WRONG_COMPANY.into()) }
    }

    /// What this request was answered before goes before whatever its own statements make of it now.
    pub(crate) fn replay_with(&self, answer: Error) {
        self.state().replay = Some(answer);
    }

    pub(crate) fn replay(&self) -> Option<Error> {
        self.state().replay.clone()
    }

    /// The feed's head as of the first snapshot of this work; later ones would skip events it has not seen.
    pub(crate) fn set_feed_cursor(&self, cursor: String) {
        self.state().feed_cursor.get_or_insert(cursor);
    }

    pub(crate) fn feed_cursor(&self) -> Option<String> {
        self.state().feed_cursor.clone()
    }

    pub(crate) fn limit_by(&self, verdict: Verdict) {
        self.state().limit = Some(verdict);
    }

    /// Waits for the rate limit that is checked beside the work.
    pub(crate) async fn check_limit(&self) -> Result<(), Error> {
        let verdict = self.state().limit.clone();
        let Some(verdict) = verdict else { return Ok(()) };
        match verdict.wait().await {
            Some(seconds) => Err(RATE_LIMITED.retry_after(seconds)),
            None => Ok(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
