//! What callers, processes and their owners tell each other through the pool.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::InvokeError;

pub type ProcessId = u64;

/// An event and the caller that waits for its answer.
pub struct Pending {
    pub request_id: String,
    pub payload: Bytes,
    pub queued_at: Instant,
    pub answer: oneshot::Sender<Answer>,
}

/// What the caller hears.
pub struct Answer {
    pub result: Result<Bytes, InvokeError>,
    pub cold: bool,
}

/// An event on its way to a process.
pub struct Delivery {
    pub request_id: String,
    pub payload: Bytes,
    pub timeout: Duration,
    pub function: usize,
}

/// What the task that owns a process is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Terminate,
    Kill,
    Freeze,
    Thaw,
}

/// What a process that asks for an event gets.
pub enum Next {
    Event(Delivery),
    Wait(oneshot::Receiver<Delivery>),
    /// The process is unknown or being stopped.
    Gone,
}

/// A process to start, outside the lock.
pub struct Start {
    pub process: ProcessId,
    pub function: usize,
}
