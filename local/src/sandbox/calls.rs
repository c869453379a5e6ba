//! One call to a third party: whether it fails, what is recorded of it, and how it is answered.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{
    Sandbox,
    faults::{Circumstance, FaultKind, Target},
};

/// A call that a function made.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    pub at: Timestamp,
    pub target: Target,
    pub method: String,
    pub path: String,
    /// The bearer token, or the key of an Evolution server or a BotConversa account.
    pub token: Option<String>,
    /// The business number, the name of the Evolution server, or the key of the BotConversa account.
    pub phone_number_id: Option<String>,
    /// The recipient as the caller wrote it.
    pub to: Option<String>,
    pub request: Value,
    /// `None` when the call was never answered or the connection was closed.
    pub status: Option<u16>,
    pub response: Value,
    /// The ordered failure that happened to it.
    pub fault: Option<FaultKind>,
    /// Until the work was done, without an ordered delay.
    pub took: Duration,
}

impl Call {
    pub(super) fn new(target: Target, method: &str, path: String, headers: &HeaderMap) -> Self {
        Self {
            at: Timestamp::now(),
            target,
            method: method.to_owned(),
            path,
            token: bearer(headers).map(str::to_owned),
            phone_number_id: None,
            to: None,
            request: Value::Null,
            status: None,
            response: Value::Null,
            fault: None,
            took: Duration::ZERO,
        }
    }
}

/// The token of `Authorization: Bearer …`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// What a third party answers.
pub(super) struct Answer {
    pub status: StatusCode,
    pub body: AnswerBody,
    /// Seconds, as the header says it.
    pub retry_after: Option<u64>,
    /// Of what was made.
    pub location: Option<String>,
    pub delay: Duration,
}

pub(super) enum AnswerBody {
    Json(Value),
    Raw { mime_type: String, bytes: Bytes },
}

impl Answer {
    pub(super) fn json(status: StatusCode, body: Value) -> Self {
        let body = AnswerBody::Json(body);
        Self { status, body, retry_after: None, location: None, delay: Duration::ZERO }
    }

    pub(super) fn ok(body: Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    pub(super) fn raw(status: StatusCode, mime_type: &str, bytes: Bytes) -> Self {
        let body = AnswerBody::Raw { mime_type: mime_type.to_owned(), bytes };
        Self { status, body, retry_after: None, location: None, delay: Duration::ZERO }
    }

    fn recorded(&self) -> Value {
        match &self.body {
            AnswerBody::Json(value) => value.clone(),
            AnswerBody::Raw { mime_type, bytes } => Value::String(format!("{} bytes of {mime_type}", bytes.len())),
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::builder().status(self.status);
        if let Some(seconds) = self.retry_after {
            response = response.header(header::RETRY_AFTER, seconds);
        }
        if let Some(location) = self.location {
            response = response.header(header::LOCATION, location);
        }
        let (mime_type, bytes) = match self.body {
            AnswerBody::Json(value) => ("application/json".to_owned(), value.to_string().into()),
            AnswerBody::Raw { mime_type, bytes } => (mime_type, bytes),
        };
        response
            .header(header::CONTENT_TYPE, mime_type)
            .body(Body::from(bytes))
            .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }
}

/// How a third party words a failure that was ordered: by status, code and message, where they were.
pub(super) type Wording = fn(Option<u16>, Option<&Value>, Option<&str>) -> Answer;

impl Sandbox {
    /// Does the work of a call unless it was ordered to fail, records it and answers.
    pub(super) async fn perform(&self, call: Call, wording: Wording, work: impl FnOnce() -> Answer) -> Response {
        let text =
            if call.target.has_telling_paths() { format!("{} {}", call.path, call.request) } else { call.request.to_string() };
        let fault = self.faults.of_call(
            call.target,
            &Circumstance {
                phone_number_id: call.phone_number_id.as_deref(),
                to: call.to.as_deref(),
                token: call.token.as_deref(),
                text: &text,
                step: None,
            },
        );
        match fault {
            Some(FaultKind::Refuse) => {
                self.record(call, fault, None);
                close_connection()
            }
            Some(FaultKind::Timeout { ms: None }) => {
                self.record(call, fault, None);
                std::future::pending().await
            }
            Some(FaultKind::AcceptThenTimeout) => {
                let answer = work();
                self.record(call, fault, Some((None, answer.recorded())));
                std::future::pending().await
            }
            Some(FaultKind::Error { .. }) => {
                let answer = failure(wording, fault.as_ref());
                self.answer(call, fault, answer).await
            }
            Some(FaultKind::Timeout { ms: Some(ms) }) => {
                let mut answer = work();
                answer.delay += Duration::from_millis(ms);
                self.answer(call, fault, answer).await
            }
            _ => {
                let answer = work();
                self.answer(call, None, answer).await
            }
        }
    }

    async fn answer(&self, call: Call, fault: Option<FaultKind>, answer: Answer) -> Response {
        self.record(call, fault, Some((Some(answer.status.as_u16()), answer.recorded())));
        tokio::time::sleep(answer.delay).await;
        answer.into_response()
    }

    fn record(&self, mut call: Call, fault: Option<FaultKind>, answer: Option<(Option<u16>, Value)>) {
        (call.status, call.response) = answer.unwrap_or_default();
        call.fault = fault;
        call.took = Timestamp::now().duration_since(call.at).try_into().unwrap_or_default();
        self.calls.push(call);
    }
}

/// The provider's answer to a call that was ordered to fail.
fn failure(wording: Wording, fault: Option<&FaultKind>) -> Answer {
    let Some(FaultKind::Error { status, code, message, retry_after, body }) = fault else {
        return Answer::ok(Value::Null);
    };
    let mut answer = match body {
        Some(body) => Answer::raw(StatusCode::INTERNAL_SERVER_ERROR, "text/html", Bytes::from(body.clone())),
        None => wording(*status, code.as_ref(), message.as_deref()),
    };
    if let Some(status) = status.and_then(|status| StatusCode::from_u16(status).ok()) {
        answer.status = status;
    }
    answer.retry_after = *retry_after;
    answer
}

/// Ends the connection with no answer. Unwinding the connection's own task is the one way that
/// reaches through the router; it runs no panic hook, so nothing is printed.
fn close_connection() -> ! {
    std::panic::resume_unwind(Box::new("the connection was ordered to close"))
}
