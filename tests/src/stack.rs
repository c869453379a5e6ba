//! A running local cloud: one started for this run, or one that runs already.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::{Api, Company, Wanted, openapi::Openapi};

/// `run.json` of the local cloud.
#[derive(Clone, Debug, Deserialize)]
pub struct Addresses {
    pub api: String,
    pub websocket: String,
    pub dynamodb: String,
    pub s3: String,
    pub sqs: String,
    pub sandbox: String,
    pub smtp: String,
    pub database_url: String,
    pub owner_database_url: String,
    pub database_log: PathBuf,
    pub pid: u32,
}

/// The local cloud under test.
pub struct Stack {
    pub addresses: Addresses,
    pub directory: PathBuf,
    pub openapi: Arc<Openapi>,
    pub http: reqwest::Client,
    /// Stops with its standard input.
    child: Option<Child>,
}

impl Stack {
    /// Starts a cloud that keeps nothing, on free ports, with further options of `local up`.
    ///
    /// # Errors
    /// When it does not become ready within two minutes.
    pub async fn start(directory: &Path, binaries: &Path, options: &[&str]) -> Result<Self> {
        let _ = std::fs::remove_dir_all(directory);
        Self::launch(directory, binaries, &[&["--memory"], options].concat()).await
    }

    /// Starts a cloud with what an earlier one has left in `directory`, and leaves everything there itself; with further options of
    /// `local up`.
    ///
    /// # Errors
    /// When it does not become ready within two minutes.
    pub async fn start_kept(directory: &Path, binaries: &Path, options: &[&str]) -> Result<Self> {
        // A cloud that was killed has left it.
        let _ = std::fs::remove_file(directory.join("run.json"));
        Self::launch(directory, binaries, options).await
    }

    /// With the variable `POOLER`, `PgBouncer` stands before the database.
    async fn launch(directory: &Path, binaries: &Path, options: &[&str]) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        let log = std::fs::OpenOptions::new().create(true).append(true).open(directory.join("local.log"))?;
        let child = Command::new(binaries.join("local"))
            .args(["up", "--ephemeral", "--until-eof", "--trust-forwarded", "--no-demo", "--no-schedules"])
            .args(std::env::var_os("POOLER").map(|_| "--pooler"))
            .arg("--directory")
            .arg(directory)
            .arg("--binaries")
            .arg(binaries)
            .args(options)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("the local cloud does not start: is it built?")?;
        Self::attach_when_ready(directory, Some(child)).await
    }

    /// The cloud that runs in `directory`.
    ///
    /// # Errors
    /// When none runs there.
    pub fn attach(directory: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(directory.join("run.json"))
            .with_context(|| format!("no local cloud runs in {}", directory.display()))?;
        Self::with(serde_json::from_str(&text)?, directory, None)
    }

    async fn attach_when_ready(directory: &Path, mut child: Option<Child>) -> Result<Self> {
        for _ in 0..1200 {
            if let Some(status) = child.as_mut().and_then(|child| child.try_wait().transpose()) {
                let log = std::fs::read_to_string(directory.join("local.log")).unwrap_or_default();
                bail!("the local cloud ended ({}):\n{log}", status?);
            }
            if let Ok(text) = std::fs::read_to_string(directory.join("run.json")) {
                return Self::with(serde_json::from_str(&text)?, directory, child);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("the local cloud was not ready within two minutes")
    }

    fn with(addresses: Addresses, directory: &Path, child: Option<Child>) -> Result<Self> {
        // Asked for even where everything is plain HTTP; an error says that it is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Idle connections are ended by the other side after a while: a request must not meet that.
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let http = client.pool_idle_timeout(std::time::Duration::from_secs(5)).build()?;
        Ok(Self { addresses, directory: directory.to_owned(), openapi: Arc::new(Openapi::read()?), http, child })
    }

    /// Stops it cleanly, if this run started it.
    pub async fn stop(mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.stdin.take());
            let _ = tokio::time::timeout(Duration::from_secs(20), child.wait()).await;
        }
    }

    /// Kills it without a word, if this run started it.
    pub async fn kill(mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill().await;
        }
    }

    /// The API without a token.
    pub fn api(&self) -> Api {
        Api::new(self)
    }

    /// A company of one's own.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn company(&self, wanted: Wanted) -> Company {
        Company::make(self, wanted).await.expect("a company is made")
    }

    /// A route under `/_local`, which steers the local cloud.
    ///
    /// # Panics
    /// When it does not answer with success.
    pub async fn control(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}/_local{path}", self.addresses.api);
        let mut request = self.http.request(method.parse().expect("a method"), url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("the local cloud answers");
        let status = answer.status();
        let text = answer.text().await.expect("an answer has a body");
        assert!(status.is_success(), "{method} /_local{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    }

    /// A connection to the database that sees everything.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn database(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(&self.addresses.owner_database_url, tokio_postgres::NoTls)
            .await
            .expect("the database answers");
        tokio::spawn(connection);
        client
    }

    /// What the last minutes' work came to where it did not go well or has not ended, for whoever asks why a test has failed.
    pub async fn unsettled(&self) -> String {
        const UNSETTLED: &str = "
            select jobs.kind || ' ' || jobs.payload::text || ', number ' || jobs.number || ' of its lane ' || jobs.lane
                     || ', made at ' || jobs.created_at::time || ', to run at ' || jobs.run_at::time
                     || ', leased until ' || coalesce(jobs.leased_until::time::text, 'never')
                     || ', sent ' || jobs.dispatches || ' times, last at ' || coalesce(jobs.dispatched_at::time::text, 'none')
                     || ', ' || jobs.attempts || ' attempts'
                     || coalesce(', finished at ' || jobs.finished_at::time, '') || coalesce(': ' || jobs.last_error, '')
                     || coalesce(' (the message is ' || messages.status || ', ' || coalesce(messages.error_code, 'no error') || ')', '')
              from jobs
              left join messages on messages.company_id = jobs.company_id and messages.id::text = jobs.payload ->> 'message_id'
             where jobs.created_at > now() - interval '3 minutes'
               and (jobs.finished_at is null and jobs.run_at < now()
                    or jobs.finished_at > now() - interval '1 minute' and (jobs.attempts > 1 or jobs.last_error is not null or messages.status = 'failed'))
             order by jobs.number desc
             limit 40";
        let rows = self.database().await.query(UNSETTLED, &[]).await.expect("the jobs");
        let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let of_local = async |path: &str, most: usize| -> String {
            let all = self.control("GET", path, None).await;
            let shown: Vec<String> = all.as_array().into_iter().flatten().take(most).map(Value::to_string).collect();
            shown.join("\n")
        };
        let (held, failures) = (of_local("/held", 40).await, of_local("/failures", 20).await);
        let jobs = lines.join("\n");
        format!(
            "Jobs that wait or were not done at once:\n{jobs}\nMessages in flight:\n{held}\nFunctions that did not answer, the latest first:\n{failures}"
        )
    }

    /// What the database server has written since it was last started.
    ///
    /// # Panics
    /// When its log cannot be read.
    pub fn database_log(&self) -> String {
        let bytes = std::fs::read(&self.addresses.database_log).expect("the server's log");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// How often functions have done work again because transactions locked each other out.
    pub async fn lock_retries(&self) -> u64 {
        let metrics = self.control("GET", "/metrics", None).await;
        let lines = metrics.as_str().unwrap_or_default().lines().filter(|line| line.starts_with("database_retries_total{"));
        let of_locks =
            lines.filter(|line| ["deadlock", "serialization"].iter().any(|kind| line.contains(&format!("\"{kind}\""))));
        of_locks.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }

    /// The lines a function (its logical id) has written, the newest last, as JSON.
    pub fn log_lines(&self, function: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.directory.join("logs").join(format!("{function}.log"))).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}
