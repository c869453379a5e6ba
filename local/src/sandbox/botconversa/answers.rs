//! Error answers as they come: words under one name or another, or a page.

use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::{Value, json};

use super::Answer;

/// Why a call is refused.
pub(super) struct Failed {
    status: u16,
    body: Value,
}

impl Failed {
    pub(super) fn key() -> Self {
        Self { status: 401, body: json!({"detail": "Invalid API key"}) }
    }

    /// What creating somebody who is there already is answered.
    pub(super) fn exists() -> Self {
        Self { status: 401, body: json!({"error": "Subscriber already exists"}) }
    }

    pub(super) fn invalid() -> Self {
        Self { status: 400, body: json!({"error_message": "Invalid data"}) }
    }

    pub(super) fn not_found() -> Self {
        Self { status: 404, body: json!({"detail": "Not found."}) }
    }

    pub(super) fn answer(self) -> Answer {
        Answer::json(StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), self.body)
    }
}

/// What the framework answers in place of the API.
pub(super) fn page_of_html(status: u16, title: &str) -> Answer {
    let page = format!("<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>");
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Answer::raw(status, "text/html", Bytes::from(page))
}

/// The answer to a call that was ordered to fail: a page where nothing else was ordered.
pub(super) fn failure(status: Option<u16>, _: Option<&Value>, message: Option<&str>) -> Answer {
    let status = status.unwrap_or(500);
    match (status, message) {
        (401, None) => Failed::key().answer(),
        (429, None) => Failed { status, body: json!({"detail": "Request was throttled."}) }.answer(),
        (500.., None) => page_of_html(status, "Server Error"),
        (_, message) => Failed { status, body: json!({"detail": message.unwrap_or("Error")}) }.answer(),
    }
}
