//! `/webhook/…`, and webhooks on their way: written, sent and retried as the server does.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::http::{Request, StatusCode, header};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::Full;
use jiff::{Timestamp, tz::TimeZone};
use ring::hmac;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Answer, Asked, Outcome, Sandbox,
    answers::Failed,
    instances::of,
    notice::{Notice, Webhook, read},
    server::{Instance, Renewal, Server, ServerSettings},
};
use crate::sandbox::{
    faults::{Circumstance, FaultKind, Target},
    whatsapp::webhooks::Attempt,
};

/// Answers after which nothing is tried again.
const FINAL: [u16; 5] = [400, 401, 403, 404, 422];

/// How long a later webhook may overtake one that was ordered to be late.
const OVERTAKEN: Duration = Duration::from_millis(400);

/// One webhook and every try to deliver it.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    pub id: Uuid,
    pub at: Timestamp,
    pub server: String,
    pub instance: String,
    pub event: String,
    pub url: String,
    pub headers: BTreeMap<String, String>,
    pub body: Value,
    pub attempts: Vec<Attempt>,
}

/// `POST /webhook/set/{name}`
pub(super) fn set(asked: &Asked, server: &mut Server, name: &str) -> Outcome {
    let webhook = &asked.body["webhook"];
    if !webhook.is_object() {
        return Err(Failed::new(400, "instance requires property \"webhook\""));
    }
    let Some(is_enabled) = webhook["enabled"].as_bool() else {
        return Err(Failed::new(400, "webhook requires property \"enabled\""));
    };
    let webhook = read(webhook, is_enabled)?;
    let instance = of(server, name)?;
    instance.webhook = Some(webhook);
    Ok((Answer::json(StatusCode::CREATED, found(instance.webhook.as_ref(), instance.id)), Vec::new()))
}

/// `GET /webhook/find/{name}`
pub(super) fn find(_: &Asked, server: &mut Server, name: &str) -> Outcome {
    let instance = of(server, name)?;
    Ok((Answer::ok(found(instance.webhook.as_ref(), instance.id)), Vec::new()))
}

fn found(webhook: Option<&Webhook>, instance_id: Uuid) -> Value {
    let mut found = json!(webhook);
    if let Some(fields) = found.as_object_mut() {
        fields.insert("instanceId".into(), json!(instance_id));
    }
    found
}

impl Sandbox {
    /// Tells these one after the other, behind the answer.
    pub(super) fn tell_all(self: &Arc<Self>, server: &str, notices: Vec<Notice>) {
        if notices.is_empty() {
            return;
        }
        let (sandbox, server) = (Arc::clone(self), server.to_owned());
        tokio::spawn(async move {
            for notice in notices {
                sandbox.tell(&server, notice).await;
            }
        });
    }

    /// Tells one, and answers when it was tried once; `None` where nobody wants to know.
    pub(super) async fn tell(self: &Arc<Self>, server: &str, notice: Notice) -> Option<Attempt> {
        let settings = self.evolution.with(server, |server| server.settings.clone());
        let delivery = self.write(server, &settings, &notice)?;
        let text = format!("{} {}", notice.event, delivery.body);
        let at = Circumstance { phone_number_id: Some(server), text: &text, ..Circumstance::default() };
        let fault = self.faults.of_webhook(Target::EvolutionWebhooks, &at);
        let id = delivery.id;
        self.evolution.deliveries.push(delivery.clone());
        if fault == Some(FaultKind::Reorder) {
            let sandbox = Arc::clone(self);
            tokio::spawn(async move {
                tokio::time::sleep(OVERTAKEN).await;
                let attempt = sandbox.post_evolution(&delivery).await;
                sandbox.record_try(id, attempt);
            });
            return None;
        }
        if let Some(FaultKind::Timeout { ms: Some(ms) }) = fault {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        let copies = if fault == Some(FaultKind::Duplicate) { 2 } else { 1 };
        let mut attempts = join_all((0..copies).map(|_| self.post_evolution(&delivery))).await;
        for attempt in &attempts {
            self.record_try(id, attempt.clone());
        }
        if attempts.iter().any(is_to_be_retried) {
            let sandbox = Arc::clone(self);
            tokio::spawn(async move { sandbox.try_again(&settings, &delivery).await });
        }
        Some(attempts.swap_remove(0))
    }

    /// The request as it goes out; `None` where the webhook is off, wants other events, or has no address of the web.
    fn write(&self, server: &str, settings: &ServerSettings, notice: &Notice) -> Option<Delivery> {
        let webhook = notice.to.as_ref().filter(|webhook| webhook.enabled && webhook.url.starts_with("http"))?;
        let name = notice.event.replace('.', "_").to_ascii_uppercase();
        if !webhook.events.is_empty() && !webhook.events.contains(&name) {
            return None;
        }
        let path = notice.event.replace('.', "-");
        let url = if webhook.by_events { format!("{}/{path}", webhook.url) } else { webhook.url.clone() };
        let own = self.evolution.with(server, |server| server.instances.get(&notice.instance).and_then(Instance::owner));
        let mut body = json!({
            "event": notice.event,
            "instance": notice.instance,
            "data": notice.data,
            "destination": webhook.url,
            "date_time": local_time_with_a_false_z(),
            "sender": own,
            "server_url": format!("{}/evolution/{server}", self.options.public_url),
            "apikey": settings.exposes_tokens.then_some(&notice.token),
        });
        if let Some(fields) = body.as_object_mut() {
            fields.extend(notice.beside.clone());
        }
        Some(Delivery {
            id: Uuid::now_v7(),
            at: Timestamp::now(),
            server: server.to_owned(),
            instance: notice.instance.clone(),
            event: notice.event.clone(),
            url,
            headers: headers_of(webhook),
            body,
            attempts: Vec::new(),
        })
    }

    async fn try_again(&self, settings: &ServerSettings, delivery: &Delivery) {
        let mut pause = Duration::from_millis(settings.webhook_backoff_ms);
        for _ in 1..settings.webhook_attempts {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_mins(5));
            let attempt = self.post_evolution(delivery).await;
            let is_over = !is_to_be_retried(&attempt);
            self.record_try(delivery.id, attempt);
            if is_over {
                return;
            }
        }
    }

    fn record_try(&self, id: Uuid, attempt: Attempt) {
        self.evolution.deliveries.change(|delivery| delivery.id == id, |delivery| delivery.attempts.push(attempt));
    }

    async fn post_evolution(&self, delivery: &Delivery) -> Attempt {
        let mut request = Request::post(&delivery.url).header(header::CONTENT_TYPE, "application/json");
        for (name, value) in &delivery.headers {
            request = request.header(name, value);
        }
        self.exchange(request.body(Full::new(Bytes::from(delivery.body.to_string())))).await
    }

    /// Renews the code of an instance as long as nobody has scanned it.
    pub(super) fn renew_codes(self: &Arc<Self>, server: &str, name: &str, settings: &ServerSettings) {
        let (sandbox, server, name) = (Arc::clone(self), server.to_owned(), name.to_owned());
        let pause = Duration::from_millis(settings.qr_renewal_ms.max(10));
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(pause).await;
                match sandbox.renew_code(&server, &name) {
                    Renewal::Renewed(notices) => sandbox.tell_all(&server, notices),
                    Renewal::Ended(notices) => return sandbox.tell_all(&server, notices),
                    Renewal::NotWanted => return,
                }
            }
        });
    }

    pub(super) fn renew_code(&self, server: &str, name: &str) -> Renewal {
        self.evolution.with(server, |server| {
            let limit = server.settings.qr_limit;
            server.instances.get_mut(name).map_or(Renewal::NotWanted, |instance| instance.renew_code(limit))
        })
    }
}

fn is_to_be_retried(attempt: &Attempt) -> bool {
    attempt.status.is_none_or(|status| !(200..300).contains(&status) && !FINAL.contains(&status))
}

/// The server writes the time of its own zone as if it were Greenwich's.
fn local_time_with_a_false_z() -> String {
    let zone = TimeZone::get("America/Sao_Paulo").unwrap_or(TimeZone::UTC);
    Timestamp::now().to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// What is configured; a `jwt_key` is not sent, and signs a token instead.
fn headers_of(webhook: &Webhook) -> BTreeMap<String, String> {
    let mut headers = webhook.headers.clone();
    if let Some(key) = headers.remove("jwt_key") {
        let now = Timestamp::now().as_second();
        let claims = json!({"iat": now, "exp": now + 600, "app": "evolution", "action": "webhook"});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({"alg": "HS256", "typ": "JWT"})), part(&claims));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), signed.as_bytes());
        headers.insert("authorization".into(), format!("Bearer {signed}.{}", URL_SAFE_NO_PAD.encode(tag)));
    }
    headers
}
