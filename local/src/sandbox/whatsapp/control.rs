//! Steers and shows the WhatsApp part: `/_local/sandbox/whatsapp/…`.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Sandbox, Sent, inbound,
    numbers::NumberSettings,
    statuses::status_of,
    templates::Template,
    webhooks::{Attempt, Delivery, Signature},
};
use crate::sandbox::{refusal::Refusal, wait_for};

pub(in crate::sandbox) fn router() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/inbound", post(receive))
        .route("/echo", post(echo))
        .route("/status", post(status))
        .route("/change", post(change))
        .route("/webhook", post(webhook))
        .route("/verify", post(verify))
        .route("/settings", get(settings).post(change_settings))
        .route("/templates", get(templates).post(add_template))
        .route("/sent", get(sent).delete(forget_sent))
        .route("/deliveries", get(deliveries).delete(forget_deliveries))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wanted {
    phone_number_id: Option<String>,
    to: Option<String>,
    /// `wamid` of a sent message.
    id: Option<String>,
    /// Only messages that had this status.
    status: Option<String>,
    /// Waits for this many, for `wait_ms` at most.
    count: Option<usize>,
    wait_ms: Option<u64>,
}

impl Wanted {
    fn number(&self, actual: &str) -> bool {
        self.phone_number_id.as_deref().is_none_or(|id| id == actual)
    }

    fn sent(&self, sent: &Sent) -> bool {
        let digits = |text: &str| text.trim_start_matches('+').to_owned();
        self.number(&sent.phone_number_id)
            && self.to.as_deref().is_none_or(|to| digits(to) == digits(&sent.to))
            && self.id.as_deref().is_none_or(|id| id == sent.id)
            && self.status.as_deref().is_none_or(|wanted| sent.statuses.iter().any(|status| status.status == wanted))
    }

    fn longest(&self) -> Duration {
        Duration::from_millis(self.wait_ms.unwrap_or(0).min(60_000))
    }
}

async fn receive(State(sandbox): State<Arc<Sandbox>>, Json(order): Json<Value>) -> Result<Json<Value>, Refusal> {
    let order = inbound::read(order).map_err(Refusal)?;
    sandbox.receive(order).await.map(Json).map_err(Refusal)
}

async fn echo(State(sandbox): State<Arc<Sandbox>>, Json(order): Json<Value>) -> Result<Json<Value>, Refusal> {
    let order = inbound::read(order).map_err(Refusal)?;
    sandbox.echo(order).await.map(Json).map_err(Refusal)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusOrder {
    phone_number_id: String,
    /// `wamid`, known or not.
    id: String,
    status: String,
    recipient_id: Option<String>,
    code: Option<i64>,
    timestamp: Option<i64>,
    /// Fields that are added or replaced.
    #[serde(default)]
    with: serde_json::Map<String, Value>,
}

async fn status(State(sandbox): State<Arc<Sandbox>>, Json(order): Json<StatusOrder>) -> Json<Attempt> {
    let known = sandbox.whatsapp.sent.find(|sent| sent.id == order.id);
    let sent = known.unwrap_or_else(|| Sent {
        id: order.id.clone(),
        at: Timestamp::now(),
        phone_number_id: order.phone_number_id.clone(),
        to: String::new(),
        body: json!({}),
        statuses: Vec::new(),
    });
    let by_user_id = order.recipient_id.is_none() && sent.to.contains('.');
    let person = order.recipient_id.unwrap_or_else(|| {
        if by_user_id { sent.to.clone() } else { sandbox.whatsapp.account_of(&order.phone_number_id, &sent.to) }
    });
    let mut element = status_of(&sent, &person, by_user_id, &order.status, order.code);
    if let Some(timestamp) = order.timestamp {
        element["timestamp"] = json!(timestamp.to_string());
    }
    for (key, value) in order.with {
        element[&key] = value;
    }
    Json(sandbox.send_status(&order.phone_number_id, element).await)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeOrder {
    phone_number_id: String,
    /// `user_preferences`, `account_update` …
    field: String,
    value: serde_json::Map<String, Value>,
    /// Whether it is of the number's account, and names the number in no metadata.
    #[serde(default)]
    of_account: bool,
}

/// A change of any field.
async fn change(State(sandbox): State<Arc<Sandbox>>, Json(order): Json<ChangeOrder>) -> Json<Attempt> {
    let mut body = sandbox.envelope(&order.phone_number_id, &order.field, Value::Object(order.value));
    if let (true, Some(value)) = (order.of_account, body["entry"][0]["changes"][0]["value"].as_object_mut()) {
        value.remove("metadata");
        value.remove("messaging_product");
    }
    Json(sandbox.notify(&order.phone_number_id, body, true).await)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWebhook {
    #[serde(default)]
    raw: String,
    /// Instead of `raw`, for bytes that are no text.
    base64: Option<String>,
    signature: Option<String>,
}

async fn webhook(State(sandbox): State<Arc<Sandbox>>, Json(order): Json<RawWebhook>) -> Result<Json<Attempt>, Refusal> {
    let raw = match order.base64 {
        Some(encoded) => STANDARD.decode(encoded).map_err(|error| Refusal(format!("base64: {error}")))?,
        None => order.raw.into_bytes(),
    };
    let signature = match order.signature {
        None => Signature::Valid,
        Some(text) => match text.as_str() {
            "valid" => Signature::Valid,
            "none" => Signature::None,
            "wrong" => Signature::Wrong,
            _ => Signature::Exactly(text),
        },
    };
    Ok(Json(sandbox.post(Bytes::from(raw), &signature).await))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Verification {
    token: Option<String>,
    challenge: Option<String>,
}

/// The endpoint is registered when it answers 200 with the challenge.
async fn verify(State(sandbox): State<Arc<Sandbox>>, Json(order): Json<Verification>) -> Json<Attempt> {
    let token = order.token.unwrap_or_else(|| sandbox.options.verify_token.clone());
    let challenge = order.challenge.unwrap_or_else(|| "1158201444".to_owned());
    Json(sandbox.verify(&token, &challenge).await)
}

async fn settings(State(sandbox): State<Arc<Sandbox>>, Query(wanted): Query<Wanted>) -> Json<NumberSettings> {
    Json(sandbox.whatsapp.settings(wanted.phone_number_id.as_deref().unwrap_or_default()))
}

async fn change_settings(
    State(sandbox): State<Arc<Sandbox>>,
    Json(mut changes): Json<Value>,
) -> Result<Json<NumberSettings>, Refusal> {
    let fields = changes.as_object_mut();
    let number = fields.and_then(|fields| fields.remove("phone_number_id"));
    let number = number.as_ref().and_then(Value::as_str);
    let settings = sandbox.whatsapp.change_settings(number, &changes);
    settings.map(Json).map_err(|error| Refusal(error.to_string()))
}

async fn templates(State(sandbox): State<Arc<Sandbox>>) -> Json<Vec<Template>> {
    Json(sandbox.whatsapp.templates())
}

async fn add_template(State(sandbox): State<Arc<Sandbox>>, Json(template): Json<Template>) -> Json<Template> {
    sandbox.whatsapp.add_template(template.clone());
    Json(template)
}

async fn sent(State(sandbox): State<Arc<Sandbox>>, Query(wanted): Query<Wanted>) -> Json<Vec<Sent>> {
    let found = || sandbox.whatsapp.sent.list(|sent| wanted.sent(sent));
    Json(wait_for(wanted.count.unwrap_or(0), wanted.longest(), found).await)
}

async fn forget_sent(State(sandbox): State<Arc<Sandbox>>, Query(wanted): Query<Wanted>) -> StatusCode {
    sandbox.whatsapp.sent.remove(|sent| wanted.sent(sent));
    StatusCode::NO_CONTENT
}

async fn deliveries(State(sandbox): State<Arc<Sandbox>>, Query(wanted): Query<Wanted>) -> Json<Vec<Delivery>> {
    let found = || sandbox.whatsapp.deliveries.list(|delivery| wanted.number(&delivery.phone_number_id));
    Json(wait_for(wanted.count.unwrap_or(0), wanted.longest(), found).await)
}

async fn forget_deliveries(State(sandbox): State<Arc<Sandbox>>, Query(wanted): Query<Wanted>) -> StatusCode {
    sandbox.whatsapp.deliveries.remove(|delivery| wanted.number(&delivery.phone_number_id));
    StatusCode::NO_CONTENT
}
