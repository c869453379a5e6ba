//! A sandbox, an endpoint that takes its notifications, and a client.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Query, State},
    http::{HeaderMap, Request, StatusCode},
    routing::post,
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use local::sandbox::{Sandbox, SandboxOptions, whatsapp::webhooks::signature_of};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub const NUMBER: &str = "210500000000002";
pub const PERSON: &str = "5511987654321";
const SECRET: &str = "app-secret-test";

/// A notification as it arrived.
#[derive(Clone)]
pub struct Received {
    pub raw: String,
    pub body: Value,
    pub signed: bool,
}

#[derive(Default)]
pub struct Endpoint {
    pub received: Mutex<Vec<Received>>,
    /// Notifications to refuse with 500.
    pub refusals: AtomicU16,
}

pub struct Stage {
    pub sandbox: Arc<Sandbox>,
    pub endpoint: Arc<Endpoint>,
    pub base: String,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    pub fn code(&self) -> i64 {
        self.json()["error"]["code"].as_i64().unwrap()
    }
}

async fn take(State(endpoint): State<Arc<Endpoint>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let left = endpoint.refusals.load(Ordering::SeqCst);
    if left > 0 {
        endpoint.refusals.store(left - 1, Ordering::SeqCst);
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    let header = headers.get("x-hub-signature-256").and_then(|value| value.to_str().ok());
    let signed = header == Some(signature_of(SECRET, &body).as_str());
    let raw = String::from_utf8(body.to_vec()).unwrap();
    let body = serde_json::from_str(&raw).unwrap_or_default();
    endpoint.received.lock().unwrap().push(Received { raw, body, signed });
    if signed { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
}

async fn prove(Query(query): Query<std::collections::HashMap<String, String>>) -> String {
    assert_eq!(query["hub.mode"], "subscribe");
    assert_eq!(query["hub.verify_token"], "verify-me");
    query["hub.challenge"].clone()
}

impl Stage {
    pub async fn new() -> Self {
        let endpoint = Arc::new(Endpoint::default());
        let hooks = Router::new().route("/webhooks/whatsapp", post(take).get(prove)).with_state(Arc::clone(&endpoint));
        let hooks_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hooks_address = hooks_listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(hooks_listener, hooks).await });

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let sandbox = Sandbox::new(SandboxOptions {
            webhook_url: format!("http://{hooks_address}/webhooks/whatsapp"),
            app_secret: SECRET.to_owned(),
            verify_token: "verify-me".to_owned(),
            public_url: base.clone(),
            kept: None,
        });
        let app = sandbox.router().nest("/_local/sandbox", sandbox.control_router());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { sandbox, endpoint, base }
    }

    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer, String> {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let exchange = async {
            let response = client.request(request).await.map_err(|error| error.to_string())?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let body = response.into_body().collect().await.map_err(|error| error.to_string())?;
            Ok(Answer { status, headers, bytes: body.to_bytes() })
        };
        let patience = Duration::from_secs(3);
        tokio::time::timeout(patience, exchange).await.map_err(|_| "no answer".to_owned())?
    }

    pub async fn call(&self, method: &str, url: &str, body: Option<&Value>) -> Answer {
        self.try_call(method, url, body).await.unwrap()
    }

    pub async fn try_call(&self, method: &str, url: &str, body: Option<&Value>) -> Result<Answer, String> {
        let url = if url.starts_with("http") { url.to_owned() } else { self.base.clone() + url };
        let mut request = Request::builder().method(method).uri(url).header("authorization", "Bearer token-1");
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        self.send(request.body(Full::from(body)).unwrap()).await
    }

    /// Sends a WhatsApp message; the envelope's usual fields are added.
    pub async fn message(&self, mut message: Value) -> Answer {
        message["messaging_product"] = json!("whatsapp");
        if message.get("to").is_none() && message.get("recipient").is_none() {
            message["to"] = json!(PERSON);
        }
        self.call("POST", &format!("/graph/v25.0/{NUMBER}/messages"), Some(&message)).await
    }

    pub async fn text(&self) -> Answer {
        self.message(json!({"type": "text", "text": {"body": "Olá"}})).await
    }

    pub async fn order(&self, path: &str, order: Value) -> Value {
        let answer = self.call("POST", &format!("/_local/sandbox{path}"), Some(&order)).await;
        assert_eq!(answer.status, 200, "{:?}", answer.bytes);
        answer.json()
    }

    pub async fn fault(&self, target: &str, kind: &str, with: Value) {
        let mut fault = json!({"target": target, "kind": kind, "phone_number_id": NUMBER});
        for (key, value) in with.as_object().into_iter().flatten() {
            fault[key] = value.clone();
        }
        self.order("/faults", fault).await;
    }

    pub async fn look(&self, path: &str) -> Value {
        self.call("GET", &format!("/_local/sandbox{path}"), None).await.json()
    }

    /// The elements of `statuses` that arrived, once there are `count`.
    pub async fn statuses(&self, count: usize) -> Vec<Value> {
        let mut found = Vec::new();
        for _ in 0..300 {
            found = self.arrived("statuses");
            if found.len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        found
    }

    pub fn arrived(&self, kind: &str) -> Vec<Value> {
        let received = self.endpoint.received.lock().unwrap();
        assert!(received.iter().all(|one| one.signed));
        let of = |one: &Received| one.body["entry"][0]["changes"][0]["value"][kind][0].clone();
        received.iter().map(of).filter(|element| !element.is_null()).collect()
    }
}

pub fn names(statuses: &[Value]) -> Vec<&str> {
    statuses.iter().map(|status| status["status"].as_str().unwrap()).collect()
}
