//! Notifications to the functions: written, signed, sent and retried as Meta does.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::http::{Request, header};
use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use jiff::Timestamp;
use ring::hmac;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Sandbox;
use crate::sandbox::faults::{Circumstance, FaultKind, Target};

const SIGNATURE_HEADER: &str = "X-Hub-Signature-256";
const LONGEST_ANSWER: Duration = Duration::from_secs(20);

/// One notification and every try to deliver it.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    pub id: Uuid,
    pub at: Timestamp,
    pub phone_number_id: String,
    pub body: Value,
    pub attempts: Vec<Attempt>,
}

/// One try to deliver a notification.
#[derive(Clone, Debug, Serialize)]
pub struct Attempt {
    pub at: Timestamp,
    /// `None` when there was no answer.
    pub status: Option<u16>,
    pub ms: u64,
    /// The answer's text, or why there was none.
    pub answer: String,
}

impl Attempt {
    fn accepted(&self) -> bool {
        self.status == Some(200)
    }
}

/// How a raw body is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    Valid,
    None,
    /// Well formed, made with another key.
    Wrong,
    /// The header's value as it stands.
    Exactly(String),
}

pub(super) struct WebhookClient(Client<HttpConnector, Full<Bytes>>);

impl WebhookClient {
    pub(super) fn new() -> Self {
        // A server closes what is idle; whoever sends on it in that instant gets no answer.
        let idle = Duration::from_secs(5);
        Self(
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(idle)
                .build(HttpConnector::new()),
        )
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Attempt {
        let at = Timestamp::now();
        let started = Instant::now();
        let exchange = async {
            let response = self.0.request(request).await.map_err(|error| error.to_string())?;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.map_err(|error| error.to_string())?;
            Ok((status, String::from_utf8_lossy(&body.to_bytes()).into_owned()))
        };
        let (status, answer) = match tokio::time::timeout(LONGEST_ANSWER, exchange).await {
            Ok(Ok((status, answer))) => (Some(status), answer),
            Ok(Err(error)) => (None, error),
            Err(_) => (None, "no answer in time".to_owned()),
        };
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Attempt { at, status, ms, answer }
    }
}

impl Sandbox {
    /// The notification of one element of `messages`, `statuses` and the like.
    pub(super) fn envelope(&self, phone_number_id: &str, field: &str, mut value: Value) -> Value {
        let settings = self.whatsapp.settings(phone_number_id);
        value["messaging_product"] = json!("whatsapp");
        value["metadata"] = json!({
            "display_phone_number": settings.display_phone_number,
            "phone_number_id": phone_number_id,
        });
        json!({
            "object": "whatsapp_business_account",
            "entry": [{
                "id": settings.waba_id,
                "time": Timestamp::now().as_second(),
                "changes": [{"field": field, "value": value}],
            }],
        })
    }

    /// Sends a notification and gives the first try's result; with `retry` further tries go on
    /// behind.
    pub(super) async fn notify(self: &Arc<Self>, phone_number_id: &str, body: Value, retry: bool) -> Attempt {
        let text = body.to_string();
        let at = Circumstance { phone_number_id: Some(phone_number_id), text: &text, ..Circumstance::default() };
        let fault = self.faults.of_webhook(Target::Webhooks, &at);
        if let Some(FaultKind::Timeout { ms: Some(ms) }) = fault {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        let raw = Bytes::from(as_meta_writes(&body));
        let delivery = Delivery {
            id: Uuid::now_v7(),
            at: Timestamp::now(),
            phone_number_id: phone_number_id.to_owned(),
            body,
            attempts: Vec::new(),
        };
        let id = delivery.id;
        self.whatsapp.deliveries.push(delivery);
        let copies = if fault == Some(FaultKind::Duplicate) { 2 } else { 1 };
        let mut attempts = join_all((0..copies).map(|_| self.post(raw.clone(), &Signature::Valid))).await;
        for attempt in &attempts {
            self.record_attempt(id, attempt.clone());
        }
        if retry && !attempts.iter().all(Attempt::accepted) {
            let sandbox = Arc::clone(self);
            let number = phone_number_id.to_owned();
            tokio::spawn(async move { sandbox.retry(id, &number, raw).await });
        }
        attempts.swap_remove(0)
    }

    async fn retry(&self, id: Uuid, phone_number_id: &str, raw: Bytes) {
        let settings = self.whatsapp.settings(phone_number_id);
        let mut pause = Duration::from_millis(settings.webhook_backoff_ms);
        for _ in 1..settings.webhook_attempts {
            tokio::time::sleep(pause).await;
            pause *= 2;
            let attempt = self.post(raw.clone(), &Signature::Valid).await;
            let accepted = attempt.accepted();
            self.record_attempt(id, attempt);
            if accepted {
                return;
            }
        }
    }

    fn record_attempt(&self, id: Uuid, attempt: Attempt) {
        self.whatsapp.deliveries.change(|delivery| delivery.id == id, |delivery| delivery.attempts.push(attempt));
    }

    /// Sends these bytes once.
    pub(super) async fn post(&self, raw: Bytes, signature: &Signature) -> Attempt {
        let header = match signature {
            Signature::Valid => Some(signature_of(&self.options.app_secret, &raw)),
            Signature::Wrong => Some(signature_of("not the app secret", &raw)),
            Signature::Exactly(value) => Some(value.clone()),
            Signature::None => None,
        };
        let mut request = Request::post(&self.options.webhook_url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, "facebookexternalua");
        if let Some(value) = header {
            request = request.header(SIGNATURE_HEADER, value);
        }
        self.exchange(request.body(Full::new(raw))).await
    }

    /// Asks the endpoint to prove itself, as Meta does when it is registered.
    pub(super) async fn verify(&self, token: &str, challenge: &str) -> Attempt {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("hub.mode", "subscribe")
            .append_pair("hub.verify_token", token)
            .append_pair("hub.challenge", challenge)
            .finish();
        let request = Request::get(format!("{}?{query}", self.options.webhook_url));
        self.exchange(request.body(Full::default())).await
    }

    /// Sends a request and tells what became of it.
    pub(in crate::sandbox) async fn exchange(&self, request: axum::http::Result<Request<Full<Bytes>>>) -> Attempt {
        match request {
            Ok(request) => self.whatsapp.webhooks.send(request).await,
            Err(error) => {
                let answer = error.to_string();
                Attempt { at: Timestamp::now(), status: None, ms: 0, answer }
            }
        }
    }
}

/// The value of the signature header over these bytes.
#[must_use]
pub fn signature_of(app_secret: &str, raw: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, app_secret.as_bytes());
    format!("sha256={}", hex::encode(hmac::sign(&key, raw)))
}

/// JSON with `\/` for slashes and `\uXXXX` for everything outside ASCII. Both occur only inside
/// strings, so the serialised text can be rewritten character by character.
fn as_meta_writes(value: &Value) -> String {
    let mut written = String::new();
    for character in value.to_string().chars() {
        match character {
            '/' => written.push_str("\\/"),
            _ if character.is_ascii() => written.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    written.push_str("\\u");
                    written.push_str(&hex::encode(unit.to_be_bytes()));
                }
            }
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{as_meta_writes, signature_of};

    #[test]
    fn signs_as_the_contract_shows() {
        let plain = r#"{"object":"whatsapp_business_account","entry":[{"id":"1029384756","changes":[]}]}"#;
        assert_eq!(
            signature_of("app-secret-test", plain.as_bytes()),
            "sha256=6ccaaa579580702a9f8235a9fa0dee087a5dfce7c83e39d152eea4ab5a9433d5"
        );
        let escaped = r#"{"text":{"body":"Ol\u00e1, S\u00e3o Paulo \ud83d\ude00 a\/b"}}"#;
        assert_eq!(
            signature_of("app-secret-test", escaped.as_bytes()),
            "sha256=0a1a66723d8496176ce149dcbf77acdd0690729f31f9705bec11c52573b4eacd"
        );
    }

    #[test]
    fn escapes_as_meta_does() {
        let value = json!({"text": {"body": "Olá, São Paulo 😀 a/b"}});
        assert_eq!(as_meta_writes(&value), r#"{"text":{"body":"Ol\u00e1, S\u00e3o Paulo \ud83d\ude00 a\/b"}}"#);
    }
}
