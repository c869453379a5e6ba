//! Measures the release binaries on the local cloud; see `bench/README.md`.

mod chat;
mod clients;
mod cold_start;
mod desk;
mod evolution;
mod fanout;
mod function;
mod ingest;
mod jobs;
mod knowledge;
mod listeners;
mod lists;
mod load;
mod models;
mod notifications;
mod overhead;
mod report;
mod sales;
mod tables;
mod wire;
mod words;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};
use tests::Stack;

use crate::report::Report;

/// Load and latency of the functions.
#[derive(Parser)]
struct Cli {
    /// What to measure; everything when absent.
    measurements: Vec<Measurement>,
    /// Length of each load.
    #[arg(long, default_value_t = 12)]
    seconds: u64,
    /// Webhooks a minute, one load after the other.
    #[arg(long = "rate", default_values_t = [1_000, 5_000, 10_000, 20_000])]
    rates: Vec<u32>,
    /// Conversations of the company whose lists are measured, with 20 messages each.
    #[arg(long, default_value_t = 100_000)]
    conversations: u32,
    /// Clients of the company where people are looked for.
    #[arg(long, default_value_t = 1_000_000)]
    clients: u32,
    /// Where results are written.
    #[arg(long, default_value = "bench/results")]
    results: PathBuf,
    /// Data and logs of the local cloud started for this run.
    #[arg(long, default_value = ".local/bench")]
    directory: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measurement {
    Ingest,
    Evolution,
    Fanout,
    Listeners,
    Jobs,
    Chat,
    Notifications,
    Sales,
    Clients,
    Tables,
    Knowledge,
    Models,
    Lists,
    Words,
    Overhead,
    ColdStart,
}

#[tokio::main]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    let machine = report::machine();
    println!("{machine}");
    let binaries = std::env::current_exe()?.parent().context("the benchmark has a folder")?.to_owned();
    let binaries = std::path::absolute(binaries)?;
    let options = [
        "--no-throttle",
        "--parameter",
        "UserRequestsPerMinute=1000000",
        "--parameter",
        "AddressRequestsPerMinute=1000000",
        "--max-processes",
        "100",
    ];
    let stack = Stack::start(&cli.directory, &binaries, &options).await?;
    let mut report = Report::default();
    println!("\n{}", report::HEADING);
    let outcome = measure(&cli, &stack, &mut report).await;
    stack.stop().await;
    outcome?;
    report.write(&cli.results, &machine)
}

async fn measure(cli: &Cli, stack: &Stack, report: &mut Report) -> Result<()> {
    let is_wanted = |measurement| cli.measurements.is_empty() || cli.measurements.contains(&measurement);
    if is_wanted(Measurement::Ingest) {
        ingest::run(stack, &cli.rates, Duration::from_secs(cli.seconds), report).await?;
    }
    if is_wanted(Measurement::Evolution) {
        evolution::run(stack, &cli.rates, Duration::from_secs(cli.seconds), report).await?;
    }
    if is_wanted(Measurement::Fanout) {
        fanout::run(stack, Duration::from_secs(cli.seconds), report).await?;
    }
    if is_wanted(Measurement::Listeners) {
        listeners::run(stack, Duration::from_secs(cli.seconds.max(10)), report).await?;
    }
    if is_wanted(Measurement::Jobs) {
        jobs::run(stack, Duration::from_secs(cli.seconds), report).await?;
    }
    if is_wanted(Measurement::Chat) {
        chat::run(stack, Duration::from_secs(cli.seconds), report).await?;
    }
    if is_wanted(Measurement::Notifications) {
        notifications::run(stack, Duration::from_secs(cli.seconds), report).await?;
    }
    if is_wanted(Measurement::Sales) {
        sales::run(stack, report).await?;
    }
    if is_wanted(Measurement::Clients) {
        clients::run(stack, cli.clients, report).await?;
    }
    if is_wanted(Measurement::Tables) {
        tables::run(stack, report).await?;
    }
    if is_wanted(Measurement::Knowledge) {
        knowledge::run(stack, report).await?;
    }
    if is_wanted(Measurement::Models) {
        models::run(stack, report).await?;
    }
    let [lists, words, overhead, cold] =
        [Measurement::Lists, Measurement::Words, Measurement::Overhead, Measurement::ColdStart].map(is_wanted);
    if !(lists || words || overhead || cold) {
        return Ok(());
    }
    let start = std::time::Instant::now();
    let desk = desk::make(stack, if lists || words || overhead { cli.conversations } else { 1_000 }).await?;
    eprintln!("(the company was made in {} s)", start.elapsed().as_secs());
    if lists {
        lists::run(stack, &desk, report).await?;
    }
    if words {
        words::run(stack, &desk, report).await?;
    }
    if overhead {
        overhead::run(stack, &desk, report).await?;
    }
    if cold {
        cold_start::run(stack, &desk, report).await?;
    }
    Ok(())
}
