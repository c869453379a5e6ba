//! The only place that asks the system for the time or for an id.

#![expect(clippy::disallowed_methods, reason = "everything else gets time and ids through here")]

use std::time::Instant;

use jiff::Timestamp;
use uuid::Uuid;

/// The wall clock.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// A clock for measuring.
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}

/// UUID version 7.
#[must_use]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}
