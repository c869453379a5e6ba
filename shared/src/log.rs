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
