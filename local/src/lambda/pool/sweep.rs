//! What happens to processes and events as time passes.

use std::time::{Duration, Instant, SystemTime};

use super::{Answer, Pool, Signal, Stage, Start};
use crate::InvokeError;

/// Time the Lambda service gives a process to ask for its first event, before the time of that event begins to count.
const INIT_LIMIT: Duration = Duration::from_secs(10);
/// How long a process that has just answered is expected back for its next event before another is started.
const RETURN_GRACE: Duration = Duration::from_millis(100);

impl Pool {
    /// Ends what took too long; called several times a second.
    pub fn sweep(&mut self, now: Instant) -> Vec<Start> {
        let mut late = Vec::new();
        let mut slow_to_start = Vec::new();
        let mut unused = Vec::new();
        for (id, process) in &self.processes {
            match &process.stage {
                Stage::Busy { deadline, .. } if *deadline <= now => late.push(*id),
                Stage::Starting { since }
                    if now.duration_since(*since) > INIT_LIMIT + self.functions[process.function].timeout =>
                {
                    slow_to_start.push(*id);
                }
                Stage::Idle { since, .. } if now.duration_since(*since) > self.limits.idle => {
                    unused.push(*id);
                }
                // It answered but never asked for another event: it hangs.
                Stage::Returning { since } if now.duration_since(*since) > INIT_LIMIT => {
                    unused.push(*id);
                }
                _ => {}
            }
        }
        for id in late {
            let cold = self.processes.get(&id).is_some_and(|process| !process.used);
            if let Some(answer) = self.retire(id, Signal::Kill) {
                let _ = answer.send(Answer { result: Err(InvokeError::TimedOut), cold });
            }
        }
        for id in slow_to_start {
            let function = self.processes[&id].function;
            self.retire(id, Signal::Kill);
            if let Some(pending) = self.functions[function].queue.pop_front() {
                let _ = pending.answer.send(Answer { result: Err(InvokeError::TimedOut), cold: true });
            }
        }
        for id in unused {
            self.retire(id, Signal::Terminate);
        }
        let mut starts = Vec::new();
        for function in 0..self.functions.len() {
            let state = &mut self.functions[function];
            while state.starting == 0
                && state.queue.front().is_some_and(|pending| now.duration_since(pending.queued_at) > self.limits.queue_wait)
            {
                if let Some(pending) = state.queue.pop_front() {
                    let _ = pending.answer.send(Answer { result: Err(InvokeError::Throttled), cold: false });
                }
            }
            let patient = state.queue.front().is_none_or(|pending| now.duration_since(pending.queued_at) < RETURN_GRACE);
            if !state.queue.is_empty() {
                starts.extend(self.balance(function, patient));
            }
        }
        starts
    }

    /// Stops idle processes whose binary was built again since they started.
    pub fn retire_outdated(&mut self, built: impl Fn(usize) -> Option<SystemTime>) {
        let outdated = self.processes.iter().filter(|(_, process)| {
            let current = built(process.function);
            matches!(process.stage, Stage::Idle { .. })
                && current.is_some()
                && process.built.is_some()
                && process.built != current
        });
        for id in outdated.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.retire(id, Signal::Terminate);
        }
    }

    /// Kills every process of a function in the middle of whatever it does; how many. Callers hear of it when it has exited.
    pub fn kill(&mut self, function: usize) -> usize {
        let of_function = self.processes.iter().filter(|(_, process)| process.function == function);
        let living = of_function.filter(|(_, process)| !matches!(process.stage, Stage::Stopping)).map(|(id, _)| *id);
        let living: Vec<_> = living.collect();
        for id in &living {
            match &self.processes[id] {
                busy if matches!(busy.stage, Stage::Busy { .. }) => busy.tell(Signal::Kill),
                // It takes no event any more.
                _ => drop(self.retire(*id, Signal::Kill)),
            }
        }
        living.len()
    }

    /// Ends every process; events that wait or come later fail.
    pub fn close(&mut self) {
        self.closed = true;
        for id in self.processes.keys().copied().collect::<Vec<_>>() {
            self.retire(id, Signal::Terminate);
        }
        for function in &mut self.functions {
            function.queue.clear();
        }
    }
}
