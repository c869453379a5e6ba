//! PUT /integrations/config/{id}

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, company::text, eventually, sandbox::fresh_number};

use super::{change, company, connect_number, fields, own_path, path, shown};
use crate::cases::{canary, evolution};

pub async fn what_is_given_changes_and_the_rest_stays(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let channel = connect_number(&company, "Vendas").await;
    let id = text(&channel["id"]);
    let department = company.departments[0].1.to_string();
    let mut socket = company.agents[0].socket().await;
    let changed = change(&company, id, json!({"name": "Suporte", "department_id": department})).await.expect(200);
    assert_eq!((text(&changed["name"]), text(&changed["department_id"])), ("Suporte", department.as_str()));
    assert_eq!((&changed["settings"], &changed["version"]), (&channel["settings"], &json!(2)));
    let told = socket.of_type("channel.updated").await;
    assert_eq!((text(&told["data"]["name"]), &told["data"]["version"]), ("Suporte", &json!(2)));
    // The same again changes nothing, and another method is the same.
    let same = company.admin.api.call(Method::PATCH, &path(id), Some(json!({"name": "Suporte"}))).await.expect(200);
    assert_eq!(same, changed);
    let more = json!({"department_id": null, "waba_id": "1043", "display_phone_number": "+55 11 4000-0000"});
    let cleared = change(&company, id, more).await.expect(200);
    assert_eq!((&cleared["department_id"], text(&cleared["settings"]["waba_id"])), (&Value::Null, "1043"));
    assert_eq!(text(&cleared["settings"]["access_token"]), "••••1234");
    for (wrong, expected) in [
        (json!({"department_id": uuid::Uuid::new_v4()}), [("department_id", "not_found")]),
        (json!({"bot_flow_key": "nenhum"}), [("bot_flow_key", "not_published")]),
        (json!({"api_key": "12345678"}), [("api_key", "not_of_kind")]),
        (json!({"rotate_webhook_secret": true}), [("rotate_webhook_secret", "not_of_kind")]),
        (json!({"name": ""}), [("name", "required")]),
        (json!({"phone_number_id": "1"}), [("phone_number_id", "unknown_field")]),
    ] {
        let refused = change(&company, id, wrong.clone()).await.expect(422);
        assert_eq!(fields(&refused), expected, "{wrong}");
    }
    assert_eq!(shown(&company, id).await["version"], cleared["version"]);
}

pub async fn a_change_of_an_old_version_is_refused(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let of_version = async |version: &str, name: &str| {
        let api = company.admin.api.with_header("if-match", version);
        api.call(Method::PUT, &own_path(&company), Some(json!({"name": name}))).await
    };
    assert_eq!(of_version("1", "Suporte").await.expect(200)["version"], 2);
    let refused = of_version("1", "Outro").await.expect(409);
    assert_eq!((text(&refused["code"]), text(&refused["current"]["name"])), ("stale_version", "Suporte"));
}

pub async fn a_new_token_is_asked_about_first(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let channel = connect_number(&company, "Vendas").await;
    let (id, number) = (text(&channel["id"]), text(&channel["settings"]["phone_number_id"]));
    company.phone.post("/whatsapp/settings", json!({"phone_number_id": number, "access_token": "EAAG-right-token-5678"})).await;
    let refused = change(&company, id, json!({"access_token": "EAAG-wrong-token-0000", "name": "Outro"})).await.expect(422);
    assert_eq!(fields(&refused), [("access_token", "not_accepted")]);
    assert_eq!(shown(&company, id).await["version"], 1);
    let broken = "update channel_accounts set status = 'broken' where id = $1::text::uuid";
    stack.database().await.execute(broken, &[&id]).await.expect("it breaks");
    // Whoever says that it is to work mends no credentials.
    assert_eq!(change(&company, id, json!({"status": "active"})).await.expect(200)["status"], "broken");
    let renewed = change(&company, id, json!({"access_token": "EAAG-right-token-5678"})).await.expect(200);
    assert_eq!((text(&renewed["settings"]["access_token"]), text(&renewed["status"])), ("••••5678", "active"));
    canary::assert_nowhere(&stack, &["EAAG-right-token-5678", "EAAG-wrong-token-0000"], &[]).await;
}

pub async fn a_channel_that_is_switched_off_neither_sends_nor_receives(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    let id = company.channel_account_id.to_string();
    change(&company, &id, json!({"status": "disabled"})).await.expect(200);
    company.phone.receive_text(&client, "Oi").await;
    assert_eq!(company.admin.api.get("/conversations").await.expect(200)["data"], json!([]));
    change(&company, &id, json!({"status": "active"})).await.expect(200);
    company.phone.receive_text(&client, "Alguém?").await;
    assert_eq!(company.admin.thread(&company.admin.conversation_id_of(&client).await).await.len(), 1);
}

pub async fn an_instance_moves_with_its_key_only(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (here, there) = (evolution::Server::start(&stack).await, evolution::Server::start(&stack).await);
    let instance = evolution::open(&stack, &company, &here, ("Vendas", &fresh_number())).await;
    let id = text(&instance["id"]);
    let refused = change(&company, id, json!({"base_url": there.base_url})).await.expect(422);
    assert_eq!(fields(&refused), [("api_key", "required")]);
    let moved = json!({"base_url": there.base_url, "api_key": there.global_key});
    assert_eq!(fields(&change(&company, id, moved.clone()).await.expect(422)), [("instance", "not_found")]);
    // The other server gets an instance of the same name, as a restored copy has.
    let made = json!({"instanceName": instance["instance_name"], "integration": "WHATSAPP-BAILEYS", "qrcode": true});
    let (status, _) = there.call(&stack, Method::POST, "/instance/create", &there.global_key, made).await;
    assert_eq!(status, 201);
    let changed = change(&company, id, moved).await.expect(200);
    assert_eq!(text(&changed["settings"]["base_url"]), there.base_url);
    let webhook = there.instances(&stack).await[0]["webhook"].clone();
    assert!(text(&webhook["url"]).contains("/webhooks/evolution/"), "{webhook}");
    let other = evolution::open(&stack, &company, &here, ("Suporte", &fresh_number())).await;
    let taken = json!({"base_url": there.base_url, "api_key": there.global_key});
    assert_eq!(fields(&change(&company, text(&other["id"]), taken).await.expect(422)), [("instance", "not_found")]);
}

pub async fn a_secret_of_webhooks_is_replaced_and_nothing_is_lost(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let server = evolution::Server::start(&stack).await;
    let instance = evolution::open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    let (id, name) = (text(&instance["id"]), instance["instance_name"].clone());
    let before = server.instances(&stack).await[0]["webhook"].clone();
    let write = async |from: &str, words: &str| {
        let order = json!({"instance": name, "from": from, "text": words});
        server.order(&stack, "inbound", order).await
    };
    // The server is away while the secret is replaced: it brings the earlier one, and that is taken.
    server.fault(&stack, "evolution.instances", "webhook/set", json!({"kind": "error", "status": 500})).await;
    change(&company, id, json!({"rotate_webhook_secret": true})).await.expect(200);
    let (first, second) = (fresh_number(), fresh_number());
    assert_eq!(write(&first, "Oi").await["status"], 200);
    assert_eq!(company.admin.thread(&company.admin.conversation_id_of(&first).await).await.len(), 1);
    assert_eq!(server.instances(&stack).await[0]["webhook"], before);
    // Twice in a row, the one that the server knows still counts.
    change(&company, id, json!({"rotate_webhook_secret": true})).await.expect(200);
    assert_eq!(write(&first, "Oi?").await["status"], 200);
    // Who brings the earlier one has not been told, whatever they tell.
    let state = json!({"instance": name, "event": "connection.update", "data": {"state": "open"}});
    assert_eq!(server.order(&stack, "event", state).await["status"], 200);
    change(&company, id, json!({"rotate_webhook_secret": true})).await.expect(200);
    assert_eq!(write(&first, "Ainda aí?").await["status"], 200);
    server.heal(&stack).await;
    evolution::act(&company, &instance, "test").await.expect(200);
    let after = server.instances(&stack).await[0]["webhook"].clone();
    assert_ne!((&after["url"], &after["headers"]), (&before["url"], &before["headers"]));
    // For an hour two are taken, and no third one.
    let refused = change(&company, id, json!({"rotate_webhook_secret": true})).await;
    assert_eq!(refused.problem(409), "secret_in_use");
    assert_eq!(write(&second, "Olá").await["status"], 200);
    assert_eq!(company.admin.thread(&company.admin.conversation_id_of(&second).await).await.len(), 1);
    // What the server began with the earlier one it may end; an hour later nobody may.
    let late = stack.http.post(text(&before["url"])).header("authorization", text(&before["headers"]["authorization"]));
    let late = late.json(&json!({"event": "presence.update", "instance": name, "data": {}}));
    let answer = late.try_clone().expect("a copy").send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let passed =
        "update channel_accounts set previous_key_until = now() where id = $1::text::uuid and previous_key_until is not null";
    assert_eq!(stack.database().await.execute(passed, &[&id]).await.expect("an hour passes"), 1);
    assert_eq!(late.send().await.expect("an answer").status(), 401);
    let audited = "select count(*) from audit_log where company_id = $1 and action = 'update_integration' and target = $2";
    let rows = stack.database().await.query_one(audited, &[&company.id, &id]).await.expect("rows").get::<_, i64>(0);
    assert_eq!(rows, 3);
    change(&company, id, json!({"rotate_webhook_secret": true})).await.expect(200);
}

pub async fn another_companys_channel_is_not_there(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let id = company.channel_account_id.to_string();
    assert_eq!(change(&other, &id, json!({"name": "Roubo"})).await.problem(404), "not_found");
    assert_eq!(super::remove(&other, &id, "?conversations=close").await.problem(404), "not_found");
    assert_eq!(other.admin.api.post(&format!("{}/test", path(&id)), json!({})).await.problem(404), "not_found");
    for job in ["fix-names", "sync-profiles"] {
        let body = json!({"channel_account_id": id});
        assert_eq!(other.supervisor.api.post(&format!("/whatsapp/contacts/{job}"), body).await.problem(404), "not_found");
    }
    for person in [&company.supervisor, &company.agents[0]] {
        assert_eq!(person.api.call(Method::PUT, &path(&id), Some(json!({"name": "Meu"}))).await.problem(403), "forbidden");
        assert_eq!(person.api.call(Method::DELETE, &path(&id), None).await.problem(403), "forbidden");
        assert_eq!(person.api.post(&format!("{}/test", path(&id)), json!({})).await.problem(403), "forbidden");
    }
    let costs = company.agents[0].api.get("/integrations/costs").await;
    assert_eq!(costs.problem(403), "forbidden");
    eventually("the channel as it was", || async { (shown(&company, &id).await["version"] == 1).then_some(()) }).await;
}
