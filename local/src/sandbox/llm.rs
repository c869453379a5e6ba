//! A language model behind the API of Groq and `OpenAI`: chat completions, embeddings, recordings written down.
//!
//! A token that begins with `obedient` has the worst model there is: it does whatever any text that it reads tells it to. One that begins with `wide` has
//! vectors twice as long.

mod answers;
mod checks;
mod embeddings;
mod obedient;
mod recordings;

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::{get, post},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Sandbox,
    calls::{Answer, Call},
    faults::Target,
    kept::lock,
};

/// Models that answer. Names that start with `gpt-` answer too.
const MODELS: [&str; 5] =
    ["openai/gpt-oss-120b", "openai/gpt-oss-20b", "qwen/qwen3.6-27b", "whisper-large-v3-turbo", "text-embedding-3-small"];
/// Models that were switched off.
const GONE: [&str; 2] = ["llama-3.3-70b-versatile", "llama-3.1-8b-instant"];

/// An answer that was ordered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Text that the last message of the user must hold.
    #[serde(default, rename = "match")]
    pub matching: Option<String>,
    /// The bearer token of the call.
    #[serde(default)]
    pub token: Option<String>,
    /// A string as it stands, or anything else as JSON text.
    #[serde(default)]
    pub content: Value,
    #[serde(default)]
    pub tool_calls: Option<Value>,
    #[serde(default)]
    pub refusal: Option<String>,
    #[serde(default = "stop")]
    pub finish_reason: String,
    #[serde(default)]
    pub delay_ms: u64,
    /// How often it is given; once when absent, always when 0.
    #[serde(default = "once")]
    pub times: u32,
}

fn stop() -> String {
    "stop".to_owned()
}

fn once() -> u32 {
    1
}

#[derive(Default)]
pub(super) struct Llm(Mutex<Vec<Script>>);

impl Llm {
    pub(super) fn add(&self, script: Script) {
        lock(&self.0).push(script);
    }

    pub(super) fn clear(&self, token: Option<&str>) {
        lock(&self.0).retain(|script| token.is_some() && script.token.as_deref() != token);
    }

    fn take(&self, token: &str, last: &str) -> Option<Script> {
        let mut scripts = lock(&self.0);
        let index = scripts.iter().position(|script| {
            script.token.as_deref().is_none_or(|wanted| wanted == token)
                && script.matching.as_deref().is_none_or(|text| last.contains(text))
        })?;
        let script = scripts[index].clone();
        match scripts[index].times {
            0 => {}
            1 => drop(scripts.remove(index)),
            _ => scripts[index].times -= 1,
        }
        Some(script)
    }
}

pub(super) fn router() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/chat/completions", post(complete))
        .route("/embeddings", post(embeddings::embed))
        .route("/audio/transcriptions", post(recordings::transcribe).layer(DefaultBodyLimit::max(recordings::LARGEST)))
        .route("/models", get(models))
}

/// Why a call is refused.
struct LlmError {
    status: StatusCode,
    kind: &'static str,
    code: Option<&'static str>,
    message: String,
    param: Option<String>,
}

impl LlmError {
    fn invalid(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, kind: "invalid_request_error", code: None, message: message.into(), param: None }
    }

    fn answer(self) -> Answer {
        let mut error = json!({"message": self.message, "type": self.kind});
        if let Some(code) = self.code {
            error["code"] = json!(code);
        }
        if let Some(param) = self.param {
            error["param"] = json!(param);
        }
        Answer::json(self.status, json!({"error": error}))
    }
}

fn admit(token: Option<&str>) -> Result<&str, LlmError> {
    token.filter(|token| !token.starts_with("invalid")).ok_or_else(|| LlmError {
        status: StatusCode::UNAUTHORIZED,
        code: Some("invalid_api_key"),
        ..LlmError::invalid("Invalid API Key")
    })
}

/// `GET /models`
async fn models(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap) -> Response {
    let call = Call::new(Target::Llm, "GET", "/models".to_owned(), &headers);
    let admitted = admit(call.token.as_deref()).map(drop);
    let work = || {
        if let Err(error) = admitted {
            return error.answer();
        }
        let describe = |id: &&str| {
            json!({"id": id, "object": "model", "created": 1_754_400_000, "owned_by": "sandbox",
                "active": true, "context_window": 131_072})
        };
        let data: Vec<Value> = MODELS.iter().map(describe).collect();
        Answer::ok(json!({"object": "list", "data": data}))
    };
    sandbox.perform(call, failure, work).await
}

/// `POST /chat/completions`
async fn complete(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut call = Call::new(Target::Llm, "POST", "/chat/completions".to_owned(), &headers);
    let request: Option<Value> = serde_json::from_slice(&body).ok();
    call.request = request.clone().unwrap_or_default();
    let token = call.token.clone();
    let work = || {
        let checked = admit(token.as_deref()).and_then(|token| {
            let request = request.ok_or_else(|| LlmError::invalid("invalid JSON body"))?;
            checks::check(&request)?;
            Ok((token, request))
        });
        match checked {
            Err(error) => error.answer(),
            Ok((token, request)) => {
                let last = answers::last_user_message(&request);
                let script = sandbox.llm.take(token, &last);
                let script = script.or_else(|| token.starts_with("obedient").then(|| obedient::script(&request)));
                answers::completion(&request, &last, script)
            }
        }
    };
    sandbox.perform(call, failure, work).await
}

/// The answer to a call that was ordered to fail; 500 when no status was ordered.
fn failure(status: Option<u16>, code: Option<&Value>, message: Option<&str>) -> Answer {
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (kind, usual_code, usual_message) = match status.as_u16() {
        401 => ("invalid_request_error", "invalid_api_key", "Invalid API Key"),
        404 => ("invalid_request_error", "model_not_found", "The model does not exist"),
        413 => ("tokens", "rate_limit_exceeded", "Request too large for model"),
        429 => ("tokens", "rate_limit_exceeded", "Rate limit reached. Please try again in 5.9s."),
        498 => ("capacity_exceeded", "capacity_exceeded", "Flex tier capacity exceeded"),
        400..=499 => ("invalid_request_error", "invalid_request_error", "Invalid request"),
        _ => ("internal_server_error", "internal_server_error", "Internal Server Error"),
    };
    let code = code.cloned().unwrap_or_else(|| json!(usual_code));
    let message = message.unwrap_or(usual_message);
    let mut error = json!({"message": message, "type": kind, "code": code});
    if code == "json_validate_failed" {
        error["failed_generation"] = json!("{\"intent\": \"visita\", ");
    }
    Answer::json(status, json!({"error": error}))
}
