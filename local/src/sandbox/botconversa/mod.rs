//! BotConversa: `/botconversa/api/v1/webhook/…`, with an account for each key. Nobody signs up: an account is there as soon as it is ordered.

mod account;
mod answers;
pub(super) mod control;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{Path, Query, State},
    http::{HeaderMap, Method},
    response::Response,
    routing::any,
};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    Sandbox,
    calls::{Answer, Call},
    faults::Target,
    kept::lock,
};
use account::Account;
use answers::{Failed, failure, page_of_html};

/// The account that is there from the start.
const KEY: &str = "sandbox-botconversa-key";

pub(super) struct BotConversa {
    accounts: Mutex<BTreeMap<String, Account>>,
}

impl BotConversa {
    pub(super) fn new() -> Self {
        Self { accounts: Mutex::new(BTreeMap::from([(KEY.to_owned(), Account::default())])) }
    }

    /// Forgets one account, or all but the first one's existence.
    pub(super) fn reset(&self, key: Option<&str>) {
        let mut accounts = lock(&self.accounts);
        accounts.retain(|name, _| key.is_some_and(|wanted| wanted != name));
        accounts.entry(KEY.to_owned()).or_default();
    }

    /// Works on an account that is there.
    fn of_key<T>(&self, key: &str, work: impl FnOnce(&mut Account) -> T) -> Option<T> {
        lock(&self.accounts).get_mut(key).map(work)
    }
}

pub(super) fn router() -> Router<Arc<Sandbox>> {
    Router::new().route("/botconversa/api/v1/webhook/{*path}", any(call))
}

type Outcome = Result<Answer, Failed>;

async fn call(
    State(sandbox): State<Arc<Sandbox>>,
    Path(path): Path<String>,
    method: Method,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut call = Call::new(Target::BotConversa, method.as_str(), format!("/{path}"), &headers);
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    call.token = headers.get("api-key").and_then(|key| key.to_str().ok()).map(str::to_owned);
    call.phone_number_id.clone_from(&call.token);
    call.to = body["phone"].as_str().map(str::to_owned);
    call.request = body.clone();
    let key = call.token.clone().unwrap_or_default();
    let work = || {
        // The framework's own page, as for every address without its slash.
        let Some(path) = path.strip_suffix('/') else { return page_of_html(404, "Page not found") };
        let outcome = sandbox.botconversa.of_key(&key, |account| answer(account, method.as_str(), path, &query, &body));
        outcome.unwrap_or_else(|| Err(Failed::key())).unwrap_or_else(Failed::answer)
    };
    sandbox.perform(call, failure, work).await
}

fn answer(account: &mut Account, method: &str, path: &str, query: &HashMap<String, String>, body: &Value) -> Outcome {
    if account.settings.refuses_key {
        return Err(Failed::key());
    }
    let segments: Vec<&str> = path.split('/').collect();
    match (method, segments.as_slice()) {
        ("POST", ["subscriber"]) => account.create(body),
        ("GET", ["subscriber", "get_by_phone", phone]) => account.find(phone),
        ("GET", ["subscribers"]) => account.list(query.get("page").map(String::as_str)),
        ("POST", ["subscriber", id, "send_message"]) => account.send_message(id, body),
        ("POST", ["subscriber", id, "send_flow"]) => account.send_flow(id, body),
        ("POST", ["subscriber", id, "tags", tag]) => account.tag(id, tag, true),
        ("DELETE", ["subscriber", id, "tags", tag]) => account.tag(id, tag, false),
        ("POST", ["subscriber", id, "custom_fields", field]) => account.set_field(id, field, body),
        ("POST", ["subscriber", id, "change_conversation_status"]) => account.set_status(id, body),
        ("DELETE", ["subscriber", id, "delete"]) => account.delete(id),
        ("GET", ["tags"]) => Ok(named(&account.tags, "name")),
        ("GET", ["flows"]) => Ok(named(&account.flows, "name")),
        ("GET", ["custom_fields"]) => Ok(named(&account.fields, "key")),
        ("GET", ["campaigns"]) => Ok(Answer::ok(json!([]))),
        _ => Ok(page_of_html(404, "Page not found")),
    }
}

fn named(rows: &BTreeMap<u64, String>, field: &str) -> Answer {
    Answer::ok(rows.iter().map(|(id, name)| json!({"id": id, field: name})).collect())
}
