//! The services behind the functions: database, stores, queues, schedules, third parties.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Mutex, task::AbortHandle};

use super::{ACCESS_KEY, Addresses, Database, Options, SECRET_KEY};
use crate::{
    Invoke,
    console::{self, ConsoleSources},
    dynamodb,
    journal::Journal,
    object_storage,
    parameters::{Parameters, Settings},
    postgres::{Cluster, ClusterOptions},
    queues::Queues,
    sandbox::{Sandbox, SandboxOptions, mail::MailServer},
    schedules,
    service::{Callers, Service},
    template::Template,
    websocket_api::WebSocketGateway,
};

/// The listeners that become services here.
pub(super) struct ServiceListeners {
    pub dynamodb: TcpListener,
    pub s3: TcpListener,
    pub sqs: TcpListener,
    pub sandbox: TcpListener,
    pub smtp: TcpListener,
}

/// Running services; what tests may break is behind a lock.
pub(super) struct Services {
    cluster: Mutex<Option<Cluster>>,
    dynamodb: dynamodb::Handle,
    s3: object_storage::Handle,
    queues: Arc<Queues>,
    /// Also serves parameters.
    queue_api: Service,
    sandbox: Arc<Sandbox>,
    third_parties: Service,
    parameters: Arc<Parameters>,
    mail_server: MailServer,
    /// Pollers and clocks, which the runtime of tasks keeps by itself.
    callers: std::sync::Mutex<Vec<AbortHandle>>,
    /// Deleted at the end.
    objects_in_memory: Option<PathBuf>,
}

/// Starts the database; `None` when the caller wants none.
pub(super) async fn start_postgres(
    options: &Options,
    port: Option<u16>,
    step: &(dyn Fn(&str) + Sync),
) -> Result<Option<Cluster>> {
    let Some(Database { migrations, pooler }) = options.database.clone() else {
        return Ok(None);
    };
    let options = ClusterOptions { directory: options.directory.clone(), port, memory: options.memory, migrations, pooler };
    Cluster::start(options, |text| step(text)).await.map(Some).context("Postgres does not start")
}

impl Services {
    /// Starts everything that needs no functions.
    pub fn start(
        listeners: ServiceListeners,
        cluster: Option<Cluster>,
        template: &Template,
        options: &Options,
        addresses: &Addresses,
    ) -> Result<Arc<Self>> {
        let kept = (!options.memory).then_some(options.directory.as_path());
        let dynamodb = dynamodb::serve(
            listeners.dynamodb,
            template.tables.clone(),
            kept.map(|directory| directory.join("dynamodb.sqlite")),
        )?;
        let objects = match kept {
            Some(directory) => directory.join("s3"),
            None => options.directory.join("s3-in-memory"),
        };
        if options.memory && objects.exists() {
            std::fs::remove_dir_all(&objects).context("cannot delete objects of an earlier run")?;
        }
        let credentials = object_storage::Credentials { access_key: ACCESS_KEY.to_owned(), secret_key: SECRET_KEY.to_owned() };
        let s3 = object_storage::serve(listeners.s3, template.buckets.clone(), objects.clone(), credentials)?;

        let parameters = Arc::new(Parameters::open(kept)?);
        if let Some(url) = &addresses.database_url {
            parameters.set_database_url(url)?;
        }
        let queues = Queues::open(template.queues.clone(), kept.map(|directory| directory.join("queues.sqlite")))?;
        let sandbox = Sandbox::new(SandboxOptions {
            webhook_url: format!("{}/webhooks/whatsapp", addresses.api),
            app_secret: parameters.whatsapp_app_secret(),
            verify_token: parameters.whatsapp_verify_token(),
            public_url: addresses.sandbox.clone(),
            kept: kept.map(Path::to_owned),
        });
        parameters.set_mail_server(&addresses.smtp, sandbox.mail_certificate())?;

        let third_parties = Service::start(listeners.sandbox, Callers::Programs, sandbox.router())?;
        let queue_api = Service::start(listeners.sqs, Callers::Programs, queues.router(parameters.clone()))?;
        let mail_server = MailServer::start(listeners.smtp, sandbox.clone())?;
        Ok(Arc::new(Self {
            cluster: Mutex::new(cluster),
            dynamodb,
            s3,
            queues,
            queue_api,
            sandbox,
            third_parties,
            parameters,
            mail_server,
            callers: std::sync::Mutex::default(),
            objects_in_memory: options.memory.then_some(objects),
        }))
    }

    /// Lets queues call functions, and with a second way to call them the clock too.
    pub fn call(&self, template: &Template, from_queues: Invoke, from_clock: Option<Invoke>) {
        let mut callers = vec![self.queues.poll(template.event_sources.clone(), from_queues)];
        if let Some(invoke) = from_clock {
            callers.push(schedules::run(template.schedules.clone(), invoke));
        }
        let handles = callers.iter().map(tokio::task::JoinHandle::abort_handle);
        lock(&self.callers).extend(handles);
    }

    /// The console and the controls of the sandbox.
    pub fn console(
        self: &Arc<Self>,
        journal: &Arc<Journal>,
        sockets: Option<&Arc<WebSocketGateway>>,
        addresses: &Addresses,
    ) -> axum::Router {
        let sockets = sockets.cloned();
        let [queues, dead_letters, held] = std::array::from_fn(|_| self.queues.clone());
        let sources = ConsoleSources {
            journal: journal.clone(),
            queues: Arc::new(move || queues.snapshot()),
            sockets: Arc::new(move || sockets.as_ref().map(|sockets| sockets.snapshot()).unwrap_or_default()),
            sandbox: self.sandbox.clone(),
            dead_letters: Arc::new(move |queue| dead_letters.dead_letters(queue)),
            held: Arc::new(move || held.held()),
            info: json!(addresses.without_passwords()),
            secrets: json!({"database_url": addresses.database_url, "owner_database_url": addresses.owner_database_url}),
        };
        console::router(sources).nest("/sandbox", self.sandbox.control_router())
    }

    /// Makes a service fail as if it were down, or serve again.
    pub async fn set_running(&self, service: &str, running: bool) -> Result<Option<Value>> {
        match (service, running) {
            ("dynamodb", true) => self.dynamodb.resume().await?,
            ("dynamodb", false) => self.dynamodb.pause().await,
            ("s3", true) => self.s3.resume(),
            ("s3", false) => self.s3.pause(),
            ("sandbox", true) => self.third_parties.resume().await?,
            ("sandbox", false) => self.third_parties.pause().await,
            ("smtp", true) => self.mail_server.resume().await?,
            ("smtp", false) => self.mail_server.pause().await,
            ("ssm", running) => self.parameters.set_running(running),
            ("sqs", true) => self.queues.resume(),
            ("sqs", false) => self.queues.pause(),
            ("postgres", running) => {
                let mut cluster = self.cluster.lock().await;
                let cluster = cluster.as_mut().context("Postgres was not started")?;
                if running {
                    cluster.relaunch().await?;
                } else {
                    cluster.crash().await?;
                }
            }
            _ => return Ok(None),
        }
        Ok(Some(json!({ "service": service, "running": running })))
    }

    /// Sends the messages of a dead-letter queue back; how many.
    pub fn redrive(&self, queue: &str) -> Result<usize> {
        self.queues.redrive(queue)
    }

    /// Lets the messages in flight of a queue be received again; how many.
    pub fn give_back(&self, queue: &str) -> Result<usize> {
        self.queues.give_back(queue)
    }

    /// What the functions read at their start.
    pub fn settings(&self) -> Settings {
        self.parameters.settings()
    }

    /// No more calls of functions from here on.
    pub fn stop_calling(&self) {
        for caller in lock(&self.callers).drain(..) {
            caller.abort();
        }
    }

    /// Stops the services, the database last.
    pub async fn stop(&self) {
        self.dynamodb.pause().await;
        self.queue_api.pause().await;
        self.third_parties.pause().await;
        self.mail_server.pause().await;
        if let Some(cluster) = self.cluster.lock().await.take()
            && let Err(error) = cluster.stop().await
        {
            eprintln!("Postgres does not stop: {error:#}");
        }
        if let Some(objects) = &self.objects_in_memory {
            let _ = std::fs::remove_dir_all(objects);
        }
    }
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
