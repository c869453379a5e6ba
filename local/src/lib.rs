//! The local cloud: serves `template.yaml` on this machine with the real function binaries.

pub mod console;
pub mod journal;
pub mod sandbox;
pub mod template;

use std::{pin::Pin, sync::Arc};

use bytes::Bytes;

/// Calls one function by its logical id in the template with one event and waits for its answer.
/// The gateways, the queues and the schedules all reach functions through this.
pub type Invoke = Arc<
    dyn Fn(&str, Bytes) -> Pin<Box<dyn Future<Output = Result<Bytes, InvokeError>> + Send>>
        + Send
        + Sync,
>;

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
