//! How often a piece of work has been to the database, and for how long it has been at work.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

/// Round trips of one piece of work. Flights at the same time are one.
pub(crate) struct Trips {
    started: Instant,
    made: AtomicU32,
    in_flight: AtomicU32,
}

/// Something is on its way to the database.
pub(crate) struct Flight<'trips>(&'trips AtomicU32);

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Trips {
    pub(crate) fn new() -> Self {
        Self { started: crate::clock::monotonic(), made: AtomicU32::new(0), in_flight: AtomicU32::new(0) }
    }

    /// Marks a flight there and back, until the guard is dropped.
    pub(crate) fn flight(&self) -> Flight<'_> {
        if self.in_flight.fetch_add(1, Ordering::Relaxed) == 0 {
            self.made.fetch_add(1, Ordering::Relaxed);
        }
        Flight(&self.in_flight)
    }

    pub(crate) fn made(&self) -> u32 {
        self.made.load(Ordering::Relaxed)
    }

    /// Time since the work began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}
