//! The local cloud: serves `template.yaml` on this machine with the real function binaries.

mod account;
pub mod cloud;
pub mod console;
pub mod dynamodb;
mod gateway;
pub mod http_api;
pub mod journal;
pub mod lambda;
mod leash;
mod loopback;
pub mod object_storage;
pub mod parameters;
pub mod postgres;
pub mod queues;
pub mod sandbox;
pub mod schedules;
pub mod seed;
mod service;
pub mod template;
pub mod websocket_api;

use std::{pin::Pin, sync::Arc};

use bytes::Bytes;

/// Calls one function by its logical id in the template with one event and waits for its answer.
/// The gateways, the queues and the schedules all reach functions through this.
pub type Invoke = Arc<dyn Fn(&str, Bytes) -> Pin<Box<dyn Future<Output = Result<Bytes, InvokeError>> + Send>> + Send + Sync>;

/// Why an invocation gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvokeError {
    /// The function answered with an error, crashed, or its result was too large.
    Failed { error_type: String, message: String },
    /// The function's own time-out passed; its process was killed.
    TimedOut,
    /// No process could take the event: the concurrency limit is reached.
    Throttled,
    /// The template has no such function, or its binary is not built.
    Unknown(String),
}

impl std::fmt::Display for InvokeError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed { error_type, message } => write!(formatter, "{error_type}: {message}"),
            Self::TimedOut => formatter.write_str("timed out"),
            Self::Throttled => formatter.write_str("throttled: no process was free in time"),
            Self::Unknown(message) => formatter.write_str(message),
        }
    }
}

impl std::error::Error for InvokeError {}
