//! Lines on standard output, one JSON object each: no personal data, no tokens.

use serde_json::json;

/// Something that did not stop the work. `detail` is for us, never for the caller.
pub fn warn(message: &str, detail: &str) {
    println!("{}", json!({"level": "WARN", "message": message, "detail": detail}));
}

/// Something that stopped the work.
pub fn error(message: &str, detail: &str) {
    println!("{}", json!({"level": "ERROR", "message": message, "detail": detail}));
}

/// Work whose transaction failed for a passing reason and is done again: one line that is its own metric, `database_retries`.
/// `deadlock` and `serialization` among the reasons are a mistake in the order of locks.
pub fn done_again(route: &str, why: &str, cause: Option<&str>) {
    let metric = json!({
        "Namespace": "Balcao",
        "Dimensions": [["Route", "Kind"]],
        "Metrics": [{"Name": "database_retries", "Unit": "Count"}],
    });
    println!(
        "{}",
        json!({
            "level": "WARN",
            "message": "done again",
            "_aws": {"Timestamp": crate::clock::now().as_millisecond(), "CloudWatchMetrics": [metric]},
            "Route": route,
            "Kind": why,
            "database_retries": 1,
            "cause": cause,
        })
    );
}

/// An embedded metric (EMF) with the dimension `Route`.
pub fn metric(name: &str, unit: &str, value: f64, route: &str) {
    println!(
        "{}",
        json!({
            "_aws": {
                "Timestamp": crate::clock::now().as_millisecond(),
                "CloudWatchMetrics": [{"Namespace": "Balcao", "Dimensions": [["Route"]], "Metrics": [{"Name": name, "Unit": unit}]}],
            },
            "Route": route,
            name: value,
        })
    );
}
