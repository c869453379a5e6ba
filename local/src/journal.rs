//! What happened lately, kept in memory for the page at `/_local/` and for tests.

use std::{collections::VecDeque, sync::Mutex, time::Duration};

use jiff::Timestamp;
use serde::Serialize;

/// Entries kept; older ones are forgotten.
const KEPT: usize = 1000;

/// One finished invocation of a function.
#[derive(Clone, Debug, Serialize)]
pub struct Invocation {
    pub at: Timestamp,
    pub request_id: String,
    /// Logical id in the template.
    pub function: String,
    /// `http GET /conversations`, `websocket ping`, `queue BotQueue`, `schedule`.
    pub trigger: String,
    /// HTTP status where the answer carries one; `None` for other answers.
    pub status: Option<u16>,
    pub error: Option<String>,
    pub took: Duration,
    /// Whether a process was started for it.
    pub cold: bool,
}

/// One queue at this moment.
#[derive(Clone, Debug, Serialize)]
pub struct QueueSnapshot {
    pub logical_id: String,
    pub waiting: usize,
    pub in_flight: usize,
    /// Age of the oldest message.
    pub oldest: Option<Duration>,
    pub dead_letter: bool,
}

/// One open socket at this moment.
#[derive(Clone, Debug, Serialize)]
pub struct SocketSnapshot {
    pub connection_id: String,
    pub connected_at: Timestamp,
    pub last_active_at: Timestamp,
    pub frames_sent: u64,
    pub frames_received: u64,
}

/// Shared by the gateways, the functions' runtime and the console.
#[derive(Default)]
pub struct Journal {
    invocations: Mutex<VecDeque<Invocation>>,
}

impl Journal {
    pub fn record_invocation(&self, invocation: Invocation) {
        let mut invocations = self.invocations.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if invocations.len() == KEPT {
            invocations.pop_front();
        }
        invocations.push_back(invocation);
    }

    /// A line a function wrote to its standard output: a log line or an embedded metric.
    pub fn record_line(&self, _function: &str, _line: &str) {}

    /// The latest first.
    pub fn invocations(&self) -> Vec<Invocation> {
        let invocations = self.invocations.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        invocations.iter().rev().cloned().collect()
    }
}
