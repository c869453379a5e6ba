//! The Lambda service: starts the real function binaries and gives them events over the Runtime API.

mod pool;
mod process;
mod runtime_api;

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use anyhow::Result;
use bytes::Bytes;
use serde::Serialize;
use tokio::{net::TcpListener, sync::mpsc, sync::oneshot};
use uuid::Uuid;

use self::pool::{Pending, Pool, ProcessId, Start};
use crate::{
    InvokeError,
    journal::Journal,
    template::{Binaries, FunctionDefinition},
};

/// How often time-outs are looked for.
const SWEEP: Duration = Duration::from_millis(50);
/// How often binaries are looked at for a newer build, in sweeps.
const SWEEPS_PER_BUILD_CHECK: u32 = 20;

/// How many processes there may be and for how long.
#[derive(Clone, Debug)]
pub struct Limits {
    pub per_function: usize,
    pub total: usize,
    /// An unused process is ended after this time.
    pub idle: Duration,
    /// How long an event may wait for a process before the call is throttled.
    pub queue_wait: Duration,
    /// Stop processes between events, as the Lambda service does.
    pub freeze: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_function: 10, total: 64, idle: Duration::from_mins(5), queue_wait: Duration::from_secs(5), freeze: false }
    }
}

/// How the functions are started.
#[derive(Clone, Debug)]
pub struct Options {
    pub binaries: Binaries,
    /// Log files are written to `logs/` in it.
    pub directory: PathBuf,
    /// Print the functions' lines too.
    pub verbose: bool,
    pub limits: Limits,
    /// Added to the environment of every function: AWS endpoints, region and credentials.
    pub environment: BTreeMap<String, String>,
    /// The process group of all functions, which ends with the local cloud.
    pub group: i32,
}

/// The outcome of one call.
#[derive(Clone, Debug)]
pub struct Invoked {
    pub request_id: String,
    pub result: Result<Bytes, InvokeError>,
    /// Whether it was the first event of its process.
    pub cold: bool,
    pub took: Duration,
}

/// How a function's processes are started, but for the address of their Runtime API.
#[derive(Clone, Debug, Serialize)]
pub struct Launch {
    pub binary: PathBuf,
    pub environment: BTreeMap<String, String>,
}

struct Function {
    definition: FunctionDefinition,
    binary: PathBuf,
    arn: String,
    environment: BTreeMap<String, String>,
    output: Arc<process::Output>,
}

/// All functions of the template.
pub struct Runtime {
    functions: Vec<Function>,
    index: HashMap<String, usize>,
    pool: Mutex<Pool>,
    address: SocketAddr,
    group: i32,
}

impl Runtime {
    /// Serves the Runtime API on `listener`. Processes are started by the first event.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn start(
        listener: TcpListener,
        definitions: Vec<FunctionDefinition>,
        options: &Options,
        journal: &Arc<Journal>,
    ) -> Result<Arc<Self>> {
        let address = listener.local_addr()?;
        let logs = options.directory.join("logs");
        let functions: Vec<Function> = definitions
            .into_iter()
            .map(|definition| Function {
                binary: options.binaries.of(&definition.binary),
                arn: crate::template::function_arn(&definition.logical_id),
                environment: environment(&definition, options),
                output: process::Output::new(&definition.logical_id, &logs, journal.clone(), options.verbose),
                definition,
            })
            .collect();
        let index =
            functions.iter().enumerate().map(|(index, function)| (function.definition.logical_id.clone(), index)).collect();
        let pool = Pool::new(options.limits.clone(), functions.iter().map(|function| function.definition.timeout));
        let runtime = Arc::new(Self { functions, index, pool: Mutex::new(pool), address, group: options.group });
        tokio::spawn(runtime_api::serve(listener, runtime.clone()));
        tokio::spawn(runtime.clone().sweep());
        Ok(runtime)
    }

    /// Calls one function and waits for its answer. The function runs on when the caller goes away.
    pub async fn invoke(self: &Arc<Self>, function: &str, payload: Bytes) -> Invoked {
        let started = Instant::now();
        let request_id = Uuid::new_v4().to_string();
        let unanswered = |error: InvokeError| Invoked {
            request_id: request_id.clone(),
            result: Err(error),
            cold: false,
            took: started.elapsed(),
        };
        let Some(index) = self.index.get(function).copied() else {
            return unanswered(InvokeError::Unknown(format!("the template has no function {function}")));
        };
        let (sender, receiver) = oneshot::channel();
        let pending = Pending { request_id: request_id.clone(), payload, queued_at: started, answer: sender };
        let starts = self.pool().add(index, pending);
        self.start_processes(starts);
        match receiver.await {
            Ok(answer) => Invoked { request_id, result: answer.result, cold: answer.cold, took: started.elapsed() },
            Err(_) => unanswered(InvokeError::Failed {
                error_type: "Local.Stopping".to_owned(),
                message: "the local cloud is stopping".to_owned(),
            }),
        }
    }

    /// How each function is started, by its logical id.
    #[must_use]
    pub fn launches(&self) -> BTreeMap<String, Launch> {
        let launch = |function: &Function| Launch { binary: function.binary.clone(), environment: function.environment.clone() };
        self.functions.iter().map(|function| (function.definition.logical_id.clone(), launch(function))).collect()
    }

    /// Processes of a function that run now.
    #[must_use]
    pub fn processes(&self, function: &str) -> usize {
        self.index.get(function).map_or(0, |index| self.pool().live_of(*index))
    }

    /// Kills all processes of a function, also those in the middle of an event; how many. `None` when there is no such function.
    #[must_use]
    pub fn kill(&self, function: &str) -> Option<usize> {
        self.index.get(function).map(|index| self.pool().kill(*index))
    }

    /// Ends all processes and waits until they are gone.
    pub async fn stop(&self) {
        self.pool().close();
        let deadline = Instant::now() + Duration::from_secs(3);
        while self.pool().process_count() > 0 && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_processes(self: &Arc<Self>, starts: Vec<Start>) {
        for start in starts {
            // Starting a process takes about a millisecond: not on the caller's task.
            let runtime = self.clone();
            tokio::spawn(async move { runtime.run_process(start.process, start.function).await });
        }
    }

    async fn run_process(self: Arc<Self>, id: ProcessId, function: usize) {
        let error = self.run_process_to_its_end(id, function).await;
        let starts = self.pool().exited(id, error);
        self.start_processes(starts);
    }

    async fn run_process_to_its_end(&self, id: ProcessId, function: usize) -> InvokeError {
        let function = &self.functions[function];
        let Some(built) = built_at(function) else {
            let message = format!("{} is not built: make programs", function.binary.display());
            eprintln!("{}: {message}", function.definition.logical_id);
            return InvokeError::Unknown(message);
        };
        let mut environment = function.environment.clone();
        environment.insert("AWS_LAMBDA_RUNTIME_API".to_owned(), format!("http://{}/p/{id}", self.address));
        environment
            .insert("AWS_LAMBDA_LOG_STREAM_NAME".to_owned(), format!("{}/[$LATEST]{id:08}", function.definition.logical_id));
        let child =
            match process::start(&function.binary, &function.definition.binary, &environment, &function.output, self.group) {
                Ok(child) => child,
                Err(error) => {
                    return InvokeError::Unknown(format!("{} cannot be started: {error}", function.binary.display()));
                }
            };
        let (owner, signals) = mpsc::unbounded_channel();
        self.pool().started(id, owner, Some(built));
        let message = match process::own(child, signals).await {
            Ok(status) => format!("Runtime exited with error: {status}"),
            Err(error) => format!("Runtime exited with error: {error}"),
        };
        InvokeError::Failed { error_type: "Runtime.ExitError".to_owned(), message }
    }

    async fn sweep(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(SWEEP);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut count = 0_u32;
        loop {
            ticks.tick().await;
            let starts = self.pool().sweep(Instant::now());
            self.start_processes(starts);
            count = count.wrapping_add(1);
            if count.is_multiple_of(SWEEPS_PER_BUILD_CHECK) {
                self.pool().retire_outdated(|function| built_at(&self.functions[function]));
            }
        }
    }
}

fn built_at(function: &Function) -> Option<SystemTime> {
    std::fs::metadata(&function.binary).ok().filter(std::fs::Metadata::is_file)?.modified().ok()
}

/// What the process sees, but for the address that tells it apart from others of the same function.
fn environment(definition: &FunctionDefinition, options: &Options) -> BTreeMap<String, String> {
    let name = &definition.logical_id;
    let mut environment = definition.environment.clone();
    environment.extend(options.environment.clone());
    let own = [
        ("AWS_LAMBDA_FUNCTION_NAME", name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", definition.memory.to_string()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/local".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON".to_owned()),
        ("AWS_LAMBDA_LOG_LEVEL", "INFO".to_owned()),
        ("_HANDLER", "bootstrap".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
    ];
    environment.extend(own.map(|(key, value)| (key.to_owned(), value)));
    environment
}
