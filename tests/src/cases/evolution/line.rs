//! A company that serves its clients by an instance.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tests::{Company, Stack, company::text, eventually, sandbox::fresh_number};

use super::{Server, company, open};

/// A company with an instance that is open, on a number of its own.
pub struct Line {
    pub stack: Arc<Stack>,
    pub company: Company,
    pub server: Server,
    pub instance: Value,
}

impl Line {
    pub async fn open(stack: &Arc<Stack>) -> Self {
        let (company, server) = (company(stack).await, Server::start(stack).await);
        let instance = open(stack, &company, &server, ("Vendas", &fresh_number())).await;
        Self { stack: Arc::clone(stack), company, server, instance }
    }

    /// What the server tells; what its first try was answered.
    pub async fn tell(&self, what: &str, mut order: Value) -> Value {
        order["instance"] = self.instance["instance_name"].clone();
        self.server.order(&self.stack, what, order).await
    }

    pub async fn receive(&self, from: &str, words: &str) {
        let told = self.tell("inbound", json!({"from": from, "text": words})).await;
        assert_eq!(told["status"], 200, "{told}");
    }

    /// The newest conversation of the number.
    pub async fn conversation(&self, number: &str) -> Value {
        let page = self
            .company
            .supervisor
            .api
            .get(&format!("/conversations?search={number}&category=bot,pending,active"))
            .await
            .expect(200);
        page["data"][0].clone()
    }

    /// Taken over by the first agent.
    pub async fn served(&self, number: &str) -> String {
        self.receive(number, "Oi").await;
        let id = text(&self.conversation(number).await["id"]).to_owned();
        self.company.agents[0].api.post(&format!("/conversations/{id}/takeover"), json!({})).await.expect(200);
        id
    }

    /// Oldest first, without lines of the system.
    pub async fn messages(&self, conversation: &str) -> Vec<Value> {
        let path = format!("/messages?conversation_id={conversation}&order=asc&limit=100");
        let page = self.company.supervisor.api.get(&path).await.expect(200);
        let rows = page["data"].as_array().cloned().unwrap_or_default();
        rows.into_iter().filter(|message| message["kind"] != "system").collect()
    }

    pub async fn send(&self, conversation: &str, mut message: Value) -> Value {
        message["conversation_id"] = json!(conversation);
        self.company.agents[0].api.post("/messages", message).await.expect(201)
    }

    /// The message once it is so far.
    pub async fn once(&self, conversation: &str, message: &Value, status: &str) -> Value {
        eventually(&format!("a message that is {status}"), || async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            let messages = self.messages(conversation).await;
            messages.into_iter().find(|known| known["id"] == message["id"] && known["status"] == status)
        })
        .await
    }

    /// Webhooks of this kind, as they were sent.
    pub async fn deliveries(&self, event: &str, count: usize) -> Vec<Value> {
        let path = format!("/sandbox/evolution/deliveries?server={}&event={event}&count={count}&wait_ms=5000", self.server.name);
        self.stack.control("GET", &path, None).await.as_array().cloned().unwrap_or_default()
    }

    pub async fn post(&self, url: &str, secret: &str, body: &Value) -> u16 {
        let request = self.stack.http.post(url).header("authorization", secret).json(body);
        request.send().await.expect("an answer").status().as_u16()
    }
}
