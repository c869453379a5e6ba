//! Metrics in the text format of Prometheus, from the embedded metric lines functions print.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use serde_json::Value;

/// Upper bounds in milliseconds.
const BOUNDS: [f64; 13] = [1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10_000.0];

/// Label names and values, in the order of the names.
type Labels = BTreeMap<String, String>;

#[derive(Default)]
pub(super) struct Metrics(BTreeMap<String, Family>);

enum Family {
    /// Only grows.
    Counter(BTreeMap<Labels, f64>),
    /// The last value.
    Gauge(BTreeMap<Labels, f64>),
    /// Milliseconds.
    Histogram(BTreeMap<Labels, Histogram>),
}

#[derive(Default)]
struct Histogram {
    /// Observations at or under each bound.
    counts: [u64; BOUNDS.len()],
    count: u64,
    sum: f64,
}

impl Metrics {
    pub(super) fn count(&mut self, name: &str, labels: Labels, by: f64) {
        let name = format!("{}_total", plain_name(name).trim_end_matches("_total"));
        let family = self.0.entry(name).or_insert_with(|| Family::Counter(BTreeMap::new()));
        if let Family::Counter(values) = family {
            *values.entry(labels).or_default() += by;
        }
    }

    pub(super) fn observe_milliseconds(&mut self, name: &str, labels: Labels, value: f64) {
        let name = format!("{}_milliseconds", plain_name(name).trim_end_matches("_milliseconds"));
        let family = self.0.entry(name).or_insert_with(|| Family::Histogram(BTreeMap::new()));
        if let Family::Histogram(values) = family {
            values.entry(labels).or_default().observe(value);
        }
    }

    fn set(&mut self, name: &str, labels: Labels, value: f64) {
        let family = self.0.entry(plain_name(name)).or_insert_with(|| Family::Gauge(BTreeMap::new()));
        if let Family::Gauge(values) = family {
            values.insert(labels, value);
        }
    }

    /// Takes a line of the embedded metric format; leaves every other line.
    pub(super) fn read_line(&mut self, line: &str) {
        if !line.contains("\"_aws\"") {
            return;
        }
        let Ok(document) = serde_json::from_str::<Value>(line) else {
            return;
        };
        let Some(directives) = document["_aws"]["CloudWatchMetrics"].as_array() else {
            return;
        };
        for directive in directives {
            let labels = labels_of(directive, &document);
            for metric in directive["Metrics"].as_array().into_iter().flatten() {
                let Some(name) = metric["Name"].as_str() else {
                    continue;
                };
                let unit = metric["Unit"].as_str().unwrap_or("None");
                for value in values_of(&document[name]) {
                    self.record(name, unit, labels.clone(), value);
                }
            }
        }
    }

    fn record(&mut self, name: &str, unit: &str, labels: Labels, value: f64) {
        match unit {
            "Count" => self.count(name, labels, value),
            "Milliseconds" => self.observe_milliseconds(name, labels, value),
            "Seconds" => self.observe_milliseconds(name, labels, value * 1000.0),
            "Microseconds" => self.observe_milliseconds(name, labels, value / 1000.0),
            _ => self.set(name, labels, value),
        }
    }
}

impl Histogram {
    fn observe(&mut self, value: f64) {
        for (count, bound) in self.counts.iter_mut().zip(BOUNDS) {
            *count += u64::from(value <= bound);
        }
        self.count += 1;
        self.sum += value;
    }
}

impl fmt::Display for Metrics {
    fn fmt(&self, text: &mut fmt::Formatter) -> fmt::Result {
        for (name, family) in &self.0 {
            match family {
                Family::Counter(values) => {
                    writeln!(text, "# TYPE {name} counter")?;
                    write_values(text, name, values)?;
                }
                Family::Gauge(values) => {
                    writeln!(text, "# TYPE {name} gauge")?;
                    write_values(text, name, values)?;
                }
                Family::Histogram(values) => {
                    writeln!(text, "# TYPE {name} histogram")?;
                    for (labels, histogram) in values {
                        write_histogram(text, name, labels, histogram)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn write_values(text: &mut fmt::Formatter, name: &str, values: &BTreeMap<Labels, f64>) -> fmt::Result {
    for (labels, value) in values {
        writeln!(text, "{name}{} {value}", written(labels, None))?;
    }
    Ok(())
}

fn write_histogram(text: &mut fmt::Formatter, name: &str, labels: &Labels, histogram: &Histogram) -> fmt::Result {
    for (count, bound) in histogram.counts.iter().zip(BOUNDS) {
        writeln!(text, "{name}_bucket{} {count}", written(labels, Some(&bound.to_string())))?;
    }
    let plain = written(labels, None);
    writeln!(text, "{name}_bucket{} {}", written(labels, Some("+Inf")), histogram.count)?;
    writeln!(text, "{name}_sum{plain} {}", histogram.sum)?;
    writeln!(text, "{name}_count{plain} {}", histogram.count)
}

fn written(labels: &Labels, bound: Option<&str>) -> String {
    let mut written = String::new();
    let bound = bound.map(|bound| ("le", bound));
    let pairs = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in pairs.chain(bound) {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let separator = if written.is_empty() { '{' } else { ',' };
        // Writing to a string cannot fail.
        let _ = write!(written, "{separator}{name}=\"{value}\"");
    }
    if !written.is_empty() {
        written.push('}');
    }
    written
}

/// The largest set of dimensions: smaller ones are sums over it.
fn labels_of(directive: &Value, document: &Value) -> Labels {
    let sets = directive["Dimensions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let largest = sets.iter().filter_map(Value::as_array).max_by_key(|set| set.len());
    let names = largest.into_iter().flatten().filter_map(Value::as_str);
    names
        .map(|name| {
            let value = &document[name];
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (plain_name(name).to_lowercase(), text)
        })
        .collect()
}

fn values_of(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().filter_map(Value::as_f64).collect(),
        _ => value.as_f64().into_iter().collect(),
    }
}

/// With every character that Prometheus does not allow as `_`.
fn plain_name(name: &str) -> String {
    let allowed = |character: char| character.is_ascii_alphanumeric() || character == '_';
    name.chars().map(|one| if allowed(one) { one } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::Metrics;

    const LINE: &str = r#"{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"Balcao",
        "Dimensions":[["Route"],[]],"Metrics":[{"Name":"http_request_duration","Unit":"Milliseconds"},
        {"Name":"leads_created","Unit":"Count"},{"Name":"queue_age","Unit":"None"}]}]},
        "Route":"GET /a\"b","http_request_duration":[3,30],"leads_created":2,"queue_age":7.5}"#;

    #[test]
    fn reads_embedded_metrics() {
        let mut metrics = Metrics::default();
        metrics.read_line(LINE);
        metrics.read_line(LINE);
        metrics.read_line("plain text with \"_aws\"");
        metrics.read_line(r#"{"level":"info"}"#);
        let text = metrics.to_string();
        for line in [
            "# TYPE http_request_duration_milliseconds histogram",
            r#"http_request_duration_milliseconds_bucket{route="GET /a\"b",le="2.5"} 0"#,
            r#"http_request_duration_milliseconds_bucket{route="GET /a\"b",le="5"} 2"#,
            r#"http_request_duration_milliseconds_bucket{route="GET /a\"b",le="+Inf"} 4"#,
            r#"http_request_duration_milliseconds_sum{route="GET /a\"b"} 66"#,
            r#"http_request_duration_milliseconds_count{route="GET /a\"b"} 4"#,
            "# TYPE leads_created_total counter",
            r#"leads_created_total{route="GET /a\"b"} 4"#,
            "# TYPE queue_age gauge",
            r#"queue_age{route="GET /a\"b"} 7.5"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
