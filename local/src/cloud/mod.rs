//! The local cloud as a whole: binds the ports, reads the template, starts every service, stops them again.

mod control;
mod listeners;
mod run_file;
mod services;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use jiff::Timestamp;
use tokio::task::JoinSet;

pub use self::{listeners::Ports, run_file::Addresses};
use self::{
    listeners::{Listeners, port},
    run_file::RunFile,
    services::{ServiceListeners, Services, start_postgres},
};
use crate::{
    Invoke, http_api,
    http_api::HttpGateway,
    journal::{Invocation, Journal, SocketSnapshot},
    lambda,
    lambda::{Limits, Runtime},
    leash::Leash,
    postgres::Cluster,
    template::{Binaries, EventSource, Settings, Template},
    websocket_api,
    websocket_api::WebSocketGateway,
};

/// Credentials the functions get and the services accept.
pub const ACCESS_KEY: &str = "local";
/// See [`ACCESS_KEY`].
pub const SECRET_KEY: &str = "local-secret";

/// Everything a caller may choose.
#[derive(Clone, Debug)]
pub struct Options {
    pub template: PathBuf,
    pub ports: Ports,
    /// Data, logs and `run.json`.
    pub directory: PathBuf,
    /// Keep nothing after the stop.
    pub memory: bool,
    pub binaries: Binaries,
    pub limits: Limits,
    /// Print what functions write.
    pub verbose: bool,
    pub http: http_api::Options,
    pub websocket: websocket_api::Options,
    /// Without it no Postgres is started.
    pub database: Option<Database>,
    /// Run schedules by the clock; `local fire` works either way.
    pub schedules: bool,
    /// Values of the template's parameters, in place of their defaults; `{sandbox}` in one is the sandbox's address.
    pub parameters: Vec<(String, String)>,
}

/// How Postgres is to be started.
#[derive(Clone, Debug)]
pub struct Database {
    /// Folder of the migrations.
    pub migrations: PathBuf,
    /// Puts `PgBouncer` between the functions and the server.
    pub pooler: bool,
}

/// A running local cloud.
pub struct Cloud {
    pub addresses: Addresses,
    pub journal: Arc<Journal>,
    pub runtime: Arc<Runtime>,
    sockets: Option<Arc<WebSocketGateway>>,
    services: Arc<Services>,
    tasks: JoinSet<()>,
    /// Holds the functions, so that they end with the cloud.
    _leash: Leash,
    _run: RunFile,
}

impl Cloud {
    /// Starts everything. `step` hears what is being started, in words for a person.
    ///
    /// # Errors
    /// When a port is taken, another cloud runs in the directory, or the template asks for what is not served.
    pub async fn start(options: Options, step: &(dyn Fn(&str) + Sync)) -> Result<Self> {
        let run = RunFile::claim(&options.directory)?;
        step("Binding ports");
        let listeners = Listeners::bind(options.ports).await?;
        let mut addresses = addresses(&listeners)?;
        step("Reading the template");
        let settings =
            Settings { parameters: parameters(&addresses, &options.parameters), queue_endpoint: addresses.sqs.clone() };
        let template = Template::read(&options.template, &settings)?;

        let journal = Arc::new(Journal::default());
        let stage = template.web_socket_api.as_ref().map(|api| api.stage.clone()).unwrap_or_default();
        let leash = Leash::start("KILL").context("cannot watch over the functions")?;
        let functions = lambda::Options {
            binaries: options.binaries.clone(),
            directory: options.directory.clone(),
            verbose: options.verbose,
            limits: options.limits.clone(),
            environment: environment(&addresses, &stage),
            group: leash.group(),
        };
        let Listeners { api, websocket, runtime, dynamodb, s3, sqs, sandbox, smtp, postgres } = listeners;
        let runtime = Runtime::start(runtime, template.functions.clone(), &functions, &journal)?;

        step("Postgres");
        let cluster = start_postgres(&options, postgres, step).await?;
        addresses.database_url = cluster.as_ref().map(Cluster::app_url);
        addresses.owner_database_url = cluster.as_ref().map(Cluster::owner_url);
        addresses.database_log = cluster.as_ref().map(Cluster::log);
        step("DynamoDB, S3, queues and third parties");
        let listeners = ServiceListeners { dynamodb, s3, sqs, sandbox, smtp };
        let services = Services::start(listeners, cluster, &template, &options, &addresses)?;

        step("Gateways");
        let mut tasks = JoinSet::new();
        let sockets = template
            .web_socket_api
            .clone()
            .map(|definition| WebSocketGateway::new(definition, options.websocket.clone(), runtime.clone(), journal.clone()));
        if let Some(sockets) = &sockets {
            tasks.spawn(sockets.clone().serve(websocket));
        }
        let from_clock = invoker(&runtime, &journal, BTreeMap::new(), "schedule");
        let seeder = addresses.seeder().map(Arc::new);
        let control = control::router(template.schedules.clone(), from_clock.clone(), services.clone(), runtime.clone(), seeder);
        let console = control.merge(services.console(&journal, sockets.as_ref(), &addresses));
        let gateway =
            HttpGateway::new(&template.http_apis, options.http.clone(), runtime.clone(), journal.clone(), Some(console));
        tasks.spawn(gateway.serve(api));
        let from_queues = invoker(&runtime, &journal, queue_triggers(&template.event_sources), "queue");
        services.call(&template, from_queues, options.schedules.then_some(from_clock));

        run.write(&addresses)?;
        Ok(Self { addresses, journal, runtime, sockets, services, tasks, _leash: leash, _run: run })
    }

    /// The open sockets.
    #[must_use]
    pub fn sockets(&self) -> Vec<SocketSnapshot> {
        self.sockets.as_ref().map(|sockets| sockets.snapshot()).unwrap_or_default()
    }

    /// Closes the sockets, ends the functions and then the services they use.
    pub async fn stop(mut self) {
        self.services.stop_calling();
        if let Some(sockets) = &self.sockets {
            sockets.close_all();
            // `$disconnect` still needs the functions.
            let deadline = Instant::now() + Duration::from_secs(2);
            while !sockets.snapshot().is_empty() && Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        self.runtime.stop().await;
        self.tasks.shutdown().await;
        self.services.stop().await;
    }
}

fn addresses(listeners: &Listeners) -> Result<Addresses> {
    let http = |listener| Ok::<_, anyhow::Error>(format!("http://127.0.0.1:{}", port(listener)?));
    let api = http(&listeners.api)?;
    Ok(Addresses {
        console: format!("{api}/_local/"),
        api,
        websocket: format!("ws://127.0.0.1:{}", port(&listeners.websocket)?),
        dynamodb: http(&listeners.dynamodb)?,
        s3: http(&listeners.s3)?,
        sqs: http(&listeners.sqs)?,
        sandbox: http(&listeners.sandbox)?,
        smtp: format!("smtp://127.0.0.1:{}", port(&listeners.smtp)?),
        database_url: None,
        owner_database_url: None,
        database_log: None,
        pid: std::process::id(),
    })
}

/// Parameters of the template that name addresses of the outside world: here they are our own.
fn parameters(addresses: &Addresses, chosen: &[(String, String)]) -> BTreeMap<String, String> {
    let pairs = [
        ("SettingsParam", crate::parameters::SETTINGS.to_owned()),
        // Where front ends are usually developed.
        ("AllowedOrigins", "http://localhost:3000,http://localhost:5173,http://127.0.0.1:3000,http://127.0.0.1:5173".to_owned()),
        ("PublicApiUrl", addresses.api.clone()),
        // What companies call may be the sandbox.
        ("ReachableInside", "127.0.0.1".to_owned()),
        ("PublicWebSocketUrl", addresses.websocket.clone()),
        ("BotConversaUrl", format!("{}/botconversa/api/v1/webhook", addresses.sandbox)),
        ("HubSpotUrl", format!("{}/hubspot/crm/v3", addresses.sandbox)),
        ("PipedriveUrl", format!("{}/pipedrive/api/v2", addresses.sandbox)),
        ("WhatsAppGraphUrl", format!("{}/graph", addresses.sandbox)),
        ("LlmUrl", format!("{}/llm/v1", addresses.sandbox)),
        ("FrontEndUrl", "http://localhost:5173".to_owned()),
    ];
    let chosen = chosen.iter().map(|(name, value)| (name.clone(), value.replace("{sandbox}", &addresses.sandbox)));
    pairs.map(|(name, value)| (name.to_owned(), value)).into_iter().chain(chosen).collect()
}

/// What AWS would tell every function about itself: region, credentials, and here also the endpoints.
fn environment(addresses: &Addresses, stage: &str) -> BTreeMap<String, String> {
    let management = format!("{}/{stage}", addresses.websocket.replacen("ws://", "http://", 1));
    let pairs = [
        ("AWS_REGION", "sa-east-1"),
        ("AWS_DEFAULT_REGION", "sa-east-1"),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ("AWS_ENDPOINT_URL_DYNAMODB", &addresses.dynamodb),
        ("AWS_ENDPOINT_URL_S3", &addresses.s3),
        ("AWS_ENDPOINT_URL_SQS", &addresses.sqs),
        ("AWS_ENDPOINT_URL_SSM", &addresses.sqs),
        ("AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI", management.trim_end_matches('/')),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn queue_triggers(sources: &[EventSource]) -> BTreeMap<String, String> {
    sources.iter().map(|source| (source.function.clone(), format!("queue {}", source.queue))).collect()
}

/// A way to call functions that writes each call into the journal.
fn invoker(runtime: &Arc<Runtime>, journal: &Arc<Journal>, triggers: BTreeMap<String, String>, trigger: &'static str) -> Invoke {
    let (runtime, journal, triggers) = (runtime.clone(), journal.clone(), Arc::new(triggers));
    Arc::new(move |function: &str, payload: Bytes| {
        let (runtime, journal, function) = (runtime.clone(), journal.clone(), function.to_owned());
        let trigger = triggers.get(&function).cloned().unwrap_or_else(|| trigger.to_owned());
        Box::pin(async move {
            let at = Timestamp::now();
            let invoked = runtime.invoke(&function, payload).await;
            journal.record_invocation(Invocation {
                at,
                request_id: invoked.request_id,
                function,
                trigger,
                status: None,
                error: invoked.result.as_ref().err().map(ToString::to_string),
                took: invoked.took,
                cold: invoked.cold,
            });
            invoked.result
        })
    })
}
