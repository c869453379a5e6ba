//! Accounts of BotConversa, each test with one of its own in the sandbox.

pub mod botconversa_killed;
mod botconversa_saved;
mod botconversa_sent;
mod botconversa_shown;
mod botconversa_synced;
mod botconversa_told;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, eventually};
use uuid::Uuid;

use crate::{
    Case,
    cases::faults::{dynamodb, table},
};

/// A company with an account that is connected, and what its flows are given.
struct Account {
    stack: Arc<Stack>,
    company: Company,
    key: String,
    /// As it was saved.
    channel: Value,
    url: String,
    secret: String,
}

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { students: 0, ..Wanted::default() }).await
}

/// A key that opens an account of the sandbox.
pub async fn fresh_key(stack: &Stack) -> String {
    let key = Uuid::new_v4().to_string();
    stack.control("POST", "/sandbox/botconversa/settings", Some(json!({"key": key}))).await;
    key
}

/// A mobile of an area whose numbers are stored without their ninth digit, which nobody else has.
fn northern_number() -> String {
    format!("553198{}", &tests::sandbox::fresh_number()[6..])
}

/// Connects an account; its channel, and what its flows are given.
pub async fn connect(company: &Company, key: &str, config: Value) -> (Value, [String; 2]) {
    let mut body = json!({"kind": "botconversa", "name": "Flows", "api_key": key});
    body.as_object_mut().expect("an object").extend(config.as_object().cloned().unwrap_or_default());
    let channel = company.admin.api.post("/integrations/config", body).await.expect(200);
    let path = format!("/integrations/botconversa/{}/webhook", text(&channel["id"]));
    let webhook = company.admin.api.get(&path).await.expect(200);
    (channel, ["url", "secret"].map(|field| text(&webhook[field]).to_owned()))
}

/// As a secret, a key or a body is known by.
pub fn fingerprint(bytes: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

impl Account {
    async fn connect(stack: &Arc<Stack>) -> Self {
        Self::connect_with(stack, json!({}), json!({})).await
    }

    /// With what is there before, and how it is saved.
    async fn connect_with(stack: &Arc<Stack>, mut seed: Value, config: Value) -> Self {
        let (company, key) = (company(stack).await, fresh_key(stack).await);
        seed["key"] = json!(key);
        stack.control("POST", "/sandbox/botconversa/seed", Some(seed)).await;
        let (channel, [url, secret]) = connect(&company, &key, config).await;
        Self { stack: Arc::clone(stack), company, key, channel, url, secret }
    }

    fn id(&self) -> &str {
        text(&self.channel["id"])
    }

    /// A flow tells us something; its status and answer.
    async fn tell(&self, body: &Value) -> (u16, Value) {
        post(&self.stack, &self.url, &self.secret, body).await
    }

    /// As `tell`, where it is understood.
    async fn told(&self, body: Value) -> Value {
        let (status, answer) = self.tell(&body).await;
        assert_eq!((status, &answer["ok"]), (200, &json!(true)), "{answer}");
        answer
    }

    async fn seed(&self, mut seed: Value) -> Value {
        seed["key"] = json!(self.key);
        self.stack.control("POST", "/sandbox/botconversa/seed", Some(seed)).await
    }

    async fn settings(&self, mut settings: Value) {
        settings["key"] = json!(self.key);
        self.stack.control("POST", "/sandbox/botconversa/settings", Some(settings)).await;
    }

    /// Makes it fail; `about` is in the path or the body of the calls that do.
    async fn fault(&self, about: &str, fault: Value) {
        let mut order = json!({"target": "botconversa", "phone_number_id": self.key, "contains": about});
        order.as_object_mut().expect("an object").extend(fault.as_object().cloned().unwrap_or_default());
        self.stack.control("POST", "/sandbox/faults", Some(order)).await;
    }

    async fn heal(&self) {
        self.stack.control("DELETE", &format!("/sandbox/faults?phone_number_id={}", self.key), None).await;
    }

    /// Calls that were made to it, with this in their paths.
    async fn calls(&self, about: &str) -> Vec<Value> {
        let calls = self.stack.control("GET", &format!("/sandbox/calls?phone_number_id={}", self.key), None).await;
        let calls = calls.as_array().cloned().unwrap_or_default();
        calls.into_iter().filter(|call| text(&call["path"]).contains(about)).collect()
    }

    async fn forget_calls(&self) {
        self.stack.control("DELETE", &format!("/sandbox/calls?phone_number_id={}", self.key), None).await;
    }

    /// Subscribers as the account has them.
    async fn subscribers(&self) -> Vec<Value> {
        let shown = self.stack.control("GET", &format!("/sandbox/botconversa/subscribers?key={}", self.key), None).await;
        shown.as_array().cloned().unwrap_or_default()
    }

    /// What was sent to them.
    async fn received(&self) -> Vec<Value> {
        let shown = self.stack.control("GET", &format!("/sandbox/botconversa/received?key={}", self.key), None).await;
        shown.as_array().cloned().unwrap_or_default()
    }

    /// The newest conversation of somebody.
    async fn conversation(&self, number: &str) -> Value {
        let path = format!("/conversations?search={number}&category=bot,pending,active");
        self.company.supervisor.api.get(&path).await.expect(200)["data"][0].clone()
    }

    /// Somebody has written by a flow and is taken over by the first agent.
    async fn served(&self, number: &str) -> String {
        self.told(json!({"phone": number, "name": "Maria", "message": "Oi"})).await;
        let id = text(&self.conversation(number).await["id"]).to_owned();
        self.company.agents[0].api.post(&format!("/conversations/{id}/takeover"), json!({})).await.expect(200);
        id
    }

    /// Oldest first, without lines of the system.
    async fn messages(&self, conversation: &str) -> Vec<Value> {
        let path = format!("/messages?conversation_id={conversation}&order=asc&limit=100");
        let rows = self.company.supervisor.api.get(&path).await.expect(200)["data"].as_array().cloned().unwrap_or_default();
        rows.into_iter().filter(|message| message["kind"] != "system").collect()
    }

    async fn send(&self, conversation: &str, mut message: Value) -> Value {
        message["conversation_id"] = json!(conversation);
        self.company.agents[0].api.post("/messages", message).await.expect(201)
    }

    /// The message once it is so far.
    async fn once(&self, conversation: &str, message: &Value, status: &str) -> Value {
        eventually(&format!("a message that is {status}"), || async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            let messages = self.messages(conversation).await;
            messages.into_iter().find(|known| known["id"] == message["id"] && known["status"] == status)
        })
        .await
    }

    /// The client with this number; null where there is none.
    async fn client(&self, number: &str) -> Value {
        let page = self.company.admin.api.get(&format!("/clients?search={number}")).await.expect(200);
        page["data"][0].clone()
    }

    /// As if the account had been called this many times in this minute and the next one.
    async fn count_calls(&self, calls: u32) {
        let ends = (jiff::Timestamp::now().as_second() / 60 + 1) * 60;
        for ends in [ends, ends + 60] {
            let key = format!("botconversa:{}#{ends}", fingerprint(self.key.as_bytes()));
            let item = json!({"pk": {"S": key}, "hits": {"N": calls.to_string()}, "expires_at": {"N": (ends + 60).to_string()}});
            let table = table(&self.stack, "limits").await;
            dynamodb(&self.stack, "PutItem", json!({"TableName": table, "Item": item})).await;
        }
    }

    /// Keeps both sides alike; the job once it has ended so.
    async fn synced(&self, state: &str) -> Value {
        let started = self.company.supervisor.api.post("/integrations/botconversa/sync", json!({})).await.expect(202);
        crate::cases::jobs::progress_when(&self.company, text(&started["id"]), state).await
    }

    /// A client who has agreed to be written to.
    async fn consenting(&self, number: &str, more: Value) -> Value {
        let mut body = json!({"name": "Rita Lima", "phones": [number]});
        body.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        let made = self.company.admin.api.post("/clients", body).await.expect(201);
        let agreed = "
            insert into client_consents (id, company_id, client_id, purpose, channel, granted, source, at, proof)
            values ($1, $2, $3::text::uuid, 'marketing', 'whatsapp', true, 'whatsapp_preference', now(), jsonb_build_object('test', $1::uuid))";
        let database = self.stack.database().await;
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&Uuid::now_v7(), &self.company.id, &text(&made["id"])];
        database.execute(agreed, &values).await.expect("a consent");
        made
    }
}

async fn post(stack: &Stack, url: &str, secret: &str, body: &Value) -> (u16, Value) {
    let request = stack.http.post(url).header("x-webhook-secret", secret).json(body);
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

pub fn cases() -> Vec<(&'static str, Case)> {
    cases! {
        botconversa_saved::{
            an_account_is_connected_with_a_key_that_opens_it,
            a_mapping_is_tried_on_a_sample,
            an_account_that_is_saved_again_keeps_its_webhook,
            an_account_belongs_to_one_channel,
            an_account_is_tested_renamed_and_removed,
            a_secret_is_renewed_and_the_earlier_one_ends,
            its_secret_is_shown_to_admins_alone,
        };
        botconversa_sent::{
            what_an_agent_writes_goes_out_to_the_subscriber,
            who_is_not_subscribed_is_when_they_have_agreed,
            a_refused_key_is_told_once_and_not_tried_again,
            a_busy_account_is_asked_again,
            a_server_that_has_failed_is_asked_once_more_and_a_silent_one_is_not,
            the_budget_of_an_account_holds_messages_back,
        };
        botconversa_shown::{
            a_subscriber_shows_how_their_conversation_stands,
            what_cannot_be_shown_hinders_nobody,
        };
        botconversa_synced::{
            subscribers_become_clients_and_clients_are_told_of,
            what_was_told_does_not_come_back,
            two_who_begin_at_once_begin_one,
            what_goes_wrong_is_told_and_gone_on_from,
            a_sync_that_is_cancelled_stops,
            syncs_are_for_supervisors_and_their_own_accounts,
        };
        botconversa_told::{
            who_writes_by_a_flow_has_a_conversation,
            a_webhook_that_comes_again_is_one,
            who_has_written_nothing_is_a_client_and_no_more,
            without_a_phone_the_subscriber_is_known,
            secrets_open_their_own_account_only,
            what_nobody_can_read_is_answered_and_kept,
            one_person_by_two_channels_is_one_client,
        };
    }
}
