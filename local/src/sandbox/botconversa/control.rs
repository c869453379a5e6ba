//! Steers and shows the accounts: `/_local/sandbox/botconversa/…`.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Query, State},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Sandbox, account::AccountSettings};
use crate::sandbox::{
    kept::lock,
    refusal::{Refusal, changed, named},
    wait_for,
};

pub(in crate::sandbox) fn router() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/settings", post(change_settings))
        .route("/seed", post(seed))
        .route("/subscribers", get(subscribers))
        .route("/received", get(received))
}

/// Changes how an account behaves, which is there from then on.
async fn change_settings(
    State(sandbox): State<Arc<Sandbox>>,
    Json(mut changes): Json<Map<String, Value>>,
) -> Result<Json<AccountSettings>, Refusal> {
    let key = named(&mut changes, "key")?;
    let mut accounts = lock(&sandbox.botconversa.accounts);
    let account = accounts.entry(key).or_default();
    account.settings = changed(&account.settings, changes)?;
    Ok(Json(account.settings.clone()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    key: String,
    #[serde(default)]
    subscribers: Vec<Person>,
    #[serde(default)]
    tags: Vec<String>,
    /// Keys of custom fields.
    #[serde(default)]
    fields: Vec<String>,
    #[serde(default)]
    flows: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    /// Empty for somebody of another network.
    #[serde(default)]
    phone: String,
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
    #[serde(default)]
    tags: Vec<String>,
}

/// Adds to an account; answers the ids of what was added, in its order.
async fn seed(State(sandbox): State<Arc<Sandbox>>, Json(seed): Json<Seed>) -> Json<Value> {
    let mut accounts = lock(&sandbox.botconversa.accounts);
    let account = accounts.entry(seed.key).or_default();
    let mut ids = json!({"subscribers": [], "tags": [], "fields": [], "flows": []});
    let mut note = |what: &str, id: u64| {
        if let Some(list) = ids[what].as_array_mut() {
            list.push(json!(id));
        }
    };
    for name in seed.tags {
        let id = account.next_id();
        account.tags.insert(id, name);
        note("tags", id);
    }
    for name in seed.fields {
        let id = account.next_id();
        account.fields.insert(id, name);
        note("fields", id);
    }
    for name in seed.flows {
        let id = account.next_id();
        account.flows.insert(id, name);
        note("flows", id);
    }
    for Person { phone, first_name, last_name, tags } in seed.subscribers {
        let id = account.add(&phone, &first_name, &last_name);
        for tag in &tags {
            account.put_tag(id, tag);
        }
        note("subscribers", id);
    }
    Json(ids)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wanted {
    key: String,
    /// Waits for this many, for `wait_ms` at most.
    count: Option<usize>,
    wait_ms: Option<u64>,
}

/// Who is subscribed, with what was put on them.
async fn subscribers(State(sandbox): State<Arc<Sandbox>>, Query(wanted): Query<Wanted>) -> Json<Vec<Value>> {
    let shown = sandbox
        .botconversa
        .of_key(&wanted.key, |account| account.subscribers.values().map(|subscriber| account.described(subscriber)).collect());
    Json(shown.unwrap_or_default())
}

/// What was sent to them, the oldest first.
async fn received(State(sandbox): State<Arc<Sandbox>>, Query(wanted): Query<Wanted>) -> Json<Vec<Value>> {
    let found = || sandbox.botconversa.of_key(&wanted.key, |account| account.received.clone()).unwrap_or_default();
    let longest = Duration::from_millis(wanted.wait_ms.unwrap_or(0).min(60_000));
    Json(wait_for(wanted.count.unwrap_or(0), longest, found).await)
}

impl Sandbox {
    /// All accounts, for the console.
    pub fn botconversa_accounts(&self) -> Vec<Value> {
        let accounts = lock(&self.botconversa.accounts);
        let shown = accounts.iter().map(|(key, account)| {
            json!({
                "key": key,
                "subscribers": account.subscribers.len(),
                "tags": account.tags.values().cloned().collect::<Vec<_>>().join(", "),
                "fields": account.fields.values().cloned().collect::<Vec<_>>().join(", "),
                "received": account.received.len(),
            })
        });
        shown.collect()
    }
}
