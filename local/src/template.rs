//! What `template.yaml` declares, with `Ref`, `Fn::GetAtt` and `Fn::Sub` resolved.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

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

/// An `SQS` event of a function.
#[derive(Clone, Debug)]
pub struct EventSource {
    pub function: String,
    /// Logical id of the queue.
    pub queue: String,
    pub batch_size: usize,
    pub maximum_concurrency: usize,
    pub report_batch_item_failures: bool,
}

/// A `ScheduleV2` event of a function.
#[derive(Clone, Debug)]
pub struct ScheduleDefinition {
    pub function: String,
    /// `rate(1 minute)` or `cron(…)` as EventBridge Scheduler writes them.
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

/// Where the built function binaries are, for example `target/debug`.
#[derive(Clone, Debug)]
pub struct Binaries(pub PathBuf);
