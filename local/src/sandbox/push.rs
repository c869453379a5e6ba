//! A push service of browsers (RFC 8030): `/push/{id}` takes what such services take, from whoever proves who they are (RFC 8292), and keeps it unopened.

mod checks;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    Sandbox,
    calls::{Answer, Call},
    faults::Target,
};
use checks::Refused;

/// What was taken for a browser.
#[derive(Clone, Debug, Serialize)]
pub struct Push {
    /// The last part of its `Location`.
    pub message: Uuid,
    pub at: Timestamp,
    /// The browser's.
    pub id: String,
    pub headers: Map<String, Value>,
    /// Of the proof.
    pub claims: Value,
    /// The key that the proof names.
    pub key: String,
    /// Sealed, in base64.
    pub body: String,
}

pub(super) fn router() -> Router<Arc<Sandbox>> {
    Router::new().route("/{id}", post(take))
}

/// `POST /push/{id}`
async fn take(State(sandbox): State<Arc<Sandbox>>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let mut call = Call::new(Target::Push, "POST", format!("/{id}"), &headers);
    call.to = Some(id.clone());
    let shown = headers.iter().map(|(name, value)| (name.to_string(), json!(String::from_utf8_lossy(value.as_bytes()))));
    let shown: Map<String, Value> = shown.collect();
    call.request = json!({"headers": shown, "size": body.len()});
    let work = || match checks::check(&headers, &body, &sandbox.options.public_url, Timestamp::now()) {
        Err(refused) => refused.answer(),
        Ok(proof) => {
            // A browser subscribes with one key, which alone is taken from then on.
            if sandbox.pushes.find(|push| push.id == id && push.key != proof.key).is_some() {
                return Refused(403, 109, "the browser has subscribed with another key").answer();
            }
            let message = Uuid::now_v7();
            let mut answer = Answer::json(StatusCode::CREATED, json!({}));
            answer.location = Some(format!("{}/push/message/{message}", sandbox.options.public_url));
            let body = STANDARD.encode(&body);
            sandbox.pushes.push(Push {
                message,
                at: Timestamp::now(),
                id,
                headers: shown,
                claims: proof.claims,
                key: proof.key,
                body,
            });
            answer
        }
    };
    sandbox.perform(call, failure, work).await
}

/// The answer to a call that was ordered to fail; 500 when no status was ordered.
fn failure(status: Option<u16>, _: Option<&Value>, message: Option<&str>) -> Answer {
    let (errno, usual) = match status.unwrap_or(500) {
        404 => (102, "Invalid endpoint"),
        410 => (106, "User has unsubscribed"),
        413 => (104, "Payload too large"),
        401 | 403 => (109, "Invalid credentials"),
        429 => (202, "Too many requests"),
        _ => (999, "Server error"),
    };
    let mut answer = Refused(status.unwrap_or(500), errno, usual).answer();
    if let (Some(message), super::calls::AnswerBody::Json(body)) = (message, &mut answer.body) {
        body["message"] = json!(message);
    }
    answer
}
