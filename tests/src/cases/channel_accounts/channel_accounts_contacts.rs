//! POST /whatsapp/contacts/fix-names and /whatsapp/contacts/sync-profiles

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, company::text, eventually, sandbox::fresh_number};

use super::company;
use crate::cases::evolution;

async fn start(company: &Company, what: &str, body: Value) -> Value {
    company.supervisor.api.post(&format!("/whatsapp/contacts/{what}"), body).await.expect(202)
}

/// A job of the supervisor's, once it is in this state.
pub(super) async fn job_when(company: &Company, id: &str, state: &str) -> Value {
    eventually(&format!("the job {state}"), || async {
        let job = company.supervisor.api.get(&format!("/jobs/{id}")).await.expect(200);
        (job["state"] == state).then_some(job)
    })
    .await
}

/// The client with this number, as admins see them.
async fn client(company: &Company, number: &str) -> Value {
    let found = company.admin.api.get(&format!("/clients?search={number}")).await.expect(200);
    found["data"][0].clone()
}

/// Somebody writes whose name is not known yet, and staff know them by their number.
async fn nameless(stack: &Stack, company: &Company, number: &str) {
    let forget = "
        update clients set name = '+' || $2, name_source = 'number', name_told_at = null
         where company_id = $1 and id = (select client_id from client_identities where company_id = $1 and kind = 'phone' and value = $2)";
    let rows = stack.database().await.execute(forget, &[&company.id, &number]).await.expect("the name is forgotten");
    assert_eq!(rows, 1);
}

pub async fn people_without_a_name_get_the_best_one_that_is_known(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let [profile, book, twice, unknown] = [(); 4].map(|()| fresh_number());
    for (number, name) in [(&profile, "Maria Teste"), (&book, "Zé"), (&twice, "Antiga"), (&twice, "Ana Nova"), (&unknown, "🙂")]
    {
        company.phone.receive(number, json!({"text": "Oi", "name": name})).await;
    }
    let entry = json!({"type": "contact", "action": "add", "metadata": {"timestamp": "1764600000"},
        "contact": {"full_name": "José da Padaria", "phone_number": book}});
    company.phone.change("smb_app_state_sync", json!({"state_sync": [entry]})).await;
    for number in [&profile, &book, &twice, &unknown] {
        nameless(&stack, &company, number).await;
    }
    let mut socket = company.supervisor.socket().await;
    let started = start(&company, "fix-names", json!({})).await;
    let job = &started["data"][0]["job"];
    assert_eq!((text(&job["kind"]), &started["data"][0]["reason"]), ("fix_contact_names", &Value::Null));
    let done = job_when(&company, text(&job["id"]), "done").await;
    assert_eq!((&done["result"]["named"], &done["failed"]), (&json!(3), &json!(0)));
    assert!(done["done"] == done["total"] && done["done"].as_i64() >= Some(6), "{done}");
    for (number, name, source) in
        [(&profile, "Maria Teste", "profile"), (&book, "José da Padaria", "address_book"), (&twice, "Ana Nova", "profile")]
    {
        let known = client(&company, number).await;
        assert_eq!((text(&known["name"]), text(&known["name_source"])), (name, source));
    }
    assert_eq!(text(&client(&company, &unknown).await["name_source"]), "number");
    let told = socket.drain().await;
    let of = |kind: &str| told.iter().filter(|frame| frame["type"] == kind).count();
    assert!(of("job.progress") >= 2 && of("client.updated") == 3, "{told:?}");
    // Once more, there is nobody left to name.
    let again = start(&company, "fix-names", json!({"channel_account_id": company.channel_account_id})).await;
    let again = job_when(&company, text(&again["data"][0]["job"]["id"]), "done").await;
    assert_eq!(again["result"]["named"], 0);
}

pub async fn a_name_that_somebody_typed_stays(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let number = fresh_number();
    company.phone.receive(&number, json!({"text": "Oi", "name": "Apelido"})).await;
    let id = text(&client(&company, &number).await["id"]).to_owned();
    let typed = Some(json!({"name": "12345"}));
    company.admin.api.call(reqwest::Method::PUT, &format!("/clients/{id}"), typed).await.expect(200);
    let started = start(&company, "fix-names", json!({})).await;
    let done = job_when(&company, text(&started["data"][0]["job"]["id"]), "done").await;
    assert_eq!(done["result"]["named"], 0);
    let kept = client(&company, &number).await;
    assert_eq!((text(&kept["name"]), text(&kept["name_source"])), ("12345", "staff"));
}

pub async fn profiles_are_asked_of_servers_and_the_cloud_says_that_it_has_none(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let server = evolution::Server::start(&stack).await;
    let instance = evolution::open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    let (name, people) = (instance["instance_name"].clone(), [(); 7].map(|()| fresh_number()));
    for number in &people {
        let order = json!({"instance": name, "from": number, "name": format!("Pessoa {number}"), "text": "Oi"});
        assert_eq!(server.order(&stack, "inbound", order).await["status"], 200);
    }
    // What the server has heard since and did not tell.
    let path = format!("/webhook/set/{}", text(&name));
    let deaf = json!({"webhook": {"enabled": false, "url": "https://exemplo.test", "events": ["CALL"]}});
    server.call(&stack, reqwest::Method::POST, &path, &server.global_key, deaf).await;
    let renamed = json!({"instance": name, "from": people[0], "name": "Nome Novo", "text": "Oi"});
    server.order(&stack, "inbound", renamed).await;
    nameless(&stack, &company, &people[1]).await;
    let started = start(&company, "sync-profiles", json!({})).await;
    let by_channel = |kind: &str| {
        let mut all = started["data"].as_array().into_iter().flatten();
        all.find(|channel| channel["channel_kind"] == kind).cloned().expect("one for each channel")
    };
    let cloud = by_channel("whatsapp_cloud");
    assert_eq!((&cloud["job"], text(&cloud["reason"])), (&Value::Null, "no_profiles"));
    let job = by_channel("evolution")["job"].clone();
    let done = job_when(&company, text(&job["id"]), "done").await;
    assert_eq!((&done["done"], &done["total"], &done["result"]["named"]), (&json!(7), &json!(7), &json!(2)));
    assert_eq!(text(&client(&company, &people[0]).await["name"]), "Nome Novo");
    assert_eq!(text(&client(&company, &people[1]).await["name"]), format!("Pessoa {}", people[1]));
    let calls = server.calls(&stack, "chat/findContacts").await;
    assert_eq!(calls.len(), 7, "each is asked after once");
    let logged = company.supervisor.api.get("/integrations/logs?operation=find_contact").await.expect(200);
    assert_eq!(logged["data"].as_array().map(Vec::len), Some(7));
}

pub async fn one_job_goes_on_for_a_channel_and_can_be_cancelled(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let server = evolution::Server::start(&stack).await;
    let instance = evolution::open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    for _ in 0..12 {
        let order = json!({"instance": instance["instance_name"], "from": fresh_number(), "text": "Oi"});
        server.order(&stack, "inbound", order).await;
    }
    server.fault(&stack, "evolution.messages", "findContacts", json!({"kind": "timeout", "ms": 300})).await;
    let body = json!({"channel_account_id": instance["id"]});
    let first = start(&company, "sync-profiles", body.clone()).await["data"][0]["job"].clone();
    let second = start(&company, "sync-profiles", body).await["data"][0]["job"].clone();
    assert_eq!(first["id"], second["id"]);
    let id = text(&first["id"]);
    job_when(&company, id, "running").await;
    company.supervisor.api.post(&format!("/jobs/{id}/cancel"), json!({})).await.expect(200);
    let ended = job_when(&company, id, "cancelled").await;
    assert!(ended["done"].as_i64() < Some(12) && ended["finished_at"].is_string(), "{ended}");
}

pub async fn a_server_that_is_away_is_asked_again(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let server = evolution::Server::start(&stack).await;
    let instance = evolution::open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    for _ in 0..3 {
        let order = json!({"instance": instance["instance_name"], "from": fresh_number(), "text": "Oi"});
        server.order(&stack, "inbound", order).await;
    }
    // All of a page fail: it is asked again. One alone is passed over.
    server.fault(&stack, "evolution.messages", "findContacts", json!({"kind": "error", "status": 500, "times": 4})).await;
    let body = json!({"channel_account_id": instance["id"]});
    let job = start(&company, "sync-profiles", body.clone()).await["data"][0]["job"].clone();
    let done = job_when(&company, text(&job["id"]), "done").await;
    assert_eq!((&done["done"], &done["failed"]), (&json!(3), &json!(1)));
    server.fault(&stack, "evolution.messages", "findContacts", json!({"kind": "error", "status": 401})).await;
    let job = start(&company, "sync-profiles", body).await["data"][0]["job"].clone();
    let failed = job_when(&company, text(&job["id"]), "failed").await;
    assert!(text(&failed["reason"]).contains("401"), "{failed}");
}
