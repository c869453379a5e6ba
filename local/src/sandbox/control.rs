//! Steers and shows the sandbox: `/_local/sandbox/…`.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    routing::{delete, get, post},
};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    Sandbox, botconversa,
    calls::Call,
    crm, evolution,
    faults::{self, Fault, Target},
    llm::Script,
    mail::Mail,
    push::Push,
    refusal::Refusal,
    wait_for, whatsapp,
};

pub(super) fn router() -> Router<Arc<Sandbox>> {
    Router::new()
        .nest("/whatsapp", whatsapp::control::router())
        .nest("/evolution", evolution::control::router())
        .nest("/botconversa", botconversa::control::router())
        .nest("/crm", crm::control::router())
        .route("/faults", get(list_faults).post(add_fault).delete(clear_faults))
        .route("/calls", get(calls).delete(forget_calls))
        .route("/mails", get(mails).delete(forget_mails))
        .route("/push/received", get(pushes).delete(forget_pushes))
        .route("/llm/script", post(add_script).delete(clear_scripts))
        .route("/everything", delete(reset))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OfFault {
    id: Option<Uuid>,
    phone_number_id: Option<String>,
}

async fn list_faults(State(sandbox): State<Arc<Sandbox>>) -> Json<Vec<Fault>> {
    Json(sandbox.faults.list())
}

async fn add_fault(State(sandbox): State<Arc<Sandbox>>, Json(fault): Json<Value>) -> Result<Json<Fault>, Refusal> {
    let fault = faults::read(fault).map_err(Refusal)?;
    sandbox.faults.add(fault).map(Json).map_err(Refusal)
}

async fn clear_faults(State(sandbox): State<Arc<Sandbox>>, Query(of): Query<OfFault>) -> StatusCode {
    sandbox.faults.clear(of.id, of.phone_number_id.as_deref());
    StatusCode::NO_CONTENT
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WantedCalls {
    target: Option<Target>,
    phone_number_id: Option<String>,
    to: Option<String>,
    token: Option<String>,
    /// Text that the request holds.
    contains: Option<String>,
    /// Waits for this many, for `wait_ms` at most.
    count: Option<usize>,
    wait_ms: Option<u64>,
}

impl WantedCalls {
    fn fits(&self, call: &Call) -> bool {
        let same = |filter: &Option<String>, actual: &Option<String>| filter.is_none() || filter == actual;
        self.target.is_none_or(|target| target == call.target)
            && same(&self.phone_number_id, &call.phone_number_id)
            && same(&self.to, &call.to)
            && same(&self.token, &call.token)
            && self.contains.as_deref().is_none_or(|text| call.request.to_string().contains(text))
    }
}

async fn calls(State(sandbox): State<Arc<Sandbox>>, Query(wanted): Query<WantedCalls>) -> Json<Vec<Call>> {
    let found = || sandbox.calls.list(|call| wanted.fits(call));
    Json(wait_for(wanted.count.unwrap_or(0), longest(wanted.wait_ms), found).await)
}

async fn forget_calls(State(sandbox): State<Arc<Sandbox>>, Query(wanted): Query<WantedCalls>) -> StatusCode {
    sandbox.calls.remove(|call| wanted.fits(call));
    StatusCode::NO_CONTENT
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WantedMails {
    to: Option<String>,
    /// Text that the subject holds.
    subject: Option<String>,
    /// Waits for this many, for `wait_ms` at most.
    count: Option<usize>,
    wait_ms: Option<u64>,
}

impl WantedMails {
    fn fits(&self, mail: &Mail) -> bool {
        self.to.as_deref().is_none_or(|to| mail.to.iter().any(|one| one.eq_ignore_ascii_case(to)))
            && self.subject.as_deref().is_none_or(|text| mail.subject.contains(text))
    }
}

async fn mails(State(sandbox): State<Arc<Sandbox>>, Query(wanted): Query<WantedMails>) -> Json<Vec<Mail>> {
    let found = || sandbox.mails.list(|mail| wanted.fits(mail));
    Json(wait_for(wanted.count.unwrap_or(0), longest(wanted.wait_ms), found).await)
}

async fn forget_mails(State(sandbox): State<Arc<Sandbox>>, Query(wanted): Query<WantedMails>) -> StatusCode {
    sandbox.mails.remove(|mail| wanted.fits(mail));
    StatusCode::NO_CONTENT
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WantedPushes {
    /// The browser's.
    id: Option<String>,
    /// Waits for this many, for `wait_ms` at most.
    count: Option<usize>,
    wait_ms: Option<u64>,
}

impl WantedPushes {
    fn fits(&self, push: &Push) -> bool {
        self.id.as_ref().is_none_or(|id| *id == push.id)
    }
}

async fn pushes(State(sandbox): State<Arc<Sandbox>>, Query(wanted): Query<WantedPushes>) -> Json<Vec<Push>> {
    let found = || sandbox.pushes.list(|push| wanted.fits(push));
    Json(wait_for(wanted.count.unwrap_or(0), longest(wanted.wait_ms), found).await)
}

async fn forget_pushes(State(sandbox): State<Arc<Sandbox>>, Query(wanted): Query<WantedPushes>) -> StatusCode {
    sandbox.pushes.remove(|push| wanted.fits(push));
    StatusCode::NO_CONTENT
}

async fn add_script(State(sandbox): State<Arc<Sandbox>>, Json(script): Json<Value>) -> Result<Json<Script>, Refusal> {
    let script: Script = serde_json::from_value(script).map_err(|error| Refusal(error.to_string()))?;
    sandbox.llm.add(script.clone());
    Ok(Json(script))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OfScript {
    token: Option<String>,
}

async fn clear_scripts(State(sandbox): State<Arc<Sandbox>>, Query(of): Query<OfScript>) -> StatusCode {
    sandbox.llm.clear(of.token.as_deref());
    StatusCode::NO_CONTENT
}

async fn reset(State(sandbox): State<Arc<Sandbox>>, Query(of): Query<OfFault>) -> StatusCode {
    sandbox.reset(of.phone_number_id.as_deref());
    StatusCode::NO_CONTENT
}

fn longest(wait_ms: Option<u64>) -> Duration {
    Duration::from_millis(wait_ms.unwrap_or(0).min(60_000))
}
