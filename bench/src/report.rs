//! Figures, the table they are printed in and the file they are kept in.

use std::{fmt::Write as _, path::Path, time::Duration};

use anyhow::Result;
use hdrhistogram::Histogram;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Times in microseconds, to three digits.
pub struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        Self(Histogram::new(3).expect("three digits are allowed"))
    }
}

impl Times {
    pub fn add(&mut self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        // The histogram grows as needed, so that it takes every time.
        let _ = self.0.record(micros.max(1));
    }

    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// Milliseconds that this share of all times is within.
    pub fn at(&self, share: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "microseconds of minutes fit")]
        let micros = self.0.value_at_quantile(share) as f64;
        (micros / 10.0).round() / 100.0
    }
}

/// One line of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    pub measurement: &'static str,
    pub what: String,
    /// Milliseconds.
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub count: u64,
    /// What the p95 should not be above, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aim: Option<f64>,
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Figure {
    pub fn new(measurement: &'static str, what: impl Into<String>, times: &Times) -> Self {
        let (p50, p95, p99) = (times.at(0.5), times.at(0.95), times.at(0.99));
        Self { measurement, what: what.into(), p50, p95, p99, count: times.len(), aim: None, more: Map::new() }
    }

    pub fn aim(mut self, milliseconds: f64) -> Self {
        self.aim = Some(milliseconds);
        self
    }

    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// The line as it is printed.
    pub fn line(&self) -> String {
        let reached = match self.aim {
            Some(aim) if self.p95 <= aim => format!("≤ {aim} reached"),
            Some(aim) => format!("≤ {aim} MISSED"),
            None => String::new(),
        };
        let mut more = String::new();
        for (name, value) in &self.more {
            let _ = write!(more, "{name} {value}  ");
        }
        format!(
            "{:<11} {:<48} {:>8.2} {:>8.2} {:>8.2} {:>7}  {reached:<14} {more}",
            self.measurement, self.what, self.p50, self.p95, self.p99, self.count
        )
    }
}

pub const HEADING: &str =
    "measurement what                                                  p50 ms   p95 ms   p99 ms   count  p95 aim        more";

/// Prints each figure as it comes and keeps all of them.
#[derive(Default)]
pub struct Report {
    figures: Vec<Figure>,
}

impl Report {
    pub fn add(&mut self, figure: Figure) {
        println!("{}", figure.line());
        self.figures.push(figure);
    }

    /// Writes `<folder>/<date>.json`.
    pub fn write(&self, folder: &Path, machine: &Value) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(format!("{}.json", Timestamp::now().strftime("%Y-%m-%d")));
        let document = json!({"at": Timestamp::now().to_string(), "machine": machine, "figures": self.figures});
        std::fs::write(&path, serde_json::to_string_pretty(&document)? + "\n")?;
        println!("\nWritten to {}", path.display());
        Ok(())
    }
}

/// Cores, memory and load before the run.
pub fn machine() -> Value {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let memory = read("/proc/meminfo");
    let kilobytes = memory.lines().next().and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    let load = read("/proc/loadavg").split_whitespace().next().unwrap_or_default().to_owned();
    json!({
        "cores": std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        "memory_gb": kilobytes.map(|kilobytes| kilobytes / 1_000_000),
        "load_before": load,
    })
}
