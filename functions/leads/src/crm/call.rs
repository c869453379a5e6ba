//! One call to a CRM, outside of any transaction, and what its answer means.

use std::time::Duration;

use integrations::crm_kinds::CrmKind;
use reqwest::{Method, RequestBuilder};
use shared::{
    environment::variable,
    prelude::*,
    provider::{read_up_to, retry_after},
    text::told_value,
};
use tokio::time::timeout;

use super::connection::Connection;

/// How long an answer is waited for, names asked for and all.
const PATIENCE: Duration = Duration::from_secs(6);

/// An answer is read up to here: a page has a hundred records at most.
const LARGEST: usize = 4_000_000;

/// Characters of a CRM's own words that are kept.
const LONGEST: usize = 300;

/// Until the next try, where it does not say.
const PAUSE: Duration = Duration::from_secs(10);

/// No answer makes us wait for longer.
const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// What a day's budget that is used up waits for.
const TOMORROW: Duration = Duration::from_hours(6);

/// Why nothing more is done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It wants to be left alone for this long.
    Wait { after: Duration },
    /// It is not there, or answers what nobody can read: nothing is known to have been done.
    Down { reason: String },
    /// It may have been done, or this one thing may be what it cannot take.
    Unknown { reason: String },
    /// The key is no good, or the account is closed.
    Blocked { reason: String },
}

/// What it answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Its own words, without its key.
    #[must_use]
    pub fn words(&self, key: &str) -> String {
        let words = ["message", "error", "detail", "error_info"].iter().find_map(|name| self.body[*name].as_str());
        let words = words.map_or_else(|| format!("HTTP {}", self.status), |words| format!("HTTP {}: {words}", self.status));
        words.replace(key, "••••").chars().take(LONGEST).collect()
    }
}

impl Connection {
    async fn request(&self, context: &Context, method: Method, path: &str) -> Result<RequestBuilder, Stop> {
        match self.kind {
            CrmKind::HubSpot => {
                let url = format!("{}/{path}", variable("HUBSPOT_URL").trim_end_matches('/'));
                Ok(context.http().request(method, url).bearer_auth(&self.api_key))
            }
            CrmKind::Pipedrive => {
                let url = format!("{}/{path}", variable("PIPEDRIVE_URL").trim_end_matches('/'));
                Ok(context.http().request(method, url).header("x-api-token", &self.api_key))
            }
            CrmKind::GenericRest => {
                let url = format!("{}/{path}", self.base_url.as_deref().unwrap_or_default().trim_end_matches('/'));
                // Judged by the address that is connected to, each time.
                let request = context.call_outside(method, &url).await;
                let request = request.map_err(|refusal| Stop::Blocked { reason: refusal.code().to_owned() })?;
                Ok(request.bearer_auth(&self.api_key))
            }
        }
    }

    /// Calls it. What it refuses is an answer, too.
    ///
    /// # Errors
    /// Why nothing more is to be done now.
    pub async fn call(&self, context: &Context, (method, path): (Method, &str), body: Option<&Value>) -> Result<Answer, Stop> {
        self.call_with(context, (method, path), body, None).await
    }

    /// The same, of what is to be done once: whoever knows such keys does it once for each.
    ///
    /// # Errors
    /// As `call`.
    pub async fn call_with(
        &self,
        context: &Context,
        (method, path): (Method, &str),
        body: Option<&Value>,
        once: Option<&str>,
    ) -> Result<Answer, Stop> {
        let asked = async {
            let mut request = self.request(context, method, path).await?;
            if let Some(body) = body {
                request = request.json(body);
            }
            if let Some(once) = once {
                request = request.header("idempotency-key", once);
            }
            let response = request.send().await.map_err(|error| lost(&error))?;
            let (status, after) = (response.status().as_u16(), retry_after(&response));
            let read = read_up_to(response, LARGEST).await.map_err(|error| lost(&error))?;
            let bytes = read.ok_or_else(|| Stop::Down { reason: "the answer is too large".into() })?;
            judge(status, &bytes, after, &self.api_key)
        };
        timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(Stop::Unknown { reason: "timed out".into() }))
    }
}

fn lost(error: &reqwest::Error) -> Stop {
    if error.is_connect() {
        Stop::Down { reason: "unreachable".into() }
    } else {
        Stop::Unknown { reason: "the connection was lost".into() }
    }
}

fn judge(status: u16, bytes: &[u8], after: Option<Duration>, key: &str) -> Result<Answer, Stop> {
    let body: Option<Value> =
        if bytes.is_empty() { Some(Value::Null) } else { serde_json::from_slice(bytes).ok().map(told_value) };
    let is_json = body.is_some();
    let answer = Answer { status, body: body.unwrap_or_default() };
    match status {
        200..300 if !is_json => Err(Stop::Unknown { reason: "the answer is a page".into() }),
        401..=403 => Err(Stop::Blocked { reason: answer.words(key) }),
        429 => {
            let is_daily = answer.body["policyName"] == "DAILY";
            Err(Stop::Wait {
                after: after.unwrap_or(if is_daily { TOMORROW } else { PAUSE }).clamp(Duration::from_secs(1), LONGEST_PAUSE),
            })
        }
        423 => Err(Stop::Wait { after: after.unwrap_or(Duration::from_secs(2)).min(LONGEST_PAUSE) }),
        300..=399 | 502..=504 => Err(Stop::Down { reason: format!("HTTP {status}") }),
        500.. if !is_json => Err(Stop::Down { reason: format!("HTTP {status}") }),
        500.. => Err(Stop::Unknown { reason: answer.words(key) }),
        _ => Ok(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_mean_what_their_status_says_and_pages_are_none() {
        let of = |status, body: &str| judge(status, body.as_bytes(), None, "the-key");
        assert_eq!(of(200, "{}"), Ok(Answer { status: 200, body: json!({}) }));
        assert!(matches!(of(200, "<!doctype html>"), Err(Stop::Unknown { .. })), "it may have been done");
        assert!(matches!(of(503, "<html>"), Err(Stop::Down { .. })));
        assert!(matches!(of(500, "{}"), Err(Stop::Unknown { .. })));
        assert_eq!(of(401, r#"{"message": "bad the-key"}"#), Err(Stop::Blocked { reason: "HTTP 401: bad ••••".into() }));
        assert_eq!(of(409, r#"{"message": "x"}"#).unwrap().words("k"), "HTTP 409: x");
        assert_eq!(of(429, "{}"), Err(Stop::Wait { after: PAUSE }));
        assert_eq!(of(429, r#"{"policyName": "DAILY"}"#), Err(Stop::Wait { after: TOMORROW }));
        let told = judge(429, b"", Some(Duration::from_secs(3)), "k");
        assert_eq!(told, Err(Stop::Wait { after: Duration::from_secs(3) }));
        let told = judge(429, b"", Some(Duration::from_secs(u64::MAX)), "k");
        assert_eq!(told, Err(Stop::Wait { after: LONGEST_PAUSE }));
    }
}
