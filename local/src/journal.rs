//! What happened lately, kept in memory for the page at `/_local/` and for tests.

mod metrics;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde::Serialize;

use metrics::Metrics;

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

/// One line a function wrote.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    pub at: Timestamp,
    /// Logical id in the template.
    pub function: String,
    pub text: String,
}

/// Shared by the gateways, the functions' runtime and the console.
#[derive(Default)]
pub struct Journal {
    invocations: Mutex<VecDeque<Invocation>>,
    failures: Mutex<VecDeque<Invocation>>,
    lines: Mutex<VecDeque<Line>>,
    metrics: Mutex<Metrics>,
}

impl Journal {
    pub fn record_invocation(&self, invocation: Invocation) {
        let function = || ("function".to_owned(), invocation.function.clone());
        let outcome = match (&invocation.error, invocation.status) {
            (Some(_), _) => "error".to_owned(),
            (None, Some(status)) => status.to_string(),
            (None, None) => "ok".to_owned(),
        };
        let counted =
            BTreeMap::from([function(), ("outcome".to_owned(), outcome), ("cold".to_owned(), invocation.cold.to_string())]);
        let milliseconds = invocation.took.as_secs_f64() * 1000.0;
        let mut metrics = lock(&self.metrics);
        metrics.count("local_invocations", counted, 1.0);
        let timed = BTreeMap::from([function()]);
        metrics.observe_milliseconds("local_invocation_duration", timed, milliseconds);
        drop(metrics);
        if invocation.error.is_some() {
            push(&self.failures, invocation.clone());
        }
        push(&self.invocations, invocation);
    }

    /// A line a function wrote to its standard output: a log line or an embedded metric.
    pub fn record_line(&self, function: &str, line: &str) {
        lock(&self.metrics).read_line(line);
        let (function, text) = (function.to_owned(), line.to_owned());
        push(&self.lines, Line { at: Timestamp::now(), function, text });
    }

    /// The latest first.
    pub fn invocations(&self) -> Vec<Invocation> {
        lock(&self.invocations).iter().rev().cloned().collect()
    }

    /// Those whose function did not answer, the latest first.
    pub fn failures(&self) -> Vec<Invocation> {
        lock(&self.failures).iter().rev().cloned().collect()
    }

    /// The latest first.
    pub fn lines(&self) -> Vec<Line> {
        lock(&self.lines).iter().rev().cloned().collect()
    }

    /// Everything counted since the start, in the text format of Prometheus.
    pub fn metrics(&self) -> String {
        lock(&self.metrics).to_string()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn push<T>(entries: &Mutex<VecDeque<T>>, entry: T) {
    let mut entries = lock(entries);
    if entries.len() == KEPT {
        entries.pop_front();
    }
    entries.push_back(entry);
}
