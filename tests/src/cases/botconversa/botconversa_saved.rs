//! POST /integrations/config with an account of BotConversa

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, company::text};

use super::{Account, company, fresh_key};

fn config(key: &str) -> Value {
    json!({"kind": "botconversa", "name": "Flows", "api_key": key})
}

fn problems(refused: &Value) -> Vec<(&str, &str)> {
    let problems = refused["errors"].as_array().into_iter().flatten();
    problems.map(|problem| (text(&problem["field"]), text(&problem["code"]))).collect()
}

pub async fn an_account_is_connected_with_a_key_that_opens_it(stack: Arc<Stack>) {
    let (company, key) = (company(&stack).await, fresh_key(&stack).await);
    let saved = company.admin.api.post("/integrations/config", config(&key)).await.expect(200);
    assert_eq!((text(&saved["kind"]), text(&saved["status"])), ("botconversa", "active"));
    assert_eq!(text(&saved["settings"]["api_key"]), format!("••••{}", &key[key.len() - 4..]));
    assert_eq!((text(&saved["settings"]["mapping"]["phone"]), text(&saved["settings"]["reply"])), ("phone", "Recebido!"));
    let again = company.admin.api.post("/integrations/config", config(&key)).await.expect(200);
    assert_eq!(again["id"], saved["id"], "the same account is the same channel");
    let refused = company.admin.api.post("/integrations/config", config("no-key-of-anybody")).await.expect(422);
    assert_eq!(problems(&refused), [("api_key", "not_accepted")]);
    let order = |fault: Value| {
        let mut order = json!({"target": "botconversa", "phone_number_id": key, "contains": "subscribers"});
        order.as_object_mut().expect("an object").extend(fault.as_object().cloned().unwrap_or_default());
        order
    };
    // Its pages, under whatever status, are no answer of the API.
    for fault in [json!({"kind": "error", "status": 502}), json!({"kind": "error", "status": 200, "body": "<html>"})] {
        let mut fault = order(fault);
        fault["times"] = json!(1);
        stack.control("POST", "/sandbox/faults", Some(fault)).await;
        assert_eq!(company.admin.api.post("/integrations/config", config(&key)).await.problem(503), "unavailable");
    }
    let mut without = config(&key);
    without.as_object_mut().expect("an object").remove("api_key");
    let refused = company.admin.api.post("/integrations/config", without).await.expect(422);
    assert_eq!(problems(&refused), [("api_key", "required")]);
    // The key is sealed, and shown nowhere.
    let listed = company.admin.api.get("/integrations/config").await.expect(200).to_string();
    assert!(!listed.contains(&key), "{listed}");
    let rows = "
        select (select string_agg(settings::text || external_key || coalesce(account_key, ''), ' ') from channel_accounts where company_id = $1)
            || (select string_agg(encode(sealed, 'escape'), ' ') from channel_credentials where company_id = $1)";
    let row = stack.database().await.query_one(rows, &[&company.id]).await.expect("rows");
    assert!(!row.get::<_, String>(0).contains(&key));
}

pub async fn a_mapping_is_tried_on_a_sample(stack: Arc<Stack>) {
    let (company, key) = (company(&stack).await, fresh_key(&stack).await);
    let mapping =
        json!({"phone": "contact.whatsapp", "name": "contact.nome", "message": "texto", "fields": {"cidade": "contact.cidade"}});
    let with = |mapping: &Value, sample: Value| {
        let mut body = config(&key);
        (body["mapping"], body["sample"]) = (mapping.clone(), sample);
        body
    };
    let sample = json!({"contact": {"whatsapp": "(31) 8765-4321", "nome": "Maria", "cidade": ""}, "texto": "Oi"});
    for (body, expected) in [
        (with(&mapping, Value::Null), vec![("sample", "required")]),
        (
            with(&mapping, json!({"phone": "5531987654321"})),
            vec![
                ("mapping.phone", "yields_no_phone"),
                ("mapping.name", "yields_nothing"),
                ("mapping.message", "yields_nothing"),
                ("mapping.fields.cidade", "yields_nothing"),
            ],
        ),
        (
            with(&mapping, json!({"contact": {"whatsapp": "{{telefone}}", "nome": "", "cidade": ""}, "texto": ""})),
            vec![("mapping.phone", "yields_no_phone")],
        ),
        (with(&json!({"phone": "a..b"}), sample.clone()), vec![("mapping.phone", "pattern")]),
    ] {
        let refused = company.admin.api.post("/integrations/config", body).await.expect(422);
        assert_eq!(problems(&refused), expected, "{refused}");
    }
    assert_eq!(company.admin.api.get("/integrations/config").await.expect(200)["data"].as_array().map(Vec::len), Some(1));
    let saved = company.admin.api.post("/integrations/config", with(&mapping, sample)).await.expect(200);
    assert_eq!(text(&saved["settings"]["mapping"]["phone"]), "contact.whatsapp");
}

pub async fn an_account_that_is_saved_again_keeps_its_webhook(stack: Arc<Stack>) {
    let account = Account::connect_with(&stack, json!({"tags": ["Em atendimento"]}), json!({})).await;
    let admin = &account.company.admin;
    let path = format!("/integrations/botconversa/{}/webhook", account.id());
    let before = admin.api.get(&path).await.expect(200);
    let again = json!({"kind": "botconversa", "id": account.id(), "name": "Flows 2", "reply": "Obrigado!", "shows": {"active": "em ATENDIMENTO"}});
    let saved = admin.api.post("/integrations/config", again).await.expect(200);
    assert_eq!((text(&saved["id"]), text(&saved["name"]), saved["version"].as_i64()), (account.id(), "Flows 2", Some(2)));
    assert_eq!(text(&saved["settings"]["shows"]["active"]["name"]), "Em atendimento");
    assert_eq!(saved["settings"]["api_key"], account.channel["settings"]["api_key"]);
    let answer = account.told(json!({"phone": "5511987650001"})).await;
    assert_eq!(answer, json!({"ok": true, "reply": "Obrigado!"}));
    // Another key: of the same channel, whose address stays.
    let key = fresh_key(&stack).await;
    let renewed = json!({"kind": "botconversa", "id": account.id(), "name": "Flows 2", "api_key": key});
    let saved = admin.api.post("/integrations/config", renewed).await.expect(200);
    assert_eq!(
        (text(&saved["id"]), text(&saved["settings"]["api_key"])),
        (account.id(), format!("••••{}", &key[key.len() - 4..]).as_str())
    );
    assert_eq!(admin.api.get(&path).await.expect(200), before, "what is typed into flows goes on");
    let unknown =
        json!({"kind": "botconversa", "id": account.id(), "name": "Flows", "shows": {"closed": "Não há", "field": "nem isto"}});
    let refused = admin.api.post("/integrations/config", unknown).await.expect(422);
    assert_eq!(problems(&refused), [("shows.closed", "not_found"), ("shows.field", "not_found")]);
    let nobodys = json!({"kind": "botconversa", "id": uuid::Uuid::new_v4(), "name": "Flows", "api_key": key});
    assert_eq!(admin.api.post("/integrations/config", nobodys).await.problem(404), "not_found");
}

pub async fn an_account_belongs_to_one_channel(stack: Arc<Stack>) {
    let account = Account::connect(&stack).await;
    let other = Account::connect(&stack).await;
    let theirs = other.company.admin.api.post("/integrations/config", config(&account.key)).await;
    assert_eq!(theirs.problem(409), "account_in_use");
    let renewed = json!({"kind": "botconversa", "id": other.id(), "name": "Flows", "api_key": account.key});
    assert_eq!(other.company.admin.api.post("/integrations/config", renewed).await.problem(409), "account_in_use");
    let mut foreign = config(&other.key);
    foreign["id"] = json!(account.id());
    assert_eq!(other.company.admin.api.post("/integrations/config", foreign).await.problem(404), "not_found");
    assert_eq!(other.company.admin.api.get("/integrations/config").await.expect(200)["data"].as_array().map(Vec::len), Some(2));
}

pub async fn its_secret_is_shown_to_admins_alone(stack: Arc<Stack>) {
    let account = Account::connect(&stack).await;
    let other = Account::connect(&stack).await;
    let path = format!("/integrations/botconversa/{}/webhook", account.id());
    assert!(
        account.url.contains("/webhooks/botconversa/")
            && account.secret.starts_with(account.url.rsplit('/').next().unwrap_or_default())
    );
    assert_eq!(account.company.supervisor.api.get(&path).await.problem(403), "forbidden");
    assert_eq!(account.company.agents[0].api.get(&path).await.problem(403), "forbidden");
    assert_eq!(other.company.admin.api.get(&path).await.problem(404), "not_found");
    let cloud = format!("/integrations/botconversa/{}/webhook", account.company.channel_account_id);
    assert_eq!(account.company.admin.api.call(Method::GET, &cloud, None).await.problem(404), "not_found");
}

pub async fn a_secret_is_renewed_and_the_earlier_one_ends(stack: Arc<Stack>) {
    let mut account = Account::connect(&stack).await;
    let admin = account.company.admin.clone();
    let path = format!("/integrations/config/{}", account.id());
    let rotated = admin.api.call(Method::PUT, &path, Some(json!({"rotate_webhook_secret": true}))).await.expect(200);
    assert_eq!(rotated["settings"], account.channel["settings"]);
    let shown = admin.api.get(&format!("/integrations/botconversa/{}/webhook", account.id())).await.expect(200);
    assert!(text(&shown["url"]) != account.url && text(&shown["secret"]) != account.secret);
    let lead = || json!({"phone": tests::sandbox::fresh_number(), "message": "Oi"});
    // Flows are changed by hand: until then they go on.
    account.told(lead()).await;
    let earlier = (account.url.clone(), account.secret.clone());
    (account.url, account.secret) = (text(&shown["url"]).to_owned(), text(&shown["secret"]).to_owned());
    account.told(lead()).await;
    let again = admin.api.call(Method::PUT, &path, Some(json!({"rotate_webhook_secret": true}))).await;
    assert_eq!(again.problem(409), "secret_in_use");
    let ended = "update channel_accounts set previous_key_until = now() - interval '1 second' where id = $1::text::uuid";
    assert_eq!(stack.database().await.execute(ended, &[&account.id()]).await.expect("an hour passes"), 1);
    assert_eq!(super::post(&stack, &earlier.0, &earlier.1, &lead()).await.0, 401);
    account.told(lead()).await;
    // Neither goes with the other's address.
    assert_eq!(super::post(&stack, &account.url, &earlier.1, &lead()).await.0, 401);
    let cloud = format!("/integrations/config/{}", account.company.channel_account_id);
    let refused = admin.api.call(Method::PUT, &cloud, Some(json!({"rotate_webhook_secret": true}))).await.expect(422);
    assert_eq!(problems(&refused), [("rotate_webhook_secret", "not_of_kind")]);
}

pub async fn an_account_is_tested_renamed_and_removed(stack: Arc<Stack>) {
    let account = Account::connect(&stack).await;
    let api = &account.company.admin.api;
    let path = format!("/integrations/config/{}", account.id());
    let test = api.post(&format!("{path}/test"), json!({})).await.expect(200);
    assert_eq!((&test["works"], &test["problem"], &test["display_number"]), (&json!(true), &Value::Null, &Value::Null));
    let renamed = api.call(Method::PUT, &path, Some(json!({"name": "Matrículas"}))).await.expect(200);
    assert_eq!((text(&renamed["name"]), &renamed["settings"]), ("Matrículas", &account.channel["settings"]));
    account.fault("subscribers", json!({"kind": "error", "status": 401})).await;
    let test = api.post(&format!("{path}/test"), json!({})).await.expect(200);
    assert_eq!((&test["works"], text(&test["integration"]["status"])), (&json!(false), "broken"), "{test}");
    account.heal().await;
    let test = api.post(&format!("{path}/test"), json!({})).await.expect(200);
    assert_eq!((&test["works"], text(&test["integration"]["status"])), (&json!(true), "active"), "{test}");
    assert_eq!(account.tell(&json!({"phone": tests::sandbox::fresh_number(), "message": "Oi"})).await.0, 200);
    assert_eq!(api.call(Method::DELETE, &path, None).await.problem(409), "conversations_open");
    api.call(Method::DELETE, &format!("{path}?conversations=close"), None).await.expect(204);
    api.call(Method::DELETE, &format!("{path}?conversations=close"), None).await.expect(404);
    assert_eq!(account.tell(&json!({"phone": tests::sandbox::fresh_number(), "message": "Oi"})).await.0, 401);
    // The key is free for another channel.
    let again = api.post("/integrations/config", config(&account.key)).await.expect(200);
    assert_ne!(again["id"], account.channel["id"]);
}
