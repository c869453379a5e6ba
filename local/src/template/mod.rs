//! What `template.yaml` and the stacks nested in it declare, with `Ref`, `Fn::GetAtt`, `Fn::Sub` and `Fn::Join` resolved.

mod apis;
mod functions;
mod properties;
mod resolve;
mod resources;
mod yaml;

pub(crate) use resolve::function_arn;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};

/// What the caller decides before the template can be resolved.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Values that replace the defaults of the template's `Parameters`.
    pub parameters: BTreeMap<String, String>,
    /// Base of every queue URL, for example `http://127.0.0.1:8792`.
    pub queue_endpoint: String,
}

/// Everything the local cloud serves, in the order of the template.
#[derive(Clone, Debug, Default)]
pub struct Template {
    pub functions: Vec<FunctionDefinition>,
    pub tables: Vec<TableDefinition>,
    pub buckets: Vec<BucketDefinition>,
    pub queues: Vec<QueueDefinition>,
    pub event_sources: Vec<EventSource>,
    pub schedules: Vec<ScheduleDefinition>,
    pub http_apis: Vec<HttpApiDefinition>,
    pub web_socket_api: Option<WebSocketApiDefinition>,
}

impl Template {
    /// Reads and resolves the template in `file`, with the templates of its nested stacks.
    ///
    /// # Errors
    /// When a file cannot be read, or uses something the local cloud does not serve; the message names the
    /// resource, the property and the construct.
    pub fn read(file: &Path, settings: &Settings) -> Result<Self> {
        resources::read(resources::Document::read(file)?, settings).with_context(|| format!("in {}", file.display()))
    }

    /// Resolves the template in `text`, which can have no nested stacks.
    ///
    /// # Errors
    /// As [`Template::read`].
    pub fn parse(text: &str, settings: &Settings) -> Result<Self> {
        resources::read(resources::Document::parse(text)?, settings)
    }
}

/// One `AWS::Serverless::Function`.
#[derive(Clone, Debug)]
pub struct FunctionDefinition {
    pub logical_id: String,
    /// Name of the binary: the last part of `CodeUri`.
    pub binary: String,
    pub environment: BTreeMap<String, String>,
    pub timeout: Duration,
    /// Megabytes; told to the function, not enforced.
    pub memory: u32,
}

/// One `AWS::SQS::Queue`. `Ref` is its URL, `Arn` and `QueueName` are its attributes.
#[derive(Clone, Debug)]
pub struct QueueDefinition {
    pub logical_id: String,
    /// Ends in `.fifo` for a FIFO queue.
    pub name: String,
    pub visibility_timeout: Duration,
    pub retention: Duration,
    /// Logical id of the dead-letter queue and `maxReceiveCount`.
    pub dead_letter: Option<(String, u32)>,
}

impl QueueDefinition {
    /// Whether it keeps its groups in order.
    #[must_use]
    pub fn is_fifo(&self) -> bool {
        self.name.rsplit_once('.').is_some_and(|(_, end)| end == "fifo")
    }
}

/// An `SQS` event of a function.
#[derive(Clone, Debug)]
pub struct EventSource {
    pub function: String,
    /// Logical id of the queue, which may be declared by another template.
    pub queue: String,
    pub batch_size: usize,
    pub maximum_concurrency: usize,
    pub report_batch_item_failures: bool,
}

/// A `ScheduleV2` event of a function.
#[derive(Clone, Debug)]
pub struct ScheduleDefinition {
    pub function: String,
    /// `rate(1 minute)` or `cron(…)` as `EventBridge` Scheduler writes them.
    pub expression: String,
    /// IANA name; UTC when the template gives none.
    pub time_zone: String,
    pub input: String,
}

/// One `AWS::DynamoDB::Table`; `properties` is the template's `Properties` as JSON.
#[derive(Clone, Debug)]
pub struct TableDefinition {
    pub logical_id: String,
    pub name: String,
    pub properties: serde_json::Value,
}

/// One `AWS::S3::Bucket`; `cors_rules` is `CorsConfiguration.CorsRules` as JSON.
#[derive(Clone, Debug)]
pub struct BucketDefinition {
    pub logical_id: String,
    pub name: String,
    pub cors_rules: Vec<serde_json::Value>,
}

/// One `AWS::Serverless::HttpApi` with an `OpenAPI` `DefinitionBody`.
#[derive(Clone, Debug)]
pub struct HttpApiDefinition {
    pub logical_id: String,
    /// Keys of its mappings, without slashes at the ends; the empty one is the root.
    pub base_paths: Vec<String>,
    pub routes: Vec<RouteDefinition>,
    pub cors: Option<CorsDefinition>,
    pub throttle: Option<ThrottleDefinition>,
}

/// One method of one path of an HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteDefinition {
    /// Upper case; `ANY` for every method.
    pub method: String,
    /// As in the template, with `{name}` and `{name+}`; `$default` for what nothing else matches.
    pub path: String,
    /// Logical id of the function.
    pub function: String,
}

/// `CorsConfiguration` of an HTTP API.
#[derive(Clone, Debug, Default)]
pub struct CorsDefinition {
    pub allow_origins: Vec<String>,
    pub allow_methods: Vec<String>,
    pub allow_headers: Vec<String>,
    pub expose_headers: Vec<String>,
    pub max_age: Option<u64>,
    pub allow_credentials: bool,
}

/// `DefaultRouteSettings` of an HTTP API: requests per second, and how many at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThrottleDefinition {
    pub rate: f64,
    pub burst: f64,
}

/// The `AWS::Serverless::WebSocketApi`.
#[derive(Clone, Debug)]
pub struct WebSocketApiDefinition {
    pub logical_id: String,
    /// What `Ref` of the API gives.
    pub api_id: String,
    pub stage: String,
    /// Member of the JSON message that names the route: `action` for `$request.body.action`.
    pub selector: String,
    /// Route key to the logical id of its function.
    pub routes: BTreeMap<String, String>,
}

/// Where the built programs are, for example `target/debug`.
#[derive(Clone, Debug)]
pub struct Binaries(pub PathBuf);

impl Binaries {
    /// The program that is this function when called by its name: that of its domain, as built while developing, or its own.
    #[must_use]
    pub fn of(&self, function: &str) -> PathBuf {
        let domains = std::fs::read_dir("functions").into_iter().flatten().flatten();
        let mut domains = domains.filter(|domain| domain.path().join(format!("src/bin/{function}.rs")).exists());
        let shared = domains.next().map(|domain| self.0.join(domain.file_name()));
        shared.filter(|program| program.exists()).unwrap_or_else(|| self.0.join(function))
    }
}
