//! The WhatsApp Cloud API: Graph calls in, signed notifications out.

mod accepted;
mod account;
pub(super) mod control;
mod errors;
mod inbound;
mod interactive;
pub mod media;
mod media_parameter;
mod messages;
mod numbers;
mod parameter;
mod statuses;
mod template_message;
mod templates;
mod validation;
pub mod webhooks;

use std::{
    collections::HashMap,
    io,
    path::Path,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{Path as UrlPath, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Sandbox,
    calls::{Answer, Call},
    kept::{Kept, lock},
};
use accepted::Journal;
use errors::GraphError;
use media::Media;
use numbers::NumberSettings;
use webhooks::{Delivery, WebhookClient};

/// A message that the sandbox accepted for sending.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sent {
    /// The `wamid`.
    pub id: String,
    pub at: Timestamp,
    pub phone_number_id: String,
    /// The recipient as the caller wrote it: `to`, or else `recipient`.
    pub to: String,
    /// The request as it came.
    pub body: Value,
    pub statuses: Vec<SentStatus>,
}

/// A status notification of a message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SentStatus {
    pub status: String,
    pub at: Timestamp,
    /// What the endpoint answered first; `None` when it did not answer.
    pub answered: Option<u16>,
}

pub(super) struct WhatsApp {
    sent: Kept<Sent>,
    accepted: Journal,
    deliveries: Kept<Delivery>,
    media: Kept<Media>,
    numbers: Mutex<HashMap<String, NumberSettings>>,
    default_settings: Mutex<NumberSettings>,
    /// Unix seconds of the last message of a person, by `phone_number_id` and then `wa_id` or BSUID.
    last_inbound: Mutex<HashMap<(String, String), i64>>,
    templates: Mutex<Vec<templates::Template>>,
    webhooks: WebhookClient,
}

impl WhatsApp {
    pub(super) fn new(kept: Option<&Path>) -> io::Result<Self> {
        let sent = Kept::new(5000);
        Ok(Self {
            accepted: Journal::open(kept, &sent)?,
            sent,
            deliveries: Kept::new(5000),
            media: Kept::new(500),
            numbers: Mutex::default(),
            default_settings: Mutex::default(),
            last_inbound: Mutex::default(),
            templates: Mutex::new(templates::approved()),
            webhooks: WebhookClient::new(),
        })
    }

    pub(super) fn reset(&self, phone_number_id: Option<&str>) {
        let of_number = |id: &str| phone_number_id.is_none_or(|wanted| wanted == id);
        self.sent.remove(|sent| of_number(&sent.phone_number_id));
        self.deliveries.remove(|delivery| of_number(&delivery.phone_number_id));
        self.media.remove(|media| of_number(&media.phone_number_id));
        lock(&self.numbers).retain(|id, _| !of_number(id));
        lock(&self.last_inbound).retain(|(id, _), _| !of_number(id));
        if phone_number_id.is_none() {
            *lock(&self.default_settings) = NumberSettings::default();
            *lock(&self.templates) = templates::approved();
        }
    }
}

pub(super) fn router() -> Router<Arc<Sandbox>> {
    let graph = Router::new()
        .route("/{version}/{id}/messages", post(messages::send))
        .route("/{version}/{id}/media", post(media::upload))
        .route("/{version}/{id}/message_templates", get(templates::list).post(templates::create))
        .route(
            "/{version}/{id}/subscribed_apps",
            get(account::subscribed_apps).post(account::subscribe).delete(account::subscribe),
        )
        .route("/{version}/{id}", get(account::look_up).delete(media::delete))
        .fallback(unknown_path);
    Router::new().nest("/graph", graph).route("/graph-media/{token}", get(media::download))
}

async fn unknown_path(request: Request) -> Response {
    let message = format!("Unknown path components: {}", request.uri().path());
    let body = json!({"error": {"message": message, "type": "OAuthException", "code": 2500,
        "fbtrace_id": errors::trace_id()}});
    Answer::json(StatusCode::BAD_REQUEST, body).into_response()
}

/// `{version}/{id}` of a Graph path.
type GraphPath = UrlPath<(String, String)>;

/// Refuses a call without a usable token, and a version that Meta would not know.
fn admit(call: &Call, version: &str) -> Result<(), GraphError> {
    let known_version = version
        .strip_prefix('v')
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(major, minor)| major.parse::<u16>().is_ok() && minor.parse::<u16>().is_ok());
    if !known_version {
        return Err(GraphError::invalid(format!("Unknown path components: /{version}")));
    }
    match call.token.as_deref() {
        None => Err(GraphError::token("Invalid OAuth access token - Cannot parse access token")),
        Some(token) if token.starts_with("expired") => {
            Err(GraphError::token("Error validating access token: Session has expired"))
        }
        Some(token) if token.starts_with("invalid") => {
            Err(GraphError::token("Invalid OAuth access token - Cannot parse access token"))
        }
        Some(_) => Ok(()),
    }
}

/// Hashes to digits: the same input always gives the same made-up number.
fn digits_of(text: &str, count: usize) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    hash.as_ref().iter().map(|byte| char::from(b'0' + byte % 10)).take(count).collect()
}

/// A number of 16 digits nobody had before.
fn new_numeric_id() -> String {
    format!("9001{}", digits_of(&uuid::Uuid::now_v7().to_string(), 12))
}

/// An id as WhatsApp makes them: `wamid.` and base64, which holds `=`, `+` and `/` at times.
fn new_message_id() -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let mut bytes = b"\x1d\x05\x18\x0d5511".to_vec();
    bytes.extend_from_slice(uuid::Uuid::now_v7().as_bytes());
    format!("wamid.{}", STANDARD.encode(bytes))
}
