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

/// Times the start of `hello_postgres` is allowed.
const AIM: f64 = 1.5;

struct Measured {
    times: Times,
    memory: f64,
    megabytes: f64,
}

pub async fn run(stack: &Stack, desk: &Desk, report: &mut Report) -> Result<()> {
    let launches = launches(stack).await?;
    let events = Events::new(stack, desk).await;
    let folder = launches.values().next().and_then(|launch| launch.binary.parent()).context("a folder of binaries")?;
    let mut environment = launches.values().next().map(|launch| launch.environment.clone()).unwrap_or_default();
    environment.insert("DATABASE_URL".to_owned(), stack.addresses.database_url.clone());
    let [hello, floor] =
        ["hello", "hello_postgres"].map(|name| Launch { binary: folder.join(name), environment: environment.clone() });
    let greeting = || http_event("GET", "/", "", Value::default(), None);
    report.add(figure("hello (bare lambda_http)", &measure(&hello, STARTS, greeting).await?));
    report.add(figure("hello_postgres (with one connection)", &measure(&floor, STARTS, greeting).await?));
    for route in Events::ROUTES {
        let launch = launches.get(route).with_context(|| format!("{route} is not in the template"))?;
        let event = || events.of(route).unwrap_or_default();
        let (base, measured) = measure_beside(&floor, launch, greeting, event).await?;
        let ratio = (measured.times.at(0.5) / base.times.at(0.5) * 100.0).round() / 100.0;
        let aim = (base.times.at(0.95) * AIM * 100.0).round() / 100.0;
        report.add(figure(route, &measured).with("times_hello_postgres", ratio).aim(aim));
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
    report.add(figure("the others, sample events (largest)", &others));
    let sizes = launches.values().map(|launch| size(&launch.binary)).collect::<Result<Vec<_>>>()?;
    println!("{} binaries, {:.0} MB together", sizes.len(), sizes.iter().sum::<f64>());
    Ok(())
}

fn figure(name: &str, measured: &Measured) -> Figure {
    let figure = Figure::new("cold start", name, &measured.times);
    figure.with("megabytes", measured.megabytes).with("resident_megabytes", measured.memory)
}

/// Starts both in turn, so that both see the same machine.
async fn measure_beside(
    floor: &Launch,
    launch: &Launch,
    greeting: impl Fn() -> Value,
    event: impl Fn() -> Value,
) -> Result<(Measured, Measured)> {
    let (mut base, mut measured) = (Measured::of(floor)?, Measured::of(launch)?);
    for number in 0..=STARTS {
        let (floor, own) = (start_once(floor, &greeting()).await?, start_once(launch, &event()).await?);
        // The first one brings the file into memory.
        if number > 0 {
            base.add(floor);
            measured.add(own);
        }
    }
    Ok((base, measured))
}

impl Measured {
    fn of(launch: &Launch) -> Result<Self> {
        Ok(Self { times: Times::default(), memory: 0.0, megabytes: size(&launch.binary)? })
    }

    fn add(&mut self, (took, memory): (Duration, f64)) {
        self.times.add(took);
        self.memory = self.memory.max(memory);
    }
}

async fn measure(launch: &Launch, starts: usize, event: impl Fn() -> Value) -> Result<Measured> {
    let mut measured = Measured::of(launch)?;
    for number in 0..=starts {
        let once = start_once(launch, &event()).await?;
        if number > 0 {
            measured.add(once);
        }
    }
    Ok(measured)
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
