//! The sandbox of third parties, as far as tests steer it: one WhatsApp number each, so that they do not meet.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

use crate::{Answer, company::text, eventually, openapi::Openapi};

/// One company's WhatsApp number in the sandbox.
#[derive(Clone)]
pub struct Phone {
    pub number_id: String,
    base: String,
    graph: String,
    http: reqwest::Client,
    openapi: Arc<Openapi>,
}

/// A Brazilian mobile number nobody else has.
#[must_use]
pub fn fresh_number() -> String {
    static NUMBERS: AtomicU64 = AtomicU64::new(0);
    format!("55119{:08}", 10_000_000 + NUMBERS.fetch_add(1, Ordering::Relaxed))
}

impl Phone {
    #[must_use]
    pub fn new(stack: &crate::Stack, number_id: &str) -> Self {
        Self {
            number_id: number_id.to_owned(),
            base: format!("{}/_local/sandbox", stack.addresses.api),
            graph: format!("{}/graph/v24.0", stack.addresses.sandbox),
            http: stack.http.clone(),
            openapi: Arc::clone(&stack.openapi),
        }
    }

    /// A client writes; answers what the sandbox says of the webhook. `message` is merged into the request.
    pub async fn receive(&self, from: &str, message: Value) -> Value {
        let mut body = json!({"phone_number_id": self.number_id, "from": from, "name": "Maria Teste"});
        merge(&mut body, message);
        self.post("/whatsapp/inbound", body).await
    }

    /// As `receive`, where the cloud may not live to answer: whether the webhook was answered with 200.
    pub async fn was_received(&self, from: &str, message: Value) -> bool {
        let mut body = json!({"phone_number_id": self.number_id, "from": from, "name": "Maria Teste"});
        merge(&mut body, message);
        let Ok(answer) = self.http.post(format!("{}/whatsapp/inbound", self.base)).json(&body).send().await else { return false };
        answer.json::<Value>().await.is_ok_and(|told| told["status"] == 200)
    }

    /// A client writes a text, and its webhook is answered with 200. Answers WhatsApp's id of the message.
    ///
    /// # Panics
    /// When the webhook is answered otherwise.
    pub async fn receive_text(&self, from: &str, message: &str) -> String {
        let received = self.receive(from, json!({"text": message})).await;
        assert_eq!(received["status"], 200, "{received}");
        text(&received["id"]).to_owned()
    }

    /// WhatsApp tells of a change of this field for this number, answered with 200.
    pub async fn change(&self, field: &str, value: Value) {
        self.tell(json!({"field": field, "value": value})).await;
    }

    /// WhatsApp tells of a change that names the number's account and not the number, answered with 200.
    pub async fn account_change(&self, field: &str, value: Value) {
        self.tell(json!({"field": field, "value": value, "of_account": true})).await;
    }

    async fn tell(&self, mut change: Value) {
        change["phone_number_id"] = json!(self.number_id);
        let told = self.post("/whatsapp/change", change).await;
        assert_eq!(told["status"], 200, "{told}");
    }

    /// Any route of the sandbox's control. What it tells of our webhook's answer is held against `openapi.json`.
    ///
    /// # Panics
    /// When it does not answer with success.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let told = self.send(self.http.post(format!("{}{path}", self.base)).json(&body), path).await;
        let sends_webhook = ["/whatsapp/inbound", "/whatsapp/change", "/whatsapp/webhook"].contains(&path);
        if let (true, Some(status), Some(answer)) = (sends_webhook, told["status"].as_u64(), told["answer"].as_str()) {
            self.check_webhook(status, answer);
        }
        told
    }

    /// The sandbox keeps no headers: the content type is taken to be the one that goes with the status.
    fn check_webhook(&self, status: u64, answer: &str) {
        let (Ok(status), Ok(body)) = (status.try_into(), serde_json::from_str(answer)) else { return };
        let content_type = if status < 400 { "application/json" } else { "application/problem+json" };
        let headers = [(CONTENT_TYPE, HeaderValue::from_static(content_type))].into_iter().collect();
        self.openapi.check("POST", "/webhooks/whatsapp", &Answer { status, headers, body });
    }

    /// Messages WhatsApp has accepted from this number.
    pub async fn sent(&self) -> Vec<Value> {
        let path = format!("/whatsapp/sent?phone_number_id={}", self.number_id);
        let sent = self.send(self.http.get(format!("{}{path}", self.base)), &path).await;
        sent.as_array().cloned().unwrap_or_default()
    }

    /// The bytes WhatsApp has of a file that was uploaded to it.
    ///
    /// # Panics
    /// When it knows of none.
    pub async fn media(&self, id: &str) -> Vec<u8> {
        let told = self.send(self.http.get(format!("{}/{id}", self.graph)).bearer_auth("tests"), id).await;
        let answer = self.http.get(text(&told["url"])).bearer_auth("tests").send().await.expect("the sandbox answers");
        answer.bytes().await.expect("a body").to_vec()
    }

    /// Waits until WhatsApp has accepted this many.
    pub async fn sent_at_least(&self, count: usize) -> Vec<Value> {
        eventually("accepted messages", || async {
            let sent = self.sent().await;
            (sent.len() >= count).then_some(sent)
        })
        .await
    }

    /// Makes the sandbox fail for this number; see `faults` in the local cloud. Answers the fault's id.
    pub async fn fault(&self, fault: Value) -> Value {
        let mut body = json!({"phone_number_id": self.number_id});
        merge(&mut body, fault);
        self.post("/faults", body).await
    }

    /// Ends all faults of this number.
    pub async fn heal(&self) {
        let path = format!("/faults?phone_number_id={}", self.number_id);
        self.send(self.http.delete(format!("{}{path}", self.base)), &path).await;
    }

    async fn send(&self, request: reqwest::RequestBuilder, path: &str) -> Value {
        let answer = request.send().await.expect("the sandbox answers");
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }
}

fn merge(into: &mut Value, from: Value) {
    if let (Some(fields), Value::Object(more)) = (into.as_object_mut(), from) {
        fields.extend(more);
    }
}
