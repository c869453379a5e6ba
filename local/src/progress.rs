//! What is being started: a spinner on a terminal, plain lines elsewhere.

use std::{
    io::IsTerminal as _,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// Shows one step at a time.
pub struct Progress {
    bar: ProgressBar,
    current: Mutex<Option<(String, Instant)>>,
    is_terminal: bool,
}

impl Default for Progress {
    fn default() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        Self { bar, current: Mutex::default(), is_terminal: std::io::stderr().is_terminal() }
    }
}

impl Progress {
    /// The step before is finished, this one begins.
    pub fn step(&self, name: &str) {
        self.finish(Some((name.to_owned(), Instant::now())));
        if self.is_terminal {
            self.bar.set_message(name.to_owned());
            self.bar.enable_steady_tick(Duration::from_millis(80));
        }
    }

    /// The last step is finished.
    pub fn done(&self) {
        self.finish(None);
        self.bar.finish_and_clear();
    }

    fn finish(&self, next: Option<(String, Instant)>) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((name, since)) = std::mem::replace(&mut *current, next) {
            let line = format!("{name}: {} ms", since.elapsed().as_millis());
            if self.is_terminal {
                self.bar.println(line);
            } else {
                println!("{line}");
            }
        }
    }
}
