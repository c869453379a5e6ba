//! POST /integrations/botconversa/sync

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, company::text, eventually};

use super::{Account, northern_number};
use crate::cases::jobs::progress_when;

const SYNC: &str = "/integrations/botconversa/sync";

fn tags(row: &Value) -> Vec<&str> {
    let tags = row["tags"].as_array().into_iter().flatten();
    let mut tags: Vec<&str> = tags.map(|tag| tag["name"].as_str().unwrap_or_else(|| text(tag))).collect();
    tags.sort_unstable();
    tags
}

/// The subscriber with this number.
async fn subscriber(account: &Account, number: &str) -> Value {
    let stored = format!("+{}{}", &number[..4], &number[5..]);
    account.subscribers().await.into_iter().find(|one| one["phone"] == stored.as_str()).unwrap_or_default()
}

async fn change(account: &Account, number: &str, changes: Value) {
    let path = format!("/clients/{}", text(&account.client(number).await["id"]));
    account.company.admin.api.call(Method::PUT, &path, Some(changes)).await.expect(200);
}

pub async fn subscribers_become_clients_and_clients_are_told_of(stack: Arc<Stack>) {
    let account = Account::connect_with(&stack, json!({"tags": ["VIP", "Aluno"], "fields": ["Cidade"]}), json!({})).await;
    account.settings(json!({"page_size": 2})).await;
    let fields = json!({"fields": [{"key": "cidade", "label": "Cidade", "kind": "text"}]});
    account.company.admin.api.call(Method::PUT, "/client-fields", Some(fields)).await.expect(200);
    let [new, known, nameless, agreed] = [(); 4].map(|()| northern_number());
    let subscribers = json!([
        {"phone": new, "first_name": "Nova", "last_name": "Cliente", "tags": ["VIP"]},
        {"phone": known, "first_name": "Nome", "last_name": "De Lá", "tags": ["Aluno"]},
        {"phone": nameless, "first_name": "Tem", "last_name": "Nome"},
        {"first_name": "Sem", "last_name": "Telefone"},
    ]);
    account.seed(json!({"subscribers": subscribers})).await;
    account
        .company
        .admin
        .api
        .post("/clients", json!({"name": "Conhecida", "phones": [known], "tags": ["Antiga"]}))
        .await
        .expect(201);
    account.company.phone.receive(&nameless, json!({"text": "Oi", "name": ""})).await;
    account.consenting(&agreed, json!({"tags": ["vip", "Só daqui"], "custom_fields": {"cidade": "Recife"}})).await;
    let progress = account.synced("done").await;
    assert_eq!(
        (&progress["failed"], &progress["result"]["made"], &progress["result"]["told"]),
        (&json!(0), &json!(2), &json!(1))
    );
    let client = account.client(&new).await;
    assert_eq!((text(&client["name"]), tags(&client)), ("Nova Cliente", vec!["vip"]), "as the catalogue spells it");
    let client = account.client(&known).await;
    assert_eq!((text(&client["name"]), tags(&client)), ("Conhecida", vec!["Aluno", "Antiga"]), "names that are there stay");
    assert_eq!(text(&account.client(&nameless).await["name"]), "Tem Nome");
    let page = account.company.admin.api.get("/clients?search=Sem%20Telefone").await.expect(200);
    assert_eq!(page["data"][0]["phones"], json!([]));
    let told = subscriber(&account, &agreed).await;
    assert_eq!((text(&told["full_name"]), tags(&told), text(&told["variables"]["Cidade"])), ("Rita Lima", vec!["VIP"], "Recife"));
    assert_eq!(account.subscribers().await.len(), 5, "nobody is subscribed who has not agreed");
}

pub async fn what_was_told_does_not_come_back(stack: Arc<Stack>) {
    let account = Account::connect_with(&stack, json!({"tags": ["VIP", "Aluno"]}), json!({})).await;
    let number = northern_number();
    account.consenting(&number, json!({"tags": ["VIP"]})).await;
    account.synced("done").await;
    assert_eq!(tags(&subscriber(&account, &number).await), ["VIP"]);
    let version = account.client(&number).await["version"].clone();
    // Done again there is nothing to do on either side.
    account.forget_calls().await;
    let again = account.synced("done").await;
    assert_eq!((&again["result"]["updated"], &again["result"]["told"]), (&json!(0), &json!(0)));
    assert!(account.calls("/tags/").await.iter().all(|call| call["method"] == "GET"), "nothing was put");
    assert_eq!(account.client(&number).await["version"], version);
    // What staff take away goes there too, and does not come back.
    change(&account, &number, json!({"tags": ["Aluno"]})).await;
    account.synced("done").await;
    assert_eq!(tags(&subscriber(&account, &number).await), ["Aluno"]);
    account.synced("done").await;
    assert_eq!(tags(&account.client(&number).await), ["Aluno"]);
    // A tag that is put on them there comes here, once.
    let id = subscriber(&account, &number).await["id"].clone();
    let shown = stack.control("GET", &format!("/sandbox/botconversa/subscribers?key={}", account.key), None).await;
    assert!(shown.is_array());
    let listed =
        stack.http.get(format!("{}/botconversa/api/v1/webhook/tags/", stack.addresses.sandbox)).header("api-key", &account.key);
    let listed: Value = listed.send().await.expect("an answer").json().await.expect("tags");
    let vip = listed.as_array().into_iter().flatten().find(|tag| tag["name"] == "VIP").expect("a tag")["id"].clone();
    let path = format!("{}/botconversa/api/v1/webhook/subscriber/{id}/tags/{vip}/", stack.addresses.sandbox);
    stack.http.post(path).header("api-key", &account.key).json(&json!({})).send().await.expect("an answer");
    account.synced("done").await;
    assert_eq!(tags(&account.client(&number).await), ["Aluno", "VIP"]);
}

pub async fn two_who_begin_at_once_begin_one(stack: Arc<Stack>) {
    let account = Account::connect(&stack).await;
    account.fault("subscribers", json!({"kind": "timeout", "ms": 1500, "times": 1})).await;
    let api = &account.company.supervisor.api;
    let started = join_all((0..6).map(|_| async { api.post(SYNC, json!({})).await.expect(202) })).await;
    let ids: std::collections::BTreeSet<&str> = started.iter().map(|started| text(&started["id"])).collect();
    assert_eq!(ids.len(), 1);
    progress_when(&account.company, text(&started[0]["id"]), "done").await;
    assert_eq!(account.calls("subscribers/").await.len(), 2, "one to connect it, one for the job");
}

pub async fn what_goes_wrong_is_told_and_gone_on_from(stack: Arc<Stack>) {
    let account = Account::connect(&stack).await;
    let number = northern_number();
    account.seed(json!({"subscribers": [{"phone": number, "first_name": "Maria"}]})).await;
    // Busy, then a page of the framework, then as it should be.
    account.fault("subscribers", json!({"kind": "error", "status": 429, "retry_after": 1, "times": 1})).await;
    account.fault("subscribers", json!({"kind": "error", "status": 200, "body": "<html>", "times": 1})).await;
    account.synced("done").await;
    assert_eq!(text(&account.client(&number).await["name"]), "Maria");
    // A key that is refused ends it, and breaks the channel.
    account.settings(json!({"refuses_key": true})).await;
    account.forget_calls().await;
    let failed = account.synced("failed").await;
    assert!(text(&failed["reason"]).contains("401"), "{failed}");
    assert_eq!(account.calls("").await.len(), 1);
    let listed = account.company.admin.api.get("/integrations/config").await.expect(200);
    assert!(listed.to_string().contains("broken"), "{listed}");
}

pub async fn a_sync_that_is_cancelled_stops(stack: Arc<Stack>) {
    let account = Account::connect(&stack).await;
    account.settings(json!({"page_size": 1})).await;
    let subscribers: Vec<Value> = (0..30).map(|_| json!({"phone": northern_number(), "first_name": "Ana"})).collect();
    account.seed(json!({"subscribers": subscribers})).await;
    account.fault("subscribers", json!({"kind": "timeout", "ms": 300})).await;
    let started = account.company.supervisor.api.post(SYNC, json!({})).await.expect(202);
    let id = text(&started["id"]).to_owned();
    eventually("a first page", || async {
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        let progress = account.company.supervisor.api.get(&format!("/jobs/{id}")).await.expect(200);
        (progress["done"].as_i64() > Some(0)).then_some(())
    })
    .await;
    account.company.supervisor.api.post(&format!("/jobs/{id}/cancel"), json!({})).await;
    let progress = progress_when(&account.company, &id, "cancelled").await;
    account.heal().await;
    assert!(progress["done"].as_i64() < Some(30) && progress["result"]["made"] == progress["done"], "{progress}");
}

pub async fn syncs_are_for_supervisors_and_their_own_accounts(stack: Arc<Stack>) {
    let (account, other) = (Account::connect(&stack).await, Account::connect(&stack).await);
    assert_eq!(account.company.agents[0].api.post(SYNC, json!({})).await.problem(403), "forbidden");
    let foreign = json!({"channel_account_id": other.id()});
    assert_eq!(account.company.supervisor.api.post(SYNC, foreign).await.problem(404), "not_found");
    let cloud = json!({"channel_account_id": account.company.channel_account_id});
    assert_eq!(account.company.supervisor.api.post(SYNC, cloud).await.problem(404), "not_found");
}
