//! Steers and shows the accounts: `/_local/sandbox/crm/…`.

use std::sync::Arc;

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
};

pub(in crate::sandbox) fn router() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/settings", post(change_settings))
        .route("/seed", post(seed))
        .route("/change", post(change))
        .route("/remove", post(remove))
        .route("/records", get(records))
}

/// Changes how an account behaves, which is there from then on.
async fn change_settings(
    State(sandbox): State<Arc<Sandbox>>,
    Json(mut changes): Json<Map<String, Value>>,
) -> Result<Json<AccountSettings>, Refusal> {
    let key = named(&mut changes, "key")?;
    let mut accounts = lock(&sandbox.crms.accounts);
    let account = accounts.entry(key).or_default();
    account.settings = changed(&account.settings, changes)?;
    Ok(Json(account.settings.clone()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    key: String,
    /// Each with the CRM's own names.
    records: Vec<Map<String, Value>>,
}

/// Adds records; answers their ids.
async fn seed(State(sandbox): State<Arc<Sandbox>>, Json(Seed { key, records }): Json<Seed>) -> Json<Vec<String>> {
    let mut accounts = lock(&sandbox.crms.accounts);
    let account = accounts.entry(key).or_default();
    Json(records.into_iter().map(|fields| account.add(fields).to_string()).collect())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfRecord {
    key: String,
    id: String,
    #[serde(default)]
    fields: Map<String, Value>,
}

async fn change(State(sandbox): State<Arc<Sandbox>>, Json(of): Json<OfRecord>) -> Result<Json<Value>, Refusal> {
    let id = of.id.parse().unwrap_or_default();
    let changed = sandbox.crms.of_key(&of.key, |account| account.change(id, of.fields));
    if changed == Some(true) { Ok(Json(json!({}))) } else { Err(Refusal("there is no such record".into())) }
}

async fn remove(State(sandbox): State<Arc<Sandbox>>, Json(of): Json<OfRecord>) -> Result<Json<Value>, Refusal> {
    let id = of.id.parse().unwrap_or_default();
    let removed = sandbox.crms.of_key(&of.key, |account| account.archive(id));
    if removed == Some(true) { Ok(Json(json!({}))) } else { Err(Refusal("there is no such record".into())) }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wanted {
    key: String,
}

async fn records(State(sandbox): State<Arc<Sandbox>>, Query(wanted): Query<Wanted>) -> Json<Vec<Value>> {
    Json(sandbox.crms.of_key(&wanted.key, |account| account.described()).unwrap_or_default())
}
