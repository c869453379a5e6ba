//! Calls to whoever carries messages for us: what came of one, and what is logged of it.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::Response;

use crate::clock;

/// Why a call did not succeed. What it means decides what is done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing was done: to be tried again after this long.
    Busy { after: Duration, code: String },
    /// Nothing was done and nothing will be: this message or recipient is refused.
    Refused { code: String, detail: String },
    /// Nothing is accepted from this number until the company acts: token, payment, permission.
    Blocked { code: String, detail: String },
    /// No answer: it may or may not have been done.
    Unknown { reason: String },
}

impl Failure {
    /// The code for the log of calls.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Busy { code, .. } | Self::Refused { code, .. } | Self::Blocked { code, .. } => code,
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// A connection that was never made carried nothing; any other silence may hide a success.
pub(crate) fn unanswered(error: &reqwest::Error) -> Failure {
    if error.is_connect() {
        Failure::Busy { after: Duration::from_secs(5), code: "unreachable".into() }
    } else {
        // Without its address, which may be somebody's own.
        Failure::Unknown { reason: if error.is_timeout() { "timed out".into() } else { "the connection was lost".into() } }
    }
}

pub(crate) fn milliseconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}

/// One call, for the log of calls.
#[derive(Clone, Debug)]
pub struct Call {
    pub operation: &'static str,
    /// HTTP status; `None` without an answer.
    pub status: Option<i32>,
    pub error_code: Option<String>,
    pub took_ms: i32,
}

impl Call {
    /// One that took so long and came to this.
    pub(crate) fn ended<T>(operation: &'static str, status: Option<u16>, outcome: &Result<T, Failure>, took: Duration) -> Self {
        let error_code = outcome.as_ref().err().map(|failure| failure.code().to_owned());
        Self { operation, status: status.map(i32::from), error_code, took_ms: milliseconds(took) }
    }
}

/// How long a busy server asks to be left alone: it says it in seconds, or until when.
#[must_use]
pub fn retry_after(response: &Response) -> Option<Duration> {
    read_retry_after(response.headers().get("retry-after")?.to_str().ok()?, clock::now())
}

fn read_retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = rfc2822::parse(text.trim()).ok()?.timestamp();
    Some(until.duration_since(now).try_into().unwrap_or_default())
}

/// All that is answered; `None` where it is more than this.
///
/// # Errors
/// As the connection fails.
pub async fn read_up_to(mut response: Response, most: usize) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > most {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// A result with the call that was made for it.
pub type Outcome<T> = (Result<T, Failure>, Call);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_server_says_how_long_or_until_when() {
        let now = "2026-11-30T12:00:00Z".parse().unwrap();
        for (text, seconds) in [
            ("120", Some(120)),
            ("0", Some(0)),
            ("Mon, 30 Nov 2026 12:01:30 GMT", Some(90)),
            ("Mon, 30 Nov 2026 11:00:00 GMT", Some(0)),
            ("soon", None),
            ("-5", None),
        ] {
            assert_eq!(read_retry_after(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
