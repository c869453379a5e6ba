//! Which process takes which event: one event at a time per process, more processes under load.
//!
//! Events wait in one queue per function, and processes fetch them: an event is never tied to a process that is
//! still starting when another one becomes free earlier.

mod messages;
mod sweep;

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use tokio::sync::{mpsc::UnboundedSender, oneshot};

pub(super) use self::messages::{Answer, Delivery, Next, Pending, ProcessId, Signal, Start};
use super::Limits;
use crate::InvokeError;

enum Stage {
    Starting { since: Instant },
    Idle { since: Instant, next: oneshot::Sender<Delivery> },
    Busy { request_id: String, deadline: Instant, answer: oneshot::Sender<Answer> },
    Returning { since: Instant },
    Stopping,
}

struct Process {
    function: usize,
    stage: Stage,
    owner: Option<UnboundedSender<Signal>>,
    used: bool,
    /// What the process said about why it could not start.
    init_error: Option<InvokeError>,
    /// When the binary it runs was built.
    built: Option<SystemTime>,
}

/// Processes and waiting events of one function.
#[derive(Default)]
struct Function {
    timeout: Duration,
    queue: VecDeque<Pending>,
    /// The one used last is at the end and is used first.
    idle: Vec<ProcessId>,
    starting: usize,
    returning: usize,
    live: usize,
}

/// All processes of all functions.
pub(super) struct Pool {
    limits: Limits,
    functions: Vec<Function>,
    processes: HashMap<ProcessId, Process>,
    last_process: ProcessId,
    /// Processes that are not being stopped.
    live: usize,
    closed: bool,
}

impl Pool {
    pub fn new(limits: Limits, timeouts: impl Iterator<Item = Duration>) -> Self {
        let functions = timeouts.map(|timeout| Function { timeout, ..Function::default() }).collect();
        Self { limits, functions, processes: HashMap::new(), last_process: 0, live: 0, closed: false }
    }

    /// Hands the event to an idle process, or queues it and says which processes to start.
    pub fn add(&mut self, function: usize, mut pending: Pending) -> Vec<Start> {
        if self.closed {
            let error = InvokeError::Failed {
                error_type: "Local.Stopping".to_owned(),
                message: "the local cloud is stopping".to_owned(),
            };
            let _ = pending.answer.send(Answer { result: Err(error), cold: false });
            return Vec::new();
        }
        while let Some(id) = self.functions[function].idle.pop() {
            match self.hand_over(id, pending) {
                Ok(()) => return Vec::new(),
                // Its connection is gone: the process is about to end.
                Err(back) => {
                    pending = back;
                    self.retire(id, Signal::Kill);
                }
            }
        }
        self.functions[function].queue.push_back(pending);
        self.balance(function, true)
    }

    fn hand_over(&mut self, id: ProcessId, pending: Pending) -> Result<(), Pending> {
        let Some(process) = self.processes.get_mut(&id) else {
            return Err(pending);
        };
        if !matches!(process.stage, Stage::Idle { .. }) {
            return Err(pending);
        }
        let timeout = self.functions[process.function].timeout;
        let Pending { request_id, payload, queued_at, answer } = pending;
        let busy = Stage::Busy { request_id: request_id.clone(), deadline: Instant::now() + timeout, answer };
        let Stage::Idle { next, .. } = std::mem::replace(&mut process.stage, busy) else { unreachable!("checked above") };
        if self.limits.freeze {
            process.tell(Signal::Thaw);
        }
        let delivery = Delivery { request_id, payload, timeout, function: process.function };
        next.send(delivery).map_err(|delivery| {
            let Stage::Busy { answer, .. } = std::mem::replace(&mut process.stage, Stage::Stopping) else {
                unreachable!("set above")
            };
            process.stage = Stage::Returning { since: queued_at };
            self.functions[process.function].returning += 1;
            Pending { request_id: delivery.request_id, payload: delivery.payload, queued_at, answer }
        })
    }

    /// Starts what the queue of `function` needs. `patient` counts processes that are about to come back.
    fn balance(&mut self, function: usize, patient: bool) -> Vec<Start> {
        let mut starts = Vec::new();
        loop {
            let state = &self.functions[function];
            let coming = state.starting + if patient { state.returning } else { 0 };
            if self.closed || state.queue.len() <= coming || state.live >= self.limits.per_function {
                return starts;
            }
            if self.live >= self.limits.total && !self.retire_least_recently_used() {
                return starts;
            }
            self.last_process += 1;
            let id = self.last_process;
            self.processes.insert(id, Process::new(function));
            let state = &mut self.functions[function];
            state.starting += 1;
            state.live += 1;
            self.live += 1;
            starts.push(Start { process: id, function });
        }
    }

    fn retire_least_recently_used(&mut self) -> bool {
        let idle = self.processes.iter().filter_map(|(id, process)| match process.stage {
            Stage::Idle { since, .. } => Some((since, *id)),
            _ => None,
        });
        let Some((_, id)) = idle.min() else {
            return false;
        };
        self.retire(id, Signal::Terminate);
        true
    }

    /// Takes the process out of every count and lets its owner end it.
    fn retire(&mut self, id: ProcessId, signal: Signal) -> Option<oneshot::Sender<Answer>> {
        let process = self.processes.get_mut(&id)?;
        let state = &mut self.functions[process.function];
        let answer = match std::mem::replace(&mut process.stage, Stage::Stopping) {
            Stage::Stopping => return None,
            Stage::Starting { .. } => {
                state.starting -= 1;
                None
            }
            Stage::Idle { .. } => {
                state.idle.retain(|idle| *idle != id);
                None
            }
            Stage::Returning { .. } => {
                state.returning -= 1;
                None
            }
            Stage::Busy { answer, .. } => Some(answer),
        };
        state.live -= 1;
        self.live -= 1;
        process.tell(signal);
        answer
    }

    /// The process was started; `owner` takes signals for it.
    pub fn started(&mut self, id: ProcessId, owner: UnboundedSender<Signal>, built: Option<SystemTime>) {
        if let Some(process) = self.processes.get_mut(&id) {
            process.built = built;
            process.owner = Some(owner);
            if matches!(process.stage, Stage::Stopping) {
                process.tell(Signal::Kill);
            }
        }
    }

    /// The process asks for an event.
    pub fn next(&mut self, id: ProcessId) -> (Next, Vec<Start>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return (Next::Gone, Vec::new());
        };
        let state = &mut self.functions[process.function];
        match process.stage {
            Stage::Starting { .. } => state.starting -= 1,
            Stage::Returning { .. } => state.returning -= 1,
            Stage::Idle { .. } => state.idle.retain(|idle| *idle != id),
            Stage::Busy { .. } | Stage::Stopping => return (Next::Gone, Vec::new()),
        }
        let (sender, receiver) = oneshot::channel();
        process.stage = Stage::Idle { since: Instant::now(), next: sender };
        if let Some(pending) = state.queue.pop_front() {
            // The receiver is still held here, so the event cannot come back.
            let mut receiver = receiver;
            let _ = self.hand_over(id, pending);
            return (receiver.try_recv().map_or(Next::Gone, Next::Event), Vec::new());
        }
        state.idle.push(id);
        if self.limits.freeze {
            process.tell(Signal::Freeze);
        }
        // Another function may wait for room that this idle process takes.
        let mut starts = Vec::new();
        if self.live >= self.limits.total
            && let Some(starved) =
                self.functions.iter().position(|function| function.queue.len() > function.starting + function.returning)
        {
            starts = self.balance(starved, true);
        }
        (Next::Wait(receiver), starts)
    }

    /// Whether `request_id` is what the process works on.
    pub fn works_on(&self, id: ProcessId, request_id: &str) -> bool {
        matches!(self.processes.get(&id), Some(Process { stage: Stage::Busy { request_id: current, .. }, .. }) if current == request_id)
    }

    /// The process answered; `false` when it does not work on that request.
    pub fn finish(&mut self, id: ProcessId, request_id: &str, result: Result<Bytes, InvokeError>) -> bool {
        if !self.works_on(id, request_id) {
            return false;
        }
        let Some(process) = self.processes.get_mut(&id) else {
            return false;
        };
        let stage = std::mem::replace(&mut process.stage, Stage::Returning { since: Instant::now() });
        let cold = !std::mem::replace(&mut process.used, true);
        self.functions[process.function].returning += 1;
        if let Stage::Busy { answer, .. } = stage {
            let _ = answer.send(Answer { result, cold });
        }
        true
    }

    /// The process says that it cannot start; it will exit now.
    pub fn init_failed(&mut self, id: ProcessId, error: InvokeError) {
        if let Some(process) = self.processes.get_mut(&id) {
            process.init_error = Some(error);
        }
    }

    /// The process ended, or could not be started. Only the caller it worked for hears about it.
    pub fn exited(&mut self, id: ProcessId, error: InvokeError) -> Vec<Start> {
        let Some(process) = self.processes.get_mut(&id) else {
            return Vec::new();
        };
        let function = process.function;
        let error = process.init_error.take().unwrap_or(error);
        let cold = !process.used;
        let starting = matches!(process.stage, Stage::Starting { .. });
        let answer = self.retire(id, Signal::Kill);
        self.processes.remove(&id);
        let waiting = if starting { self.functions[function].queue.pop_front().map(|pending| pending.answer) } else { None };
        if let Some(answer) = answer.or(waiting) {
            let _ = answer.send(Answer { result: Err(error), cold });
        }
        self.balance(function, true)
    }

    /// Processes that have not ended, including those being stopped.
    pub fn process_count(&self) -> usize {
        self.processes.len()
    }

    /// Processes of one function that can take events or will soon.
    pub fn live_of(&self, function: usize) -> usize {
        self.functions[function].live
    }
}

impl Process {
    fn new(function: usize) -> Self {
        let stage = Stage::Starting { since: Instant::now() };
        Self { function, stage, owner: None, used: false, init_error: None, built: None }
    }

    fn tell(&self, signal: Signal) {
        if let Some(owner) = &self.owner {
            let _ = owner.send(signal);
        }
    }
}
