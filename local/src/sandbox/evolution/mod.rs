//! Servers of the Evolution API v2: `/evolution/{server}/…`, each with instances and a global key of its own.

mod answers;
mod chats;
pub(super) mod control;
mod instances;
mod notice;
mod sending;
mod server;
pub mod webhooks;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{Path, Query, State},
    http::{HeaderMap, Method},
    response::Response,
    routing::{any, get},
};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    Sandbox,
    calls::{Answer, Call},
    faults::Target,
    kept::{Kept, lock},
};
use answers::{Failed, failure};
use notice::Notice;
use server::Server;
use webhooks::Delivery;

pub(super) struct Evolution {
    servers: Mutex<BTreeMap<String, Server>>,
    deliveries: Kept<Delivery>,
}

impl Evolution {
    pub(super) fn new() -> Self {
        Self { servers: Mutex::default(), deliveries: Kept::new(5000) }
    }

    /// Forgets one server, or all.
    pub(super) fn reset(&self, server: Option<&str>) {
        let is_meant = |name: &str| server.is_none_or(|wanted| wanted == name);
        lock(&self.servers).retain(|name, _| !is_meant(name));
        self.deliveries.remove(|delivery| is_meant(&delivery.server));
    }

    /// Works on a server, which is there as soon as somebody names it.
    fn with<T>(&self, server: &str, work: impl FnOnce(&mut Server) -> T) -> T {
        work(lock(&self.servers).entry(server.to_owned()).or_default())
    }
}

pub(super) fn router() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/evolution/{server}", get(welcome))
        .route("/evolution/{server}/", get(welcome))
        .route("/evolution/{server}/{*path}", any(call))
}

/// `GET /`, which asks for no key.
async fn welcome(State(sandbox): State<Arc<Sandbox>>, Path(server): Path<String>, headers: HeaderMap) -> Response {
    let mut call = Call::new(Target::EvolutionInstances, "GET", format!("/{server}/"), &headers);
    call.phone_number_id = Some(server.clone());
    let work = || {
        let version = sandbox.evolution.with(&server, |server| server.settings.version.clone());
        Answer::ok(json!({
            "status": 200,
            "message": "Welcome to the Evolution API, it is working!",
            "version": version,
            "clientName": "evolution_exchange",
            "documentation": "https://doc.evolution-api.com",
            "whatsappWebVersion": "2.3000.1028",
        }))
    };
    sandbox.perform(call, failure, work).await
}

/// A call as its handlers see it.
struct Asked<'a> {
    sandbox: &'a Arc<Sandbox>,
    server_name: &'a str,
    key: Option<&'a str>,
    query: &'a HashMap<String, String>,
    body: &'a Value,
}

/// What a call is answered, and what webhooks tell of it.
type Outcome = Result<(Answer, Vec<Notice>), Failed>;

async fn call(
    State(sandbox): State<Arc<Sandbox>>,
    Path((server_name, path)): Path<(String, String)>,
    method: Method,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut segments = path.split('/');
    let (area, action) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    let instance = segments.next().map(str::to_owned);
    let target = if ["message", "chat"].contains(&area) { Target::EvolutionMessages } else { Target::EvolutionInstances };
    let mut call = Call::new(target, method.as_str(), format!("/{server_name}/{path}"), &headers);
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    call.token = headers.get("apikey").and_then(|key| key.to_str().ok()).map(str::to_owned);
    call.phone_number_id = Some(server_name.clone());
    call.to = body["number"].as_str().map(str::to_owned);
    call.request = body.clone();
    let key = call.token.clone();
    let work = || {
        let asked = Asked { sandbox: &sandbox, server_name: &server_name, key: key.as_deref(), query: &query, body: &body };
        let outcome = asked.answer(method.as_str(), area, action, instance.as_deref(), &path);
        match outcome {
            Ok((answer, notices)) => {
                sandbox.tell_all(&server_name, notices);
                answer
            }
            Err(failed) => failed.answer(),
        }
    };
    sandbox.perform(call, failure, work).await
}

impl Asked<'_> {
    fn answer(&self, method: &str, area: &str, action: &str, instance: Option<&str>, path: &str) -> Outcome {
        match (method, area, action, instance) {
            ("POST", "instance", "create", None) => instances::create(self),
            ("GET", "instance", "fetchInstances", None) => instances::fetch(self),
            ("GET", "instance", "connect", Some(name)) => self.of_instance(name, instances::connect),
            ("GET", "instance", "connectionState", Some(name)) => self.of_instance(name, instances::connection_state),
            ("POST", "instance", "restart", Some(name)) => self.of_instance(name, instances::restart),
            ("POST", "instance", "setPresence", Some(name)) => self.of_instance(name, instances::set_presence),
            ("DELETE", "instance", "logout", Some(name)) => self.of_instance(name, instances::log_out),
            ("DELETE", "instance", "delete", Some(name)) => instances::delete(self, name),
            ("POST", "webhook", "set", Some(name)) => self.of_instance(name, webhooks::set),
            ("GET", "webhook", "find", Some(name)) => self.of_instance(name, webhooks::find),
            ("POST", "message", kind, Some(name)) if sending::is_known(kind) => {
                self.of_instance(name, |asked, server, name| sending::send(asked, server, name, kind))
            }
            (_, "chat", _, Some(name)) if chats::is_known(method, action) => {
                self.of_instance(name, |asked, server, name| chats::answer(asked, server, name, action))
            }
            _ => Err(Failed::new(404, format!("Cannot {method} /{path}"))),
        }
    }

    /// Whether the instance is there is asked before the key, as the server does.
    fn of_instance(&self, name: &str, work: impl FnOnce(&Self, &mut Server, &str) -> Outcome) -> Outcome {
        self.sandbox.evolution.with(self.server_name, |server| {
            let Some(instance) = server.instances.get(name) else {
                return Err(Failed::new(404, format!("The \"{name}\" instance does not exist")));
            };
            if self.key != Some(server.settings.global_key.as_str()) && self.key != Some(instance.token.as_str()) {
                return Err(Failed::unauthorized());
            }
            work(self, server, name)
        })
    }
}
