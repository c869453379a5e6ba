//! Evolution API servers of the sandbox.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Stack, company::text};

/// A server of the sandbox with keys that no other test knows.
pub struct Server {
    pub name: String,
    pub base_url: String,
    pub global_key: String,
}

impl Server {
    pub async fn start(stack: &Stack) -> Self {
        let name = format!("evo-{}", &Uuid::new_v4().simple().to_string()[..12]);
        let global_key = format!("global-{}", Uuid::new_v4().simple());
        let server = Self { base_url: format!("{}/evolution/{name}", stack.addresses.sandbox), name, global_key };
        server.settings(stack, json!({"global_key": server.global_key})).await;
        server
    }

    pub async fn settings(&self, stack: &Stack, settings: Value) {
        self.order(stack, "settings", settings).await;
    }

    /// Any order of the server's control.
    pub async fn order(&self, stack: &Stack, what: &str, mut order: Value) -> Value {
        order["server"] = json!(self.name);
        stack.control("POST", &format!("/sandbox/evolution/{what}"), Some(order)).await
    }

    /// Makes it fail; `about` is in the path or the body of the calls that do.
    pub async fn fault(&self, stack: &Stack, target: &str, about: &str, fault: Value) {
        let mut order = json!({"target": target, "phone_number_id": self.name, "contains": about});
        for (field, value) in fault.as_object().into_iter().flatten() {
            order[field] = value.clone();
        }
        stack.control("POST", "/sandbox/faults", Some(order)).await;
    }

    pub async fn heal(&self, stack: &Stack) {
        stack.control("DELETE", &format!("/sandbox/faults?phone_number_id={}", self.name), None).await;
    }

    /// Its instances, as the server has them.
    pub async fn instances(&self, stack: &Stack) -> Vec<Value> {
        let path = format!("/sandbox/evolution/instances?server={}", self.name);
        stack.control("GET", &path, None).await.as_array().cloned().unwrap_or_default()
    }

    /// Calls that were made to it, with this in their paths.
    pub async fn calls(&self, stack: &Stack, about: &str) -> Vec<Value> {
        let path = format!("/sandbox/calls?phone_number_id={}", self.name);
        let calls = stack.control("GET", &path, None).await;
        let calls = calls.as_array().cloned().unwrap_or_default();
        calls.into_iter().filter(|call| text(&call["path"]).contains(about)).collect()
    }

    /// Somebody scans the code of an instance.
    pub async fn scan(&self, stack: &Stack, instance: &Value, number: &str) {
        let order = json!({"instance": instance["instance_name"], "number": number});
        self.order(stack, "scan", order).await;
    }

    /// A call to the server itself.
    pub async fn call(&self, stack: &Stack, method: Method, path: &str, key: &str, body: Value) -> (u16, Value) {
        let request = stack.http.request(method, format!("{}{path}", self.base_url)).header("apikey", key).json(&body);
        let answer = request.send().await.expect("the sandbox answers");
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    /// What makes an instance here.
    pub fn body(&self, name: &str) -> Value {
        json!({"name": name, "server": {"base_url": self.base_url, "api_key": self.global_key}})
    }
}
