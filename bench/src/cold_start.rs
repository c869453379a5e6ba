//! From the spawn of a process to its first answer, beside the least a function can be.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use serde_json::Value;
use tests::Stack;

use crate::{
    desk::Desk,
    function::{Function, Launch, http_event, launches},
    overhead::Events,
    report::{Figure, Report, Times},
};

/// Starts of each of the routes with a real event.
const STARTS: usize = 20;
/// Starts of all others, whose sample event is refused for its token.
const FEW_STARTS: usize = 4;

/// Times the start of `hello` is allowed.
const AIM: f64 = 2.0;

struct Measured {
    times: Times,
    memory: f64,
    megabytes: f64,
}

pub async fn run(stack: &Stack, desk: &Desk, report: &mut Report) -> Result<()> {
    let launches = launches(stack).await?;
    let events = Events::new(stack, desk).await;
    let folder = launches.values().next().and_then(|launch| launch.binary.parent()).context("a folder of binaries")?;
    let environment = launches.values().next().map(|launch| launch.environment.clone()).unwrap_or_default();
    let hello = Launch { binary: folder.join("hello"), environment };
    let base = measure(&hello, STARTS, || http_event("GET", "/", "", Value::default(), None)).await?;
    let median = base.times.at(0.5);
    let show = |name: &str, measured: &Measured| {
        let ratio = (measured.times.at(0.5) / median * 100.0).round() / 100.0;
        let figure = Figure::new("cold start", name, &measured.times).with("times_hello", ratio);
        figure.with("megabytes", measured.megabytes).with("resident_megabytes", measured.memory)
    };
    report.add(show("hello (bare lambda_http)", &base));
    for route in Events::ROUTES {
        let launch = launches.get(route).with_context(|| format!("{route} is not in the template"))?;
        let measured = measure(launch, STARTS, || events.of(route).unwrap_or_default()).await?;
        report.add(show(route, &measured).aim((base.times.at(0.95) * AIM * 100.0).round() / 100.0));
    }
    let samples: BTreeMap<&String, Value> = launches.keys().filter_map(|name| Some((name, sample(name)?))).collect();
    let mut others = Measured { times: Times::default(), memory: 0.0, megabytes: 0.0 };
    for (name, launch) in launches.iter().filter(|(name, _)| !Events::ROUTES.contains(&name.as_str())) {
        let Some(event) = samples.get(name) else { continue };
        for _ in 0..FEW_STARTS {
            let (took, memory) = start_once(launch, event).await.with_context(|| name.clone())?;
            others.times.add(took);
            others.memory = others.memory.max(memory);
        }
        others.megabytes = others.megabytes.max(size(&launch.binary)?);
    }
    report.add(show("the others, sample events (largest)", &others));
    let sizes = launches.values().map(|launch| size(&launch.binary)).collect::<Result<Vec<_>>>()?;
    println!("{} binaries, {:.0} MB together", sizes.len(), sizes.iter().sum::<f64>());
    Ok(())
}

async fn measure(launch: &Launch, starts: usize, event: impl Fn() -> Value) -> Result<Measured> {
    let mut times = Times::default();
    let mut largest: f64 = 0.0;
    for number in 0..=starts {
        let (took, memory) = start_once(launch, &event()).await?;
        // The first one brings the file into memory.
        if number > 0 {
            times.add(took);
        }
        largest = largest.max(memory);
    }
    Ok(Measured { times, memory: largest, megabytes: size(&launch.binary)? })
}

async fn start_once(launch: &Launch, event: &Value) -> Result<(Duration, f64)> {
    let start = Instant::now();
    let mut function = Function::start(&launch.binary, &launch.environment, None).await?;
    let (answered, _) = function.call(event).await?;
    let memory = function.memory();
    function.stop().await;
    Ok((answered - start, memory))
}

fn size(binary: &Path) -> Result<f64> {
    #[expect(clippy::cast_precision_loss, reason = "sizes of files fit")]
    let bytes = std::fs::metadata(binary)?.len() as f64;
    Ok((bytes / 100_000.0).round() / 10.0)
}

fn sample(name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(format!("events/{name}.json")).ok()?;
    serde_json::from_str(&text).ok()
}
