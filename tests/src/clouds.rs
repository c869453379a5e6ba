//! The clouds that the tests run on. The first one is everybody's; further ones are started for tests that want one to themselves.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use tests::Stack;
use tokio::runtime::Runtime;

use crate::Case;

/// What goes through all routes makes more requests in a minute as one person than people do.
const PARAMETERS: [&str; 6] = [
    "--parameter",
    "UnknownOutcomeSeconds=6",
    "--parameter",
    "DefaultCompany=Escola Padrão",
    "--parameter",
    "UserRequestsPerMinute=60000",
];

/// Function processes of the first cloud: more than there are functions, because what goes through all routes would start each of them again. One
/// takes some 12 MB with its connection. The others are for tests that are about few of them.
const MOST_PROCESSES: &str = "400";
const PROCESSES: &str = "120";

/// Tests that `slowest` names.
const SHOWN: usize = 20;

pub struct Clouds {
    runtime: Runtime,
    begun: AtomicUsize,
    /// In the order in which they became ready.
    all: Mutex<Vec<Arc<Stack>>>,
    free: Mutex<Vec<Arc<Stack>>>,
    took: Mutex<Vec<(Duration, &'static str)>>,
    failed: Mutex<Vec<&'static str>>,
}

impl Clouds {
    /// Starts the first one.
    pub fn start() -> Result<Arc<Self>> {
        let runtime = Runtime::new()?;
        let begun = AtomicUsize::new(0);
        let clouds = Self {
            runtime,
            begun,
            all: Mutex::default(),
            free: Mutex::default(),
            took: Mutex::default(),
            failed: Mutex::default(),
        };
        let first = clouds.another()?;
        locked(&clouds.free).push(first);
        Ok(Arc::new(clouds))
    }

    fn another(&self) -> Result<Arc<Stack>> {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let directory = if number == 0 { ".local/tests".to_owned() } else { format!(".local/tests-{number}") };
        let program = std::env::current_exe()?;
        let binaries = program.parent().context("the tests have no folder")?;
        let most = if number == 0 { MOST_PROCESSES } else { PROCESSES };
        let options = [PARAMETERS.as_slice(), &["--max-processes", most, "--no-throttle"]].concat();
        let stack = Arc::new(self.runtime.block_on(Stack::start(&PathBuf::from(directory), binaries, &options))?);
        locked(&self.all).push(Arc::clone(&stack));
        Ok(stack)
    }

    pub fn all(&self) -> Vec<Arc<Stack>> {
        locked(&self.all).clone()
    }

    /// Runs a test on a cloud, whatever else runs on it.
    pub fn run_on(&self, stack: &Arc<Stack>, (name, case): (&'static str, Case)) {
        let start = Instant::now();
        let ended = catch_unwind(AssertUnwindSafe(|| self.runtime.block_on(case(Arc::clone(stack)))));
        locked(&self.took).push((start.elapsed(), name));
        if let Err(panic) = ended {
            locked(&self.failed).push(name);
            eprintln!("{name} has failed. {}", self.runtime.block_on(stack.unsettled()));
            resume_unwind(panic);
        }
    }

    /// Runs a test on a cloud that no other has meanwhile; on a new one when none is free.
    pub fn run_alone(&self, case: (&'static str, Case)) -> Result<()> {
        let free = locked(&self.free).pop();
        let taken = Taken { clouds: self, stack: free.map_or_else(|| self.another(), Ok)? };
        self.run_on(&taken.stack, case);
        Ok(())
    }

    /// The tests that have failed so far.
    pub fn failed(&self) -> Vec<&'static str> {
        locked(&self.failed).clone()
    }

    /// The tests that took longest, the slowest first: where a run's time goes.
    pub fn slowest(&self) -> Vec<String> {
        let mut took = locked(&self.took).clone();
        took.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
        took.truncate(SHOWN);
        took.into_iter().map(|(time, name)| format!("{:>4} s  {name}", time.as_secs())).collect()
    }

    /// Operations that were answered with success on none.
    pub fn never_exercised(&self) -> Vec<String> {
        let mut all = self.all().into_iter().map(|stack| stack.openapi.never_exercised());
        let mut never = all.next().unwrap_or_default();
        for other in all {
            never.retain(|operation| other.contains(operation));
        }
        never
    }

    /// Stops them; tells their folders.
    pub fn stop(self: Arc<Self>) -> Vec<PathBuf> {
        let directories = self.all().iter().map(|stack| stack.directory.clone()).collect();
        locked(&self.free).clear();
        for stack in std::mem::take(&mut *locked(&self.all)).into_iter().filter_map(Arc::into_inner) {
            self.runtime.block_on(stack.stop());
        }
        directories
    }
}

/// Free again when the test has ended, also by a panic.
struct Taken<'clouds> {
    clouds: &'clouds Clouds,
    stack: Arc<Stack>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        locked(&self.clouds.free).push(Arc::clone(&self.stack));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
