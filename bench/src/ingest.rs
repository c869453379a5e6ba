//! Webhooks of WhatsApp from the network to the acknowledgement, and that each is stored exactly once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, ensure};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use ring::hmac;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted};
use uuid::Uuid;

use crate::{
    load::{Outcome, open_loop},
    report::{Figure, Report},
};

/// Clients with an open conversation each.
pub const CLIENTS: u64 = 120;

/// Until this rate the p95 should stay under 50 ms.
const AIM: f64 = 50.0;

/// Clients of one webhook of the mixed load.
const MIXED: usize = 4;

pub const WORDS: &str = "Consegue me mandar a segunda via do boleto, por favor?";

/// Signs and posts webhooks for one number.
pub struct Meta {
    http: reqwest::Client,
    url: String,
    key: hmac::Key,
    number_id: String,
}

impl Meta {
    pub async fn new(stack: &Stack, company: &Company) -> Self {
        let settings = stack.control("GET", "/settings", None).await;
        let secret = settings["whatsapp_app_secrets"][0].as_str().unwrap_or_default();
        Self {
            http: stack.http.clone(),
            url: format!("{}/webhooks/whatsapp", stack.addresses.api),
            key: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
            number_id: company.phone.number_id.clone(),
        }
    }

    /// A client's text as Meta writes it, with its signature.
    pub fn text(&self, client: u64, text: &str) -> (Vec<u8>, String) {
        self.webhook("messages", &json!({"contacts": [contact(client)], "messages": [message(client, text)]}))
    }

    /// Texts of several clients beside statuses: of messages we know and of one that nobody knows.
    fn mixed(&self, clients: &[u64], text: &str) -> (Vec<u8>, String) {
        let (contacts, messages): (Vec<_>, Vec<_>) =
            clients.iter().map(|client| (contact(*client), message(*client, text))).unzip();
        let known = clients.iter().rev().take(2).zip(["delivered", "read"]);
        let known = known.map(|(client, step)| status(&outgoing(&self.number_id, *client), step));
        let statuses: Vec<_> = known.chain([status(&fresh_id(), "sent")]).collect();
        self.webhook("messages", &json!({"contacts": contacts, "messages": messages, "statuses": statuses}))
    }

    /// A message that the business wrote to this client on its own phone.
    fn echo(&self, client: u64) -> (Vec<u8>, String) {
        let mut echo = message(client, "Bom dia! Como podemos ajudar?");
        echo["id"] = json!(outgoing(&self.number_id, client));
        echo["to"] = json!(number(client));
        self.webhook("smb_message_echoes", &json!({"message_echoes": [echo]}))
    }

    fn webhook(&self, field: &str, value: &Value) -> (Vec<u8>, String) {
        let mut value = value.clone();
        value["messaging_product"] = json!("whatsapp");
        value["metadata"] = json!({"display_phone_number": "551140000000", "phone_number_id": self.number_id});
        let entry = json!({"id": "104200000000001", "changes": [{"field": field, "value": value}]});
        let body = json!({"object": "whatsapp_business_account", "entry": [entry]}).to_string().into_bytes();
        let signature = format!("sha256={}", hex::encode(hmac::sign(&self.key, &body)));
        (body, signature)
    }

    /// Posts one text; whether it was answered with 200.
    pub async fn send(&self, client: u64, text: &str) -> bool {
        self.post(self.text(client, text)).await
    }

    async fn post(&self, (body, signature): (Vec<u8>, String)) -> bool {
        let request = self.http.post(&self.url).header("content-type", "application/json");
        let answer = request.header("x-hub-signature-256", signature).body(body).send().await;
        match answer {
            Ok(answer) => answer.status() == 200 && answer.bytes().await.is_ok(),
            Err(_) => false,
        }
    }
}

/// Opens the conversations of this many clients, and lets the server's statistics know them: plans made for empty tables read whatever is the
/// company's, until the server looks at the tables by itself a minute later.
pub async fn open_conversations<F: Future<Output = bool>>(
    stack: &Stack,
    clients: u64,
    send: impl Fn(u64, &'static str) -> F,
) -> Result<()> {
    let opened = futures_util::stream::iter(0..clients)
        .map(|client| send(client, "Bom dia! Gostaria de informações sobre os cursos."))
        .buffer_unordered(4)
        .filter(|is_open| std::future::ready(*is_open))
        .count()
        .await;
    ensure!(opened as u64 == clients, "only {opened} of {clients} conversations were opened");
    stack.database().await.batch_execute("analyze").await?;
    Ok(())
}

pub fn number(client: u64) -> String {
    format!("55119{:08}", 20_000_000 + client)
}

fn fresh_id() -> String {
    format!("wamid.{}", Uuid::now_v7().simple())
}

/// WhatsApp's id of the one message the business has written to this client.
fn outgoing(number_id: &str, client: u64) -> String {
    format!("wamid.OUT{number_id}.{client}")
}

fn contact(client: u64) -> Value {
    json!({"profile": {"name": format!("Cliente {client}")}, "wa_id": number(client)})
}

fn message(client: u64, text: &str) -> Value {
    let at = Timestamp::now().as_second().to_string();
    json!({"from": number(client), "id": fresh_id(), "timestamp": at, "type": "text", "text": {"body": text}})
}

fn status(id: &str, step: &str) -> Value {
    let at = Timestamp::now().as_second().to_string();
    json!({"id": id, "status": step, "timestamp": at, "recipient_id": number(0)})
}

/// Clients of the mixed webhook with this number: different ones every time, in no order.
fn mixed_clients(webhook: u64) -> [u64; MIXED] {
    std::array::from_fn(|index| (webhook * 31 + index as u64 * 53 + webhook % 5 * 17) % CLIENTS)
}

pub async fn run(stack: &Stack, rates: &[u32], length: Duration, report: &mut Report) -> Result<()> {
    let wanted = Wanted { agents: 5, departments: vec![("Atendimento", vec![1, 2, 3, 4, 5])], ..Wanted::default() };
    let company = stack.company(wanted).await;
    let meta = Arc::new(Meta::new(stack, &company).await);
    open_conversations(stack, CLIENTS, |client, words| meta.send(client, words)).await?;
    mixed(stack, &company, &meta, rates, length, report).await?;
    for with_sockets in [false, true] {
        let frames = Arc::new(AtomicU64::new(0));
        let mut sockets = Vec::new();
        for agent in company.agents.iter().filter(|_| with_sockets) {
            let mut socket = agent.socket().await;
            let frames = Arc::clone(&frames);
            sockets.push(tokio::spawn(async move {
                while let Some(Ok(_)) = socket.stream().next().await {
                    frames.fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
        for rate in rates {
            let before = count(stack, &company).await?;
            frames.store(0, Ordering::Relaxed);
            let sender = Arc::clone(&meta);
            let outcome = open_loop(*rate, length, move |number| {
                let meta = Arc::clone(&sender);
                async move { meta.send(number * 7 % CLIENTS, WORDS).await }
            })
            .await;
            let what = format!("{rate}/min{}", if with_sockets { ", 5 sockets" } else { "" });
            let mut figure = figure("ingest", what, &outcome, (outcome.sent, &before, &count(stack, &company).await?));
            if with_sockets {
                figure = figure.with("frames", frames.load(Ordering::Relaxed));
            }
            report.add(figure);
        }
        for socket in sockets {
            socket.abort();
        }
    }
    Ok(())
}

/// As many messages a minute, in webhooks that mix clients and statuses.
async fn mixed(
    stack: &Stack,
    company: &Company,
    meta: &Arc<Meta>,
    rates: &[u32],
    length: Duration,
    report: &mut Report,
) -> Result<()> {
    for client in 0..CLIENTS {
        ensure!(meta.post(meta.echo(client)).await, "an echo was not taken");
    }
    let in_each = u32::try_from(MIXED)?;
    for rate in rates {
        let before = count(stack, company).await?;
        let sender = Arc::clone(meta);
        let outcome = open_loop(rate / in_each, length, move |number| {
            let meta = Arc::clone(&sender);
            async move { meta.post(meta.mixed(&mixed_clients(number), WORDS)).await }
        })
        .await;
        let what = format!("{rate}/min, {MIXED} clients and 3 statuses a webhook");
        let sent = outcome.sent * u64::from(in_each);
        report.add(
            figure("ingest", what, &outcome, (sent, &before, &count(stack, company).await?))
                .with("retries", stack.lock_retries().await),
        );
    }
    Ok(())
}

/// Of so many messages sent, between two counts.
pub fn figure(group: &'static str, what: String, outcome: &Outcome, (sent, before, after): (u64, &Count, &Count)) -> Figure {
    let stored = after.messages - before.messages;
    let doubled = stored.saturating_sub(sent) + after.messages - after.distinct;
    Figure::new(group, what, &outcome.times)
        .aim(AIM)
        .with("lost", sent.saturating_sub(stored))
        .with("doubled", doubled)
        .with("failed", outcome.failed + after.failed - before.failed)
}

/// What the database holds of a company's inbound messages.
pub struct Count {
    messages: u64,
    distinct: u64,
    /// Items of webhooks that could not be stored.
    failed: u64,
}

pub async fn count(stack: &Stack, company: &Company) -> Result<Count> {
    let sql = "select count(*), count(distinct provider_id),
                      (select coalesce(sum(failed_items), 0) from inbound_webhooks where company_id = $1)
                 from messages
                where company_id = $1 and sender_type = 'client'";
    let row = stack.database().await.query_one(sql, &[&company.id]).await?;
    let number = |index: usize| u64::try_from(row.get::<_, i64>(index)).unwrap_or_default();
    Ok(Count { messages: number(0), distinct: number(1), failed: number(2) })
}

/// The event a function gets for such a webhook.
pub fn event(meta: &Meta) -> Value {
    let (body, signature) = meta.text(Uuid::now_v7().as_u64_pair().1 % CLIENTS, "Oi, tudo bem?");
    let headers = json!({"content-type": "application/json", "x-hub-signature-256": signature});
    crate::function::http_event("POST", "/webhooks/whatsapp", "", headers, Some(&String::from_utf8_lossy(&body)))
}
