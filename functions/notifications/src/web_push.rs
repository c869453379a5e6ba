//! Telling a browser while no page of ours is open: one call to its push service (RFC 8030), signed with the stage's key (RFC 8292), which carries
//! what only the browser opens.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::BoxFuture;
use reqwest::{Method, Response, StatusCode};
use shared::{crypto, log, outside::Refusal, prelude::*, provider::retry_after, settings::WebPush, token};
use url::Url;

use crate::sealing::seal;

/// Whom somebody is told at; read as the system, by `SUBSCRIPTIONS`. No `Debug`: where a browser is told is a secret.
#[derive(FromRow)]
pub struct Subscription {
    pub id: Uuid,
    pub company_id: Uuid,
    pub session_id: Uuid,
    pub endpoint: String,
    pub p256dh: Vec<u8>,
    pub auth: Vec<u8>,
    pub server_key: String,
}

/// The browsers of the person `$1` in the transaction's company, as long as their sessions last; twenty at most.
pub const SUBSCRIPTIONS: &str = "select id, company_id, session_id, endpoint, p256dh, auth, server_key from app.web_push_of($1)";

const FORGET: &str = "delete from web_push_subscriptions where id = $1";

/// What the service worker of a front end gets, as JSON.
#[derive(Serialize)]
pub struct Notice<'a> {
    /// The notification's: one that comes twice is shown once.
    pub id: Uuid,
    pub r#type: &'a str,
    pub title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<&'a str>,
    /// The path in the front end that a click leads to.
    pub url: &'a str,
    /// How many notifications are unread.
    pub badge: i64,
    /// Whether it is heard; the server decides.
    pub sound: bool,
}

/// How soon a browser that saves its battery is to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    VeryLow,
    Low,
    Normal,
    High,
}

impl Urgency {
    fn as_str(self) -> &'static str {
        match self {
            Self::VeryLow => "very-low",
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

/// What is to be carried, and how.
#[derive(Clone, Copy, Debug)]
pub struct Push<'a> {
    /// `LARGEST` bytes at most.
    pub payload: &'a [u8],
    /// How long it is kept for a browser that is off: four weeks with most services; zero for now or never.
    pub ttl: Duration,
    pub urgency: Urgency,
    /// What it is about: a later push about the same takes the place of one that still waits for the browser. Any text.
    pub topic: Option<&'a str>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The push service has it. Whether the browser shows it, nobody learns.
    Delivered,
    /// The browser has unsubscribed; its subscription is removed.
    Gone,
    /// Nothing was carried: to be tried again after this long.
    RetryAfter(Duration),
    /// Nothing is carried there for as long as nobody acts: another key, an address inside. The subscription stays.
    Refused(String),
    /// More than the push service carries, or than `LARGEST`.
    TooLarge,
}

/// How long a push service is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// How soon it is tried again where a push service does not say, and how late where it says too much.
const SOON: Duration = Duration::from_mins(1);
const LATE: Duration = Duration::from_hours(24);

/// Of the proof of who we are; a day is the most there may be.
const PROOF_LIFE: Duration = Duration::from_hours(12);

/// Sends one push to one browser; no transaction may be open, and its function says `reads!(REACHABLE_INSIDE)`. Done again after an outcome that was
/// lost, the browser may get it twice: what is in it has an id.
pub fn deliver<'a>(context: &'a Context, subscription: &'a Subscription, push: Push<'a>) -> BoxFuture<'a, Outcome> {
    Box::pin(async move {
        let outcome = send(context, subscription, push).await;
        if outcome == Outcome::Gone {
            // Where it fails, the next one that finds it gone does it.
            if let Err(error) = forget(context, subscription).await {
                log::warn("a browser that has unsubscribed is kept", error.cause().unwrap_or_default());
            }
        }
        if let Outcome::Refused(reason) = &outcome {
            log::warn("a push was refused", &format!("{}: {reason}", host_of(&subscription.endpoint)));
        }
        outcome
    })
}

async fn send(context: &Context, subscription: &Subscription, push: Push<'_>) -> Outcome {
    let Some(keys) = context.secrets().web_push.as_ref() else { return Outcome::Refused("web_push_off".into()) };
    if keys.public_key() != subscription.server_key {
        return Outcome::Refused("another_key".into());
    }
    let Some(sealed) = seal(&subscription.p256dh, &subscription.auth, push.payload) else { return Outcome::TooLarge };
    let Some(authorization) = authorization(keys, &subscription.endpoint, context.now()) else {
        return Outcome::Refused(Refusal::Malformed.code().into());
    };
    let request = match context.call_outside(Method::POST, &subscription.endpoint).await {
        Ok(request) => request,
        // Names are not found for a while, too.
        Err(Refusal::Unknown) => return Outcome::RetryAfter(SOON),
        Err(refusal) => return Outcome::Refused(refusal.code().into()),
    };
    let mut request = request
        .timeout(PATIENCE)
        .header("ttl", push.ttl.as_secs())
        .header("urgency", push.urgency.as_str())
        .header("content-encoding", "aes128gcm")
        .header("content-type", "application/octet-stream")
        .header("authorization", authorization)
        .body(sealed);
    if let Some(topic) = push.topic {
        request = request.header("topic", topic_of(topic));
    }
    match request.send().await {
        Ok(response) => outcome_of(&response),
        Err(_) => Outcome::RetryAfter(SOON),
    }
}

async fn forget(context: &Context, subscription: &Subscription) -> Result<(), Error> {
    let transaction = context.begin_system(subscription.company_id).await?;
    transaction.execute(FORGET, &[&subscription.id]).await?;
    transaction.commit_quietly().await
}

fn outcome_of(response: &Response) -> Outcome {
    match response.status() {
        status if status.is_success() => Outcome::Delivered,
        StatusCode::NOT_FOUND | StatusCode::GONE => Outcome::Gone,
        StatusCode::PAYLOAD_TOO_LARGE => Outcome::TooLarge,
        status if status.is_server_error() || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&status) => {
            Outcome::RetryAfter(retry_after(response).map_or(SOON, |asked| asked.min(LATE)))
        }
        status => Outcome::Refused(status.as_u16().to_string()),
    }
}

/// Who we are, as one push service is told it.
fn authorization(keys: &WebPush, endpoint: &str, now: Timestamp) -> Option<String> {
    #[derive(Serialize)]
    struct Claims<'a> {
        aud: String,
        exp: i64,
        sub: &'a str,
    }
    let aud = Url::parse(endpoint).ok()?.origin().ascii_serialization();
    let exp = now.checked_add(PROOF_LIFE).ok()?.as_second();
    let proof = token::sign_with_pair(&keys.pkcs8(), &Claims { aud, exp, sub: &keys.contact });
    Some(format!("vapid t={proof}, k={}", keys.public_key()))
}

/// 32 characters of URL-safe base64 are the most that a topic may have.
fn topic_of(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&crypto::sha256(text.as_bytes())[..24])
}

/// All of an address that may be written down.
fn host_of(endpoint: &str) -> String {
    Url::parse(endpoint).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry_after: Option<&str>) -> Outcome {
        let mut response = http::Response::builder().status(status);
        if let Some(text) = retry_after {
            response = response.header("retry-after", text);
        }
        outcome_of(&response.body("").unwrap().into())
    }

    #[test]
    fn what_a_push_service_says_decides_what_is_done() {
        for status in [200, 201, 202, 204] {
            assert_eq!(answer(status, None), Outcome::Delivered, "{status}");
        }
        for status in [404, 410] {
            assert_eq!(answer(status, None), Outcome::Gone, "{status}");
        }
        for status in [408, 429, 500, 502, 503] {
            assert_eq!(answer(status, None), Outcome::RetryAfter(SOON), "{status}");
            assert_eq!(answer(status, Some("7")), Outcome::RetryAfter(Duration::from_secs(7)), "{status}");
            assert_eq!(answer(status, Some("9999999")), Outcome::RetryAfter(LATE), "{status}");
        }
        assert_eq!(answer(413, None), Outcome::TooLarge);
        for status in [301, 400, 401, 403] {
            assert_eq!(answer(status, None), Outcome::Refused(status.to_string()));
        }
    }

    #[test]
    fn a_topic_is_one_whatever_it_is_made_of() {
        for text in ["", "conversa 42", "ação/ção", &"x".repeat(500)] {
            let topic = topic_of(text);
            assert_eq!(topic.len(), 32);
            assert!(topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{topic}");
        }
        assert_ne!(topic_of("conversa 42"), topic_of("conversa 43"));
    }

    #[test]
    fn only_the_host_is_written_down() {
        assert_eq!(host_of("https://push.exemplo.com.br/segredo?x=1"), "push.exemplo.com.br");
        assert_eq!(host_of("segredo"), "");
    }
}
