//! CRMs beside ours, each test with an account of its own in the sandbox.

mod crm_conflicts;
mod crm_failing;
pub mod crm_killed;
mod crm_pulled;
mod crm_pushed;
mod crm_saved;
pub mod sample;

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text};
use uuid::Uuid;

use crate::{Case, cases::jobs::progress_when};

/// A company with a CRM that is connected.
pub struct Crm {
    stack: Arc<Stack>,
    company: Company,
    key: String,
    /// As it was saved.
    saved: Value,
}

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { students: 0, ..Wanted::default() }).await
}

/// A key that opens an account of the sandbox.
pub async fn fresh_key(stack: &Stack) -> String {
    let key = Uuid::new_v4().to_string();
    stack.control("POST", "/sandbox/crm/settings", Some(json!({"key": key}))).await;
    key
}

fn merged(mut body: Value, more: &Value) -> Value {
    body.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    body
}

/// What connects a company to an account of the sandbox.
pub fn config(stack: &Stack, kind: &str, key: &str) -> Value {
    let body = json!({"kind": kind, "name": "CRM", "api_key": key});
    if kind == "generic_rest" {
        merged(body, &json!({"base_url": format!("{}/rest-crm", stack.addresses.sandbox)}))
    } else {
        body
    }
}

impl Crm {
    async fn connect(stack: &Arc<Stack>, kind: &str) -> Self {
        Self::connect_with(stack, kind, json!({})).await
    }

    async fn connect_with(stack: &Arc<Stack>, kind: &str, more: Value) -> Self {
        let (company, key) = (company(stack).await, fresh_key(stack).await);
        let saved = company.admin.api.post("/integrations/config", merged(config(stack, kind, &key), &more)).await.expect(200);
        Self { stack: Arc::clone(stack), company, key, saved }
    }

    async fn lead(&self, fields: Value) -> Value {
        self.company.supervisor.api.post("/leads", fields).await.expect(201)
    }

    /// The lead as it is now.
    async fn now(&self, lead: &Value) -> Value {
        self.company.supervisor.api.get(&format!("/leads/{}", text(&lead["id"]))).await.expect(200)
    }

    async fn change(&self, lead: &Value, fields: Value) -> Value {
        let version = self.now(lead).await["version"].to_string();
        let api = self.company.supervisor.api.with_header("if-match", &version);
        api.call(Method::PUT, &format!("/leads/{}", text(&lead["id"])), Some(fields)).await.expect(200)
    }

    async fn leads(&self) -> Vec<Value> {
        let page = self.company.supervisor.api.get("/leads?limit=100").await.expect(200);
        page["data"].as_array().cloned().unwrap_or_default()
    }

    async fn start(&self) -> Value {
        self.company.supervisor.api.post("/integrations/crm/sync", json!({})).await.expect(202)
    }

    async fn ends(&self, started: &Value, state: &str) -> Value {
        progress_when(&self.company, text(&started["id"]), state).await
    }

    /// Keeps both sides alike; what came of it.
    async fn synced(&self) -> Value {
        let started = self.start().await;
        self.ends(&started, "done").await["result"].clone()
    }

    async fn control(&self, what: &str, body: Value) -> Value {
        self.stack.control("POST", &format!("/sandbox/crm/{what}"), Some(merged(json!({"key": self.key}), &body))).await
    }

    /// Records that are made there; their ids.
    async fn seed(&self, records: Value) -> Vec<String> {
        let ids = self.control("seed", json!({"records": records})).await;
        ids.as_array().into_iter().flatten().map(|id| text(id).to_owned()).collect()
    }

    async fn change_there(&self, id: &str, fields: Value) {
        self.control("change", json!({"id": id, "fields": fields})).await;
    }

    /// Records as the account has them.
    async fn records(&self) -> Vec<Value> {
        let shown = self.stack.control("GET", &format!("/sandbox/crm/records?key={}", self.key), None).await;
        shown.as_array().cloned().unwrap_or_default()
    }

    async fn fault(&self, about: &str, fault: Value) {
        let order = json!({"target": "crm", "phone_number_id": self.key, "contains": about});
        self.stack.control("POST", "/sandbox/faults", Some(merged(order, &fault))).await;
    }

    async fn heal(&self) {
        self.stack.control("DELETE", &format!("/sandbox/faults?phone_number_id={}", self.key), None).await;
    }

    /// Calls that were made to it by this method, with this in their paths.
    async fn calls(&self, method: &str, about: &str) -> Vec<Value> {
        let calls = self.stack.control("GET", &format!("/sandbox/calls?phone_number_id={}", self.key), None).await;
        let calls = calls.as_array().cloned().unwrap_or_default();
        calls.into_iter().filter(|call| call["method"] == method && text(&call["path"]).contains(about)).collect()
    }

    async fn forget_calls(&self) {
        self.stack.control("DELETE", &format!("/sandbox/calls?phone_number_id={}", self.key), None).await;
    }

    async fn conflicts(&self) -> Vec<Value> {
        let page = self.company.supervisor.api.get("/integrations/crm/conflicts").await.expect(200);
        page["data"].as_array().cloned().unwrap_or_default()
    }

    async fn resolve(&self, conflict: &Value, keep: &str) -> Value {
        let path = format!("/integrations/crm/conflicts/{}/resolve", text(&conflict["id"]));
        self.company.supervisor.api.post(&path, json!({"keep": keep})).await.expect(200)
    }

    /// Calls the address of its webhooks; the status.
    async fn hint(&self) -> u16 {
        let answer = self.stack.http.post(text(&self.saved["webhook_url"])).json(&json!([{"objectId": 1}])).send().await;
        answer.expect("an answer").status().as_u16()
    }
}

pub fn cases() -> Vec<(&'static str, Case)> {
    cases! {
        crm_conflicts::{
            what_both_have_changed_is_asked_about,
            what_is_gone_there_is_asked_about,
            who_says_the_same_again_is_not_asked_any_more,
            conflicts_are_the_leaders_of_their_company,
        };
        crm_failing::{
            a_busy_crm_is_left_alone_as_long_as_it_says,
            a_crm_that_is_down_is_asked_again_when_it_is_up,
            a_refused_key_breaks_the_connection_until_another_is_saved,
            what_was_done_and_not_answered_is_not_done_twice,
            what_a_crm_does_not_take_holds_nobody_up,
        };
        crm_pulled::{
            their_contacts_become_leads_and_what_they_change_is_taken,
            persons_of_pipedrive_become_leads,
            one_person_on_both_sides_is_one_lead,
            pages_are_read_to_their_end,
            who_was_there_before_sets_nothing_off,
            a_webhook_is_a_hint_to_look,
            an_id_that_somebody_has_given_away_stops_nothing,
        };
        crm_pushed::{
            a_rest_crm_is_told_of_leads,
            hubspot_is_told_of_leads_and_their_changes,
            pipedrive_is_told_of_leads_and_their_changes,
            what_was_told_does_not_come_back,
            a_deleted_lead_is_taken_away_there,
            two_leads_of_one_contact_are_not_one_record,
            two_companies_with_one_contact_do_not_meet,
            a_family_with_one_phone_are_several_people,
            the_record_of_a_merged_lead_goes_with_it,
            what_is_called_otherwise_is_read_anew,
        };
        crm_saved::{
            a_crm_is_connected_and_its_key_is_never_shown,
            what_cannot_be_connected_is_named,
            the_company_says_what_fields_are_called,
            of_many_who_begin_at_once_one_sync_begins,
        };
    }
}
