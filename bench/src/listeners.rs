//! Webhooks of a company with ever more open sockets: how long the answer takes, and the frame to each of them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use futures_util::{StreamExt as _, stream};
use tests::{Stack, Wanted, company::Person};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::{
    ingest::{Meta, open_conversations},
    report::{Figure, Report, Times},
};

const AGENTS: usize = 10;

/// Open sockets, and within how many milliseconds a frame should reach them.
const CROWDS: [(usize, Option<f64>); 5] = [(0, None), (20, None), (200, Some(100.0)), (500, None), (1_000, Some(400.0))];

/// How much longer an answer may take than without sockets.
const AIM: f64 = 10.0;

const CLIENTS: u64 = 20;

/// When each webhook left, and how long its frames took.
#[derive(Default)]
struct Watch {
    left: HashMap<String, Instant>,
    frames: Times,
}

pub async fn run(stack: &Stack, length: Duration, report: &mut Report) -> Result<()> {
    let departments = vec![("Atendimento", (1..=AGENTS).collect())];
    let company = stack.company(Wanted { agents: AGENTS, departments, ..Wanted::default() }).await;
    let meta = Meta::new(stack, &company).await;
    open_conversations(stack, CLIENTS, |client, words| meta.send(client, words)).await?;
    let watch = Arc::new(Mutex::new(Watch::default()));
    let mut readers = Vec::new();
    let mut alone = None;
    for (sockets, aim) in CROWDS {
        let missing = (readers.len()..sockets).map(|number| (&company.agents[number % AGENTS], Arc::clone(&watch)));
        let opened: Vec<_> = stream::iter(missing).map(|(agent, watch)| listen(agent, watch)).buffer_unordered(4).collect().await;
        readers.extend(opened);
        // The first ones start the processes.
        send(&meta, &watch, Duration::from_secs(3)).await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        *lock(&watch) = Watch::default();
        let answers = send(&meta, &watch, length).await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let alone = *alone.get_or_insert(answers.at(0.95));
        report.add(Figure::new("listeners", format!("webhook answered, {sockets} sockets"), &answers).aim(round(alone + AIM)));
        if sockets > 0 {
            let mut watch = lock(&watch);
            let untold = (watch.left.len() * sockets) as u64 - watch.frames.len();
            let frames = std::mem::take(&mut watch.frames);
            let figure = Figure::new("listeners", format!("frame to each of {sockets} sockets"), &frames).with("missing", untold);
            report.add(if let Some(aim) = aim { figure.aim(aim) } else { figure });
        }
    }
    readers.iter().for_each(JoinHandle::abort);
    Ok(())
}

/// Webhooks one after the other, one a second.
async fn send(meta: &Meta, watch: &Mutex<Watch>, length: Duration) -> Result<Times> {
    let mut answers = Times::default();
    let mut clock = tokio::time::interval(Duration::from_secs(1));
    for number in 0..length.as_secs() {
        clock.tick().await;
        let words = Uuid::now_v7().to_string();
        let start = Instant::now();
        lock(watch).left.insert(words.clone(), start);
        ensure!(meta.send(number % CLIENTS, &words).await, "a webhook was refused");
        answers.add(start.elapsed());
    }
    Ok(answers)
}

/// A tab of this agent's, whose frames are noted as they come.
async fn listen(agent: &Person, watch: Arc<Mutex<Watch>>) -> JoinHandle<()> {
    let mut socket = agent.socket().await;
    tokio::spawn(async move {
        while let Some(Ok(message)) = socket.stream().next().await {
            let now = Instant::now();
            let Some(words) = message.to_text().ok().and_then(preview) else { continue };
            let mut watch = lock(&watch);
            if let Some(left) = watch.left.get(words).copied() {
                watch.frames.add(now - left);
            }
        }
    })
}

/// The words an inbox shows. Found without reading all of the frame: a thousand readers share the machine.
fn preview(frame: &str) -> Option<&str> {
    let (_, rest) = frame.split_once("\"last_message_preview\":\"")?;
    rest.split_once('"').map(|(words, _)| words)
}

fn round(milliseconds: f64) -> f64 {
    (milliseconds * 10.0).round() / 10.0
}

fn lock(watch: &Mutex<Watch>) -> std::sync::MutexGuard<'_, Watch> {
    watch.lock().unwrap_or_else(PoisonError::into_inner)
}
