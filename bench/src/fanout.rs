//! From `send_message` leaving an agent to its frames on the sockets of others.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tests::{Stack, Wanted};
use uuid::Uuid;

use crate::{
    ingest::{Meta, open_conversations},
    load::open_loop,
    report::{Figure, Report, Times},
};

const AGENTS: usize = 10;
const CONVERSATIONS: usize = 100;

/// Messages a minute of all agents together.
const RATE: u32 = 600;

const AIM: f64 = 20.0;

/// When each message left and how long its frames took, by the message's text.
#[derive(Default)]
struct Watch {
    left: HashMap<String, Instant>,
    message: Times,
    inbox: Times,
}

pub async fn run(stack: &Stack, length: Duration, report: &mut Report) -> Result<()> {
    let numbers: Vec<usize> = (1..=AGENTS).collect();
    let wanted = Wanted { agents: AGENTS, departments: vec![("Atendimento", numbers)], ..Wanted::default() };
    let company = stack.company(wanted).await;
    let meta = Meta::new(stack, &company).await;
    open_conversations(stack, CONVERSATIONS as u64, |client, words| meta.send(client, words)).await?;
    let rows = stack.database().await.query("select id from conversations where company_id = $1", &[&company.id]).await?;
    let ids: Arc<Vec<Uuid>> = Arc::new(rows.iter().map(|row| row.get(0)).collect());
    for (index, id) in ids.iter().enumerate() {
        let holder = &company.agents[index % AGENTS];
        holder.api.post(&format!("/conversations/{id}/takeover"), json!({})).await.expect(200);
    }
    let watch = Arc::new(Mutex::new(Watch::default()));
    let mut readers = Vec::new();
    for (index, agent) in company.agents.iter().enumerate() {
        let mut socket = agent.socket().await;
        // Each agent has the next one's conversations open.
        for id in ids.iter().skip((index + 1) % AGENTS).step_by(AGENTS) {
            socket.follow(&id.to_string()).await;
        }
        let watch = Arc::clone(&watch);
        readers.push(tokio::spawn(async move {
            while let Some(Ok(message)) = socket.stream().next().await {
                if let Ok(text) = message.to_text() {
                    note(&watch, text, Instant::now());
                }
            }
        }));
    }
    let tokens = company.agents.iter().map(|agent| agent.api.token.clone().context("a token")).collect::<Result<Vec<_>>>()?;
    let (url, http) = (format!("{}/messages", stack.addresses.api), stack.http.clone());
    let send = {
        let watch = Arc::clone(&watch);
        move |number: u64| {
            let index = usize::try_from(number).unwrap_or_default() % ids.len();
            let text = Uuid::now_v7().to_string();
            let body = json!({"conversation_id": ids[index], "client_message_id": text, "kind": "text", "body": text});
            let request = http.post(&url).bearer_auth(&tokens[index % AGENTS]).json(&body);
            lock(&watch).left.insert(text, Instant::now());
            async move {
                let Ok(answer) = request.send().await else { return false };
                answer.status() == 201 && answer.bytes().await.is_ok()
            }
        }
    };
    // The first ones start the processes.
    open_loop(RATE, Duration::from_secs(3), send.clone()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    *lock(&watch) = Watch::default();
    let outcome = open_loop(RATE, length, send).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    for reader in readers {
        reader.abort();
    }
    let watch = lock(&watch);
    let missing = outcome.sent.saturating_sub(watch.message.len());
    report.add(Figure::new("fanout", format!("send_message, {RATE}/min"), &outcome.times).with("failed", outcome.failed));
    report.add(Figure::new("fanout", "frame to who has it open", &watch.message).aim(AIM).with("missing", missing));
    let missing = (outcome.sent * AGENTS as u64).saturating_sub(watch.inbox.len());
    report.add(Figure::new("fanout", "frame to all 10 inboxes", &watch.inbox).aim(AIM).with("missing", missing));
    Ok(())
}

fn note(watch: &Mutex<Watch>, frame: &str, now: Instant) {
    let Ok(frame) = serde_json::from_str::<Value>(frame) else { return };
    let mut watch = lock(watch);
    let (text, is_inbox) = match frame["type"].as_str() {
        Some("message.created") => (&frame["data"]["message"]["body"], false),
        Some("conversation.updated") => (&frame["data"]["conversation"]["last_message_preview"], true),
        _ => return,
    };
    let Some(left) = text.as_str().and_then(|text| watch.left.get(text).copied()) else { return };
    let times = if is_inbox { &mut watch.inbox } else { &mut watch.message };
    times.add(now - left);
}

fn lock(watch: &Mutex<Watch>) -> std::sync::MutexGuard<'_, Watch> {
    watch.lock().unwrap_or_else(PoisonError::into_inner)
}
