//! `local`: serves `template.yaml` on this machine.

mod progress;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Parser, Subcommand};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use local::{
    cloud::{Addresses, Cloud, Database, Options, Ports},
    http_api, lambda,
    parameters::WebPush,
    postgres::{self, Cluster, ClusterOptions},
    seed::PASSWORD,
    template::Binaries,
    websocket_api,
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

use self::progress::Progress;

/// The local cloud: runs the back end on this machine, without AWS.
#[derive(Parser)]
#[command(name = "local", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start everything and serve until Ctrl-C.
    Up(Box<Up>),
    /// Apply the migrations to a database.
    Migrate(Migrate),
    /// Write `migrations/schema.sql`: the schema after all migrations.
    Schema(Schema),
    /// Run the schedule of a function now.
    Fire {
        /// Logical id in the template, for example `DispatchDueJobs`.
        function: String,
        #[arg(long, default_value = ".local")]
        directory: PathBuf,
    },
    /// Print a fresh key pair for web push, as `web_push` of a stage's settings.
    WebPushKey {
        /// Whom push services tell when something is wrong: `mailto:…` or `https://…`.
        #[arg(long)]
        contact: String,
    },
}

#[derive(Args)]
struct Migrate {
    /// Direct connection of the owner, not through a pooler.
    #[arg(long)]
    url: String,
    #[arg(long, default_value = "migrations")]
    migrations: PathBuf,
}

#[derive(Args)]
struct Schema {
    #[arg(long, default_value = "migrations")]
    migrations: PathBuf,
    #[arg(long, default_value = ".local")]
    directory: PathBuf,
    /// Fail when `schema.sql` says something else, and write nothing.
    #[arg(long)]
    check: bool,
}

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
struct Up {
    #[arg(long, default_value = "template.yaml")]
    template: PathBuf,
    /// Port of the API; the other services take the eight ports after it.
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// Take free ports instead; they are in `<directory>/run.json`.
    #[arg(long)]
    ephemeral: bool,
    /// Keep no data after the stop.
    #[arg(long)]
    memory: bool,
    /// Data, logs and `run.json`.
    #[arg(long, default_value = ".local")]
    directory: PathBuf,
    /// Where cargo puts the built functions.
    #[arg(long, default_value = "target/debug")]
    binaries: PathBuf,
    /// Stop function processes between events, as AWS does.
    #[arg(long)]
    freeze: bool,
    /// Print what functions write; it is always in `<directory>/logs`.
    #[arg(long)]
    verbose: bool,
    /// Function processes in all.
    #[arg(long, default_value_t = 64)]
    max_processes: usize,
    /// Processes of one function.
    #[arg(long, default_value_t = 10)]
    max_processes_per_function: usize,
    /// Also stop when standard input ends, for use by tests.
    #[arg(long)]
    until_eof: bool,
    /// Believe `x-forwarded-for`, so that tests can play many clients.
    #[arg(long)]
    trust_forwarded: bool,
    /// Seconds after which an idle WebSocket is closed.
    #[arg(long, default_value_t = 600)]
    websocket_idle: u64,
    /// Seconds after which every WebSocket is closed.
    #[arg(long, default_value_t = 7200)]
    websocket_limit: u64,
    /// Folder of the migrations.
    #[arg(long, default_value = "migrations")]
    migrations: PathBuf,
    /// Put `PgBouncer` between the functions and the database, as Neon does.
    #[arg(long)]
    pooler: bool,
    /// Start no database.
    #[arg(long)]
    no_postgres: bool,
    /// Do not run schedules by the clock; `local fire` still works.
    #[arg(long)]
    no_schedules: bool,
    /// Do not make the demo company.
    #[arg(long)]
    no_demo: bool,
    /// A parameter of the template, as in `--parameter UnknownOutcomeSeconds=5`; `{sandbox}` is the sandbox's address, as in
    /// `--parameter VirusScanUrl={sandbox}/scanner/v2/scan`.
    #[arg(long = "parameter", value_parser = parse_parameter)]
    parameters: Vec<(String, String)>,
    /// Leave out the throttles of the template, for load tests of the functions.
    #[arg(long)]
    no_throttle: bool,
}

impl Up {
    fn options(&self) -> Options {
        Options {
            template: self.template.clone(),
            ports: if self.ephemeral { Ports::Ephemeral } else { Ports::From(self.port) },
            directory: self.directory.clone(),
            memory: self.memory,
            binaries: Binaries(self.binaries.clone()),
            limits: lambda::Limits {
                per_function: self.max_processes_per_function,
                total: self.max_processes,
                freeze: self.freeze,
                ..lambda::Limits::default()
            },
            verbose: self.verbose,
            http: http_api::Options {
                trust_forwarded: self.trust_forwarded,
                throttle: !self.no_throttle,
                ..http_api::Options::default()
            },
            websocket: websocket_api::Options {
                idle: Duration::from_secs(self.websocket_idle),
                limit: Duration::from_secs(self.websocket_limit),
                trust_forwarded: self.trust_forwarded,
                ..websocket_api::Options::default()
            },
            database: (!self.no_postgres).then(|| Database { migrations: self.migrations.clone(), pooler: self.pooler }),
            schedules: !self.no_schedules,
            parameters: self.parameters.clone(),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Up(up) => serve(&up).await,
        Command::Migrate(migrate) => {
            postgres::migrate(&migrate.url, &migrate.migrations, &|text| println!("{text}")).await.map(drop)
        }
        Command::Schema(schema) => write_schema(&schema).await,
        Command::Fire { function, directory } => fire(&function, &directory).await,
        Command::WebPushKey { contact } => print_web_push_key(&contact),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("local: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn print_web_push_key(contact: &str) -> Result<()> {
    anyhow::ensure!(
        contact.starts_with("mailto:") || contact.starts_with("https://"),
        "the contact is mailto:… or https://…, and this is {contact}"
    );
    println!("{}", serde_json::to_string_pretty(&WebPush::fresh(contact)?)?);
    Ok(())
}

async fn serve(up: &Up) -> Result<()> {
    // Before the start: a signal in the middle of it stops what is already there.
    let mut signals = Signals::listen()?;
    let progress = Progress::default();
    let step = |name: &str| progress.step(name);
    let cloud = tokio::select! {
        cloud = Cloud::start(up.options(), &step) => cloud?,
        () = signals.next() => bail!("stopped before it was ready"),
    };
    let served = async {
        present(&cloud, up, &progress).await?;
        if !up.until_eof {
            std::future::pending::<()>().await;
        }
        end_of_input().await;
        anyhow::Ok(())
    };
    tokio::select! {
        served = served => served?,
        () = signals.next() => {}
    }
    println!("Stopping");
    cloud.stop().await;
    Ok(())
}

/// Makes the demo company and says where everything is.
async fn present(cloud: &Cloud, up: &Up, progress: &Progress) -> Result<()> {
    let demo = match cloud.addresses.seeder() {
        Some(seeder) if !up.no_demo => {
            progress.step("Demo company");
            seeder.demo().await.context("the demo company is not made")?;
            true
        }
        _ => false,
    };
    progress.done();
    print(&cloud.addresses, &up.directory);
    if demo {
        print_demo();
    }
    println!("Ready. Ctrl-C stops everything.");
    Ok(())
}

/// Those that ask the program to end: Ctrl-C, `kill`, the terminal's end.
struct Signals([Signal; 3]);

impl Signals {
    fn listen() -> Result<Self> {
        Ok(Self([signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hang_up] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    }
}

fn print(addresses: &Addresses, directory: &Path) {
    let addresses = addresses.without_passwords();
    println!("API        {}", addresses.api);
    println!("WebSocket  {}", addresses.websocket);
    println!("Console    {}", addresses.console);
    println!("Sandbox    {}", addresses.sandbox);
    if let Some(url) = addresses.owner_database_url {
        println!("Postgres   {url}   (with its password in {})", directory.join("run.json").display());
    }
}

fn print_demo() {
    println!();
    println!("Logins of the demo company, all with the password {PASSWORD}:");
    for (login, role) in [("admin", "admin"), ("supervisor", "supervisor"), ("agente1", "agent"), ("agente2", "agent")] {
        println!("  {:<28} {role}", format!("{login}@demo.example"));
    }
    println!();
    println!("Try next:  make demo   (a customer's conversation from the first message to the last, with a timeline)");
}

fn parse_parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as Name=value")?;
    Ok((name.to_owned(), value.to_owned()))
}

async fn end_of_input() {
    let (sender, receiver) = oneshot::channel::<()>();
    // A thread of its own: tokio would wait for a pending read when the process wants to end.
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        drop(sender);
    });
    let _ = receiver.await;
}

async fn write_schema(schema: &Schema) -> Result<()> {
    let options = ClusterOptions {
        directory: schema.directory.join("schema"),
        port: None,
        memory: true,
        migrations: schema.migrations.clone(),
        pooler: false,
    };
    let cluster = Cluster::start(options, |_| {}).await?;
    let dump = cluster.dump_schema().await;
    cluster.stop().await?;
    let (dump, path) = (dump?, schema.migrations.join("schema.sql"));
    if !schema.check {
        return std::fs::write(&path, dump).with_context(|| format!("cannot write {}", path.display()));
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    if written != dump {
        bail!("{} is not what the migrations make: run `make generate`", path.display());
    }
    Ok(())
}

async fn fire(function: &str, directory: &Path) -> Result<()> {
    let addresses = Addresses::of_running(directory)?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<bytes::Bytes>>();
    let request = http::Request::post(format!("{}/_local/fire/{function}", addresses.api)).body(Empty::new())?;
    let answer = client.request(request).await.with_context(|| format!("no local cloud answers at {}", addresses.api))?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    println!("{}", String::from_utf8_lossy(&body));
    if !status.is_success() {
        bail!("{function} did not succeed");
    }
    Ok(())
}
