//! Error answers in the server's words.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Answer;

/// Why a call is refused.
pub(super) struct Failed {
    status: u16,
    message: Value,
}

impl Failed {
    /// The messages of a validation are in a list, as are those of unknown paths.
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: json!([message.into()]) }
    }

    pub(super) fn unauthorized() -> Self {
        Self { status: 401, message: json!("Unauthorized") }
    }

    /// A number that has no WhatsApp.
    pub(super) fn no_whatsapp(number: &str) -> Self {
        let message = json!([{"jid": format!("{number}@s.whatsapp.net"), "exists": false, "number": number}]);
        Self { status: 400, message }
    }

    pub(super) fn answer(self) -> Answer {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let error = status.canonical_reason().unwrap_or_default();
        Answer::json(status, json!({"status": self.status, "error": error, "response": {"message": self.message}}))
    }
}

/// What the server answers with status 200 although it has failed.
pub(super) fn failed_inside(message: &str) -> Answer {
    Answer::ok(json!({"error": true, "message": message}))
}

/// The answer to a call that was ordered to fail: 500 when nothing else was ordered, and with status 200 the failure that says so.
pub(super) fn failure(status: Option<u16>, _: Option<&Value>, message: Option<&str>) -> Answer {
    let status = status.unwrap_or(500);
    if status == 200 {
        return failed_inside(message.unwrap_or("Error: Connection Failure"));
    }
    let message = message.unwrap_or(match status {
        401 => "Unauthorized",
        429 => "Too Many Requests",
        500 => "Connection Closed",
        _ => "Error",
    });
    Failed { status, message: json!(message) }.answer()
}
