//! What the log says of a piece of work once it is done.

use std::time::Duration;

use serde_json::json;

use crate::{context::Context, log};

/// The one line of a finished request or job, and its duration as an embedded metric.
pub(super) fn finished(context: &Context, kind: &str, status: &str, cold: bool, cause: Option<&str>) {
    let origin = context.origin();
    let identity = context.identity();
    let milliseconds = in_milliseconds(context.elapsed());
    println!(
        "{}",
        json!({
            "level": if status.starts_with('5') { "ERROR" } else { "INFO" },
            "message": kind,
            "request_id": origin.request_id,
            "route": origin.function,
            "company": identity.as_ref().map(|identity| identity.company_id),
            "user": identity.as_ref().map(|identity| identity.user_id),
            "status": status,
            "ms": milliseconds,
            "cold": cold,
            "round_trips": context.trips().made(),
            "cause": cause,
        })
    );
    log::metric(&format!("{kind}_duration"), "Milliseconds", milliseconds, &origin.function);
}

fn in_milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}
