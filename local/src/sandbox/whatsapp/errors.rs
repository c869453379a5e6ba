//! Errors as the Graph API words them, in HTTP answers and in `failed` statuses.

use axum::http::StatusCode;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::sandbox::calls::Answer;

const DOCUMENTATION: &str = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/";

/// Why Meta refuses a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GraphError {
    pub code: i64,
    subcode: Option<i64>,
    /// Replaces the code's own title.
    message: Option<String>,
    details: Option<String>,
}

impl GraphError {
    pub(super) fn new(code: i64, details: impl Into<String>) -> Self {
        Self { code, subcode: None, message: None, details: Some(details.into()) }
    }

    /// A parameter that is missing or wrong: the message says it all.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self { code: 100, subcode: None, message: Some(message.into()), details: None }
    }

    pub(super) fn token(message: &str) -> Self {
        Self { code: 190, subcode: None, message: Some(message.to_owned()), details: None }
    }

    /// An id that names nothing this token can see.
    pub(super) fn unknown_object(method: &str, id: &str) -> Self {
        let message = format!(
            "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded \
             due to missing permissions, or does not support this operation"
        );
        Self { subcode: Some(33), ..Self::invalid(message) }
    }

    pub(super) fn answer(&self) -> Answer {
        let title = self.message.as_deref().unwrap_or_else(|| title(self.code));
        let plain = self.code == 190 || self.subcode == Some(33);
        let message = if plain { title.to_owned() } else { format!("(#{}) {title}", self.code) };
        let mut error = json!({
            "message": message,
            "type": "OAuthException",
            "code": self.code,
            "fbtrace_id": trace_id(),
        });
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = json!(subcode);
        }
        if let Some(details) = &self.details {
            error["error_data"] = json!({"messaging_product": "whatsapp", "details": details});
        }
        Answer::json(http_status(self.code), json!({"error": error}))
    }
}

/// An element of `errors` in a status or an unsupported message.
pub(super) fn notification_error(code: i64) -> Value {
    json!({
        "code": code,
        "title": title(code),
        "message": title(code),
        "error_data": {"details": details(code)},
        "href": DOCUMENTATION,
    })
}

/// The answer to a call that was ordered to fail; 131000 when no code was ordered. The status follows the code.
pub(super) fn failure(_: Option<u16>, code: Option<&Value>, message: Option<&str>) -> Answer {
    let code = code.and_then(|code| code.as_i64().or_else(|| code.as_str()?.parse().ok())).unwrap_or(131_000);
    GraphError { code, subcode: None, message: message.map(str::to_owned), details: Some(details(code).to_owned()) }.answer()
}

pub(super) fn trace_id() -> String {
    format!("A{}", URL_SAFE_NO_PAD.encode(uuid::Uuid::new_v4().as_bytes()))
}

fn http_status(code: i64) -> StatusCode {
    match code {
        0 | 190 => StatusCode::UNAUTHORIZED,
        2 | 133_004 => StatusCode::SERVICE_UNAVAILABLE,
        3 | 131_000 | 131_016 | 131_045 | 131_057 => StatusCode::INTERNAL_SERVER_ERROR,
        4 | 80_007 | 130_429 | 131_048 | 131_056 => StatusCode::TOO_MANY_REQUESTS,
        10 | 200..=299 | 368 | 130_497 | 131_005 | 131_031 => StatusCode::FORBIDDEN,
        132_001 => StatusCode::NOT_FOUND,
        _ => StatusCode::BAD_REQUEST,
    }
}

fn title(code: i64) -> &'static str {
    match code {
        0 => "AuthException",
        1 => "API Unknown",
        2 => "API Service",
        3 => "API Method",
        4 => "API Too Many Calls",
        10 | 200..=299 => "API Permission",
        100 => "Invalid parameter",
        190 => "Access token has expired",
        368 => "Temporarily blocked for policies violations",
        80_007 => "Rate limit issues",
        130_429 => "Rate limit hit",
        130_472 => "User's number is part of an experiment",
        130_497 => "Business account is restricted from messaging users in this country.",
        131_005 => "Access denied",
        131_008 => "Required parameter is missing",
        33 | 131_009 => "Parameter value is not valid",
        131_016 => "Service unavailable",
        131_021 => "Recipient cannot be sender",
        131_026 => "Message undeliverable",
        131_030 => "Recipient phone number not in allowed list",
        131_031 => "Account has been locked",
        131_037 => "Display name approval needed",
        131_042 => "Business eligibility payment issue",
        131_045 => "Incorrect certificate",
        131_047 => "Re-engagement message",
        131_048 => "Spam rate limit hit",
        131_049 => "Meta chose not to deliver",
        131_050 => "User has stopped marketing messages",
        131_051 => "Unsupported message type",
        131_052 => "Media download error",
        131_053 => "Media upload error",
        131_056 => "(Business Account, Consumer Account) pair rate limit hit",
        131_057 => "Account in maintenance mode",
        131_062 => "Business-scoped user id is not supported for this message",
        132_000 => "Number of parameters does not match the expected number of params",
        132_001 => "Template name does not exist in the translation",
        132_005 => "Translated text too long",
        132_007 => "Template format character policy violated",
        132_012 => "Parameter format does not match format in the created template",
        132_015 => "Template is paused",
        132_016 => "Template is disabled",
        133_004 => "Server Temporarily Unavailable",
        133_010 => "Phone number not registered",
        135_000 => "Generic user error",
        137_000 => "Recipient identity key hash mismatch",
        _ => "Something went wrong",
    }
}

fn details(code: i64) -> &'static str {
    match code {
        130_429 => "Cloud API message throughput has been reached.",
        131_026 => "Message undeliverable.",
        131_030 => "Add the recipient to the allowed list",
        131_047 => "More than 24 hours have passed since the customer last replied.",
        131_049 => "In order to maintain a healthy ecosystem engagement, the message was not sent.",
        131_056 => "Too many messages sent to the same recipient in a short period of time.",
        _ => title(code),
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::{GraphError, failure};

    #[test]
    fn status_follows_the_code() {
        let status = |error: GraphError| error.answer().into_response().status().as_u16();
        assert_eq!(status(GraphError::token("expired")), 401);
        assert_eq!(status(GraphError::invalid("x")), 400);
        assert_eq!(status(GraphError::new(131_000, "x")), 500);
        assert_eq!(failure(None, Some(&4.into()), None).status.as_u16(), 429);
        assert_eq!(failure(None, Some(&"2".into()), None).status.as_u16(), 503);
    }
}
