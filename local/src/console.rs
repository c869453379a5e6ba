//! The page at `/_local/` and the same facts as JSON and as metrics.

mod flows;
mod mail;
mod page;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderName, HeaderValue, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    journal::{Invocation, Journal, Line, QueueSnapshot, SocketSnapshot},
    sandbox::{Sandbox, calls::Call, mail::Mail},
};

/// Entries of each list that the page shows.
const SHOWN: usize = 50;

/// The messages in a dead-letter queue, by its logical id.
pub type DeadLetters = Arc<dyn Fn(&str) -> Vec<Value> + Send + Sync>;

/// Where the console finds what it shows.
#[derive(Clone)]
pub struct ConsoleSources {
    pub journal: Arc<Journal>,
    pub queues: Arc<dyn Fn() -> Vec<QueueSnapshot> + Send + Sync>,
    pub sockets: Arc<dyn Fn() -> Vec<SocketSnapshot> + Send + Sync>,
    pub sandbox: Arc<Sandbox>,
    pub dead_letters: DeadLetters,
    /// Messages in flight, and those kept back.
    pub held: Arc<dyn Fn() -> Vec<Value> + Send + Sync>,
    /// Addresses and settings worth knowing; strings that start with `http` become links.
    pub info: Value,
    /// The same with its secrets, by name: shown to who asks for them.
    pub secrets: Value,
}

const SECURITY_HEADERS: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Adds what keeps pages of others away from an answer under `/_local`, and everything but our own script out of the page. What an
/// answer says of itself stands.
pub fn protect(answer: &mut Response) {
    let headers = answer.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert_with(|| page::POLICY.clone());
    for (name, value) in SECURITY_HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// Belongs under `/_local`.
pub fn router(sources: ConsoleSources) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/state", get(state))
        .route("/info", get(info))
        .route("/invocations", get(invocations))
        .route("/failures", get(failures))
        .route("/held", get(held))
        .route("/lines", get(lines))
        .route("/dead-letters/{queue}", get(dead_letters))
        .route("/flows", get(flows::page))
        .route("/mails/{id}", get(mail::page))
        .route("/mails/{id}/html", get(mail::body))
        .route("/metrics", get(metrics))
        .with_state(sources)
}

async fn page(State(sources): State<ConsoleSources>) -> Html<String> {
    Html(page::page(&sources.info, &sources.secrets, &state_of(&sources)).into_string())
}

async fn state(State(sources): State<ConsoleSources>) -> Json<Value> {
    Json(state_of(&sources))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    secrets: bool,
}

async fn info(State(mut sources): State<ConsoleSources>, Query(asked): Query<Asked>) -> Json<Value> {
    if let (true, Some(info), Value::Object(secrets)) = (asked.secrets, sources.info.as_object_mut(), sources.secrets) {
        info.extend(secrets);
    }
    Json(sources.info)
}

#[derive(Deserialize)]
struct OfFunction {
    function: Option<String>,
}

impl OfFunction {
    fn fits(&self, function: &str) -> bool {
        self.function.as_deref().is_none_or(|wanted| wanted == function)
    }
}

async fn invocations(State(sources): State<ConsoleSources>, Query(of): Query<OfFunction>) -> Json<Vec<Value>> {
    let invocations = sources.journal.invocations();
    let wanted = invocations.iter().filter(|invocation| of.fits(&invocation.function));
    Json(wanted.map(describe_invocation).collect())
}

async fn failures(State(sources): State<ConsoleSources>) -> Json<Vec<Value>> {
    Json(sources.journal.failures().iter().map(describe_invocation).collect())
}

async fn held(State(sources): State<ConsoleSources>) -> Json<Vec<Value>> {
    Json((sources.held)())
}

async fn lines(State(sources): State<ConsoleSources>, Query(of): Query<OfFunction>) -> Json<Vec<Line>> {
    let mut lines = sources.journal.lines();
    lines.retain(|line| of.fits(&line.function));
    Json(lines)
}

async fn dead_letters(State(sources): State<ConsoleSources>, Path(queue): Path<String>) -> Json<Vec<Value>> {
    Json((sources.dead_letters)(&queue))
}

async fn metrics(State(sources): State<ConsoleSources>) -> impl IntoResponse {
    let mime_type = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, mime_type)], sources.journal.metrics())
}

fn state_of(sources: &ConsoleSources) -> Value {
    let invocations = sources.journal.invocations();
    let calls = sources.sandbox.calls();
    let mails = sources.sandbox.mails();
    json!({
        "invocations": invocations.iter().take(SHOWN).map(describe_invocation).collect::<Vec<_>>(),
        "queues": (sources.queues)().iter().map(describe_queue).collect::<Vec<_>>(),
        "sockets": (sources.sockets)(),
        "calls": calls.iter().rev().take(SHOWN).map(describe_call).collect::<Vec<_>>(),
        "evolution": sources.sandbox.evolution_instances(),
        "botconversa": sources.sandbox.botconversa_accounts(),
        "mails": mails.iter().rev().take(SHOWN).map(describe_mail).collect::<Vec<_>>(),
    })
}

fn describe_invocation(invocation: &Invocation) -> Value {
    json!({
        "at": invocation.at,
        "request_id": invocation.request_id,
        "function": invocation.function,
        "trigger": invocation.trigger,
        "status": invocation.status,
        "ms": rounded_milliseconds(invocation.took),
        "cold": invocation.cold,
        "error": invocation.error,
    })
}

fn describe_queue(queue: &QueueSnapshot) -> Value {
    json!({
        "queue": queue.logical_id,
        "waiting": queue.waiting,
        "in_flight": queue.in_flight,
        "oldest_seconds": queue.oldest.map(|oldest| oldest.as_secs()),
        "dead_letter": queue.dead_letter,
    })
}

fn describe_call(call: &Call) -> Value {
    json!({
        "at": call.at,
        "target": call.target,
        "call": format!("{} {}", call.method, call.path),
        "to": call.to,
        "status": call.status,
        "fault": call.fault.as_ref().map(|fault| json!(fault)["kind"].clone()),
        "request": call.request,
        "response": call.response,
    })
}

fn describe_mail(mail: &Mail) -> Value {
    json!({
        "id": mail.id,
        "at": mail.at,
        "from": mail.from,
        "to": mail.to,
        "subject": mail.subject,
        "encrypted": mail.encrypted,
        "login": mail.login,
    })
}

fn rounded_milliseconds(took: std::time::Duration) -> f64 {
    (took.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests;
