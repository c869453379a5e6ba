//! CRMs: HubSpot (`/hubspot/crm/v3/…`), Pipedrive (`/pipedrive/api/v2/…`) and one that takes contacts (`/rest-crm/…`), with an account for each key,
//! which is there as soon as it is ordered.

mod account;
pub(super) mod control;
mod hubspot;
mod pipedrive;
mod rest;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{Path, Query, State},
    http::{HeaderMap, Method, StatusCode},
    response::Response,
    routing::{MethodRouter, any},
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

#[derive(Default)]
pub(super) struct Crms {
    accounts: Mutex<BTreeMap<String, Account>>,
}

impl Crms {
    pub(super) fn reset(&self, key: Option<&str>) {
        lock(&self.accounts).retain(|name, _| key.is_some_and(|wanted| wanted != name));
    }

    fn of_key<T>(&self, key: &str, work: impl FnOnce(&mut Account) -> T) -> Option<T> {
        lock(&self.accounts).get_mut(key).map(work)
    }
}

pub(super) fn router() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/hubspot/crm/v3/{*path}", calls("hubspot", hubspot::answer))
        .route("/pipedrive/api/v2/{*path}", calls("pipedrive", pipedrive::answer))
        .route("/rest-crm/{*path}", calls("rest-crm", rest::answer))
}

/// A call as an account sees it.
struct Asked<'a> {
    method: &'a str,
    path: Vec<&'a str>,
    query: &'a HashMap<String, String>,
    body: &'a Value,
    /// The `Idempotency-Key`.
    once: Option<&'a str>,
}

type Work = fn(&mut Account, &Asked<'_>) -> Answer;
type Request = (State<Arc<Sandbox>>, Path<String>, Method, Query<HashMap<String, String>>, HeaderMap, Bytes);

/// The calls of a kind of CRM.
fn calls(of: &'static str, work: Work) -> MethodRouter<Arc<Sandbox>> {
    any(
        move |sandbox: State<Arc<Sandbox>>,
              path: Path<String>,
              method: Method,
              query: Query<HashMap<String, String>>,
              headers: HeaderMap,
              body: Bytes| call((sandbox, path, method, query, headers, body), of, work),
    )
}

async fn call(request: Request, of: &str, work: Work) -> Response {
    let (State(sandbox), Path(path), method, Query(query), headers, body) = request;
    let mut call = Call::new(Target::Crm, method.as_str(), format!("/{of}/{path}"), &headers);
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    call.token = call.token.or_else(|| header("x-api-token"));
    call.phone_number_id.clone_from(&call.token);
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    call.request = if body.is_null() { json!(query) } else { body.clone() };
    let (key, once) = (call.token.clone().unwrap_or_default(), header("idempotency-key"));
    let asked = || {
        let asked =
            Asked { method: method.as_str(), path: path.split('/').collect(), query: &query, body: &body, once: once.as_deref() };
        let refused = || refusal(401, "Invalid authentication");
        let found =
            sandbox.crms.of_key(&key, |account| if account.settings.refuses_key { refused() } else { work(account, &asked) });
        found.unwrap_or_else(refused)
    };
    sandbox.perform(call, failure, asked).await
}

/// Words under each of the names that they come under.
fn refusal(status: u16, message: &str) -> Answer {
    let body = json!({"status": "error", "success": false, "message": message, "error": message});
    Answer::json(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body)
}

/// The answer to a call that was ordered to fail.
fn failure(status: Option<u16>, _: Option<&Value>, message: Option<&str>) -> Answer {
    let status = status.unwrap_or(500);
    let usual = if status == 429 { "You have reached your ten_secondly_rolling limit." } else { "Error" };
    refusal(status, message.unwrap_or(usual))
}
