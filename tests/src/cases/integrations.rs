//! GET and POST /integrations/config

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Answer, Company, Stack, Wanted, company::text, eventually};
use uuid::Uuid;

use super::{canary, contract::sample};
use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    use self as integrations;
    cases! {
        integrations::{
            secrets_are_kept_where_only_the_sender_finds_them,
            a_channel_can_be_saved_again_without_its_token,
            a_save_of_an_old_version_is_refused_with_the_current_one,
            a_number_is_connected_only_with_a_token_of_its_own,
            a_number_belongs_to_one_company,
            what_a_channel_refers_to_must_be_there,
            kinds_not_known_yet_are_refused,
            the_first_save_needs_a_token,
            settings_are_taken_by_their_second_names,
        };
    }
}

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { departments: vec![("Vendas", vec![1])], ..Wanted::default() }).await
}

fn fresh_digits() -> String {
    format!("33{:012}", Uuid::new_v4().as_u128() % 1_000_000_000_000)
}

fn channel(number: &str, token: &str) -> Value {
    json!({
        "kind": "whatsapp_cloud",
        "name": "Vendas",
        "phone_number_id": number,
        "waba_id": "104200000000001",
        "access_token": token,
        "display_phone_number": "+55 (11) 4000-0000",
    })
}

async fn save(company: &Company, body: Value) -> Answer {
    company.admin.api.post("/integrations/config", body).await
}

pub async fn secrets_are_kept_where_only_the_sender_finds_them(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let secret = format!("EAAG-canary-{}", Uuid::new_v4().simple());
    let saved = save(&company, channel(&company.phone.number_id, &secret)).await.expect(200);
    let end = format!("••••{}", &secret[secret.len() - 4..]);
    assert_eq!(
        (text(&saved["settings"]["access_token"]), saved["settings"]["display_phone_number"].as_str()),
        (end.as_str(), Some("+551140000000"))
    );
    // It is used once, so that whatever speaks of the call could speak of it too.
    let conversation = sample::conversation(&stack, &company).await;
    company.admin.api.post(&format!("/conversations/{conversation}/takeover"), json!({"greeting": "Olá"})).await.expect(200);
    company.phone.sent_at_least(1).await;
    company.phone.fault(json!({"target": "whatsapp.messages", "kind": "error", "status": 401, "code": 190})).await;
    let message = json!({"conversation_id": conversation, "client_message_id": "refused", "kind": "text", "body": "Oi"});
    let refused = company.admin.api.post("/messages", message).await.expect(201);
    let status = "select status from messages where id = $1 and status = 'failed'";
    let id: Uuid = text(&refused["id"]).parse().expect("an id");
    let database = stack.database().await;
    eventually("the refused message", || async { database.query_opt(status, &[&id]).await.expect("the database answers") }).await;
    let listed = company.admin.api.get("/integrations/config").await.expect(200);
    let feed = company.admin.api.get("/events").await.expect(200);
    for shown in [saved, listed, feed] {
        assert!(!shown.to_string().contains(&secret));
    }
    let seeded = format!("EAAG-local-{}", company.id.simple());
    canary::assert_nowhere(&stack, &[&secret, &seeded], &[]).await;
    let kept = "select count(*) from channel_credentials where channel_account_id = $1 and length(sealed::text) > 40";
    let row = stack.database().await.query_one(kept, &[&company.channel_account_id]).await.expect("the database answers");
    assert_eq!(row.get::<_, i64>(0), 1);
}

pub async fn a_channel_can_be_saved_again_without_its_token(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let number = fresh_digits();
    let first = save(&company, channel(&number, "EAAG-abcdefgh-1234")).await.expect(200);
    let mut again = channel(&number, "");
    again.as_object_mut().expect("an object").remove("access_token");
    again["name"] = json!("Suporte");
    let second = save(&company, again).await.expect(200);
    assert_eq!((&second["id"], text(&second["name"])), (&first["id"], "Suporte"));
    assert_eq!((&second["version"], text(&second["settings"]["access_token"])), (&json!(2), "••••1234"));
    let audited = "select before, after from audit_log where company_id = $1 and action = 'save_integration' and target = $2 order by id desc limit 1";
    let row = stack.database().await.query_one(audited, &[&company.id, &text(&first["id"])]).await.expect("an audit row");
    assert_eq!(
        (row.get::<_, Value>(0)["name"].clone(), row.get::<_, Value>(1)["name"].clone()),
        (json!("Vendas"), json!("Suporte"))
    );
}

pub async fn a_save_of_an_old_version_is_refused_with_the_current_one(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut socket = company.agents[0].socket().await;
    let number = fresh_digits();
    let save_as = async |version: &str, name: &str| {
        let mut body = channel(&number, "EAAG-abcdefgh-1234");
        body["name"] = json!(name);
        company.admin.api.with_header("if-match", version).post("/integrations/config", body).await
    };
    assert_eq!(save_as("1", "Nenhum").await.problem(409), "stale_version");
    save(&company, channel(&number, "EAAG-abcdefgh-1234")).await.expect(200);
    assert_eq!(save_as("1", "Suporte").await.expect(200)["version"], 2);
    let refused = save_as("\"1\"", "Outro").await.expect(409);
    assert_eq!((text(&refused["code"]), text(&refused["current"]["name"])), ("stale_version", "Suporte"));
    assert_eq!(save_as("dois", "Outro").await.problem(422), "invalid");
    let told = |frame: &Value| frame["type"] == "channel.updated" && frame["data"]["version"] == 2;
    let told = socket.frame("the channel saved again", told).await;
    assert_eq!((text(&told["data"]["name"]), text(&told["data"]["status"])), ("Suporte", "active"));
    assert!(!told.to_string().contains("EAAG"), "{told}");
}

pub async fn a_number_is_connected_only_with_a_token_of_its_own(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let number = fresh_digits();
    let own = json!({"phone_number_id": number, "access_token": "EAAG-the-owners-1234"});
    stack.control("POST", "/sandbox/whatsapp/settings", Some(own)).await;
    for token in ["EAAG-made-up-12345", "expired-abcdefgh"] {
        let refused = save(&company, channel(&number, token)).await.expect(422);
        assert_eq!((text(&refused["errors"][0]["field"]), text(&refused["errors"][0]["code"])), ("access_token", "not_accepted"));
    }
    let listed = company.admin.api.get("/integrations/config").await.expect(200);
    assert!(!listed.to_string().contains(&number), "{listed}");
    save(&company, channel(&number, "EAAG-the-owners-1234")).await.expect(200);
}

pub async fn a_number_belongs_to_one_company(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let refused = save(&other, channel(&company.phone.number_id, "EAAG-abcdefgh-1234")).await;
    assert_eq!(refused.problem(409), "number_in_use");
    let mut without_token = channel(&company.phone.number_id, "");
    without_token.as_object_mut().expect("an object").remove("access_token");
    assert_eq!(save(&other, without_token).await.status, 422);
    let listed = other.admin.api.get("/integrations/config").await.expect(200);
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
}

pub async fn what_a_channel_refers_to_must_be_there(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    for department in [other.departments[0].1, Uuid::nil()] {
        let mut body = channel(&fresh_digits(), "EAAG-abcdefgh-1234");
        body["department_id"] = json!(department);
        body["bot_flow_key"] = json!("nao-publicado");
        let refused = save(&company, body).await.expect(422);
        let fields: Vec<&str> = refused["errors"].as_array().into_iter().flatten().map(|error| text(&error["field"])).collect();
        assert_eq!(fields, ["department_id", "bot_flow_key"]);
    }
    let mut body = channel(&fresh_digits(), "EAAG-abcdefgh-1234");
    body["department_id"] = json!(company.departments[0].1);
    assert_eq!(save(&company, body).await.expect(200)["department_id"], company.departments[0].1.to_string());
}

pub async fn kinds_not_known_yet_are_refused(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let refused = save(&company, json!({"kind": "telegram", "name": "x"})).await.expect(422);
    assert_eq!((&refused["errors"][0]["field"], &refused["errors"][0]["code"]), (&json!("kind"), &json!("unknown_value")));
    assert_eq!(save(&company, json!({"name": "x"})).await.expect(422)["errors"][0]["code"], "required");
    let mut digits = channel("12a", "EAAG-abcdefgh-1234");
    digits["access_token"] = json!("short");
    let refused = save(&company, digits).await.expect(422);
    assert_eq!(refused["errors"].as_array().map(Vec::len), Some(2), "{refused}");
}

pub async fn the_first_save_needs_a_token(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut body = channel(&fresh_digits(), "");
    body.as_object_mut().expect("an object").remove("access_token");
    let refused = save(&company, body).await.expect(422);
    assert_eq!((&refused["errors"][0]["field"], &refused["errors"][0]["code"]), (&json!("access_token"), &json!("required")));
}

pub async fn settings_are_taken_by_their_second_names(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let listed = async || company.admin.api.get("/integrations/config").await.expect(200)["data"].clone();
    let before = listed().await[0].clone();
    // The only account of its platform is the one that is meant.
    let renewed =
        save(&company, json!({"platform": "CloudAPI", "apiKey": "EAAG-by-another-name", "status": "ACTIVE"})).await.expect(200);
    assert_eq!((&renewed["id"], &renewed["name"]), (&before["id"], &before["name"]));
    assert_eq!(renewed["settings"]["access_token"], "••••name");
    assert_eq!(renewed["settings"]["phone_number_id"], before["settings"]["phone_number_id"]);
    let off =
        json!({"platform": "CloudAPI", "name": "Central", "status": "INACTIVE", "extraConfig": {"waba_id": "104200000000009"}});
    let off = save(&company, off).await.expect(200);
    assert_eq!(
        (text(&off["name"]), text(&off["status"]), text(&off["settings"]["waba_id"])),
        ("Central", "disabled", "104200000000009")
    );
    let path = format!("/integrations/config/{}", text(&before["id"]));
    let on = json!({"platform": "CloudAPI", "status": "ACTIVE", "apiKey": "EAAG-once-more", "extraConfig": {"waba_id": "104200000000001"}});
    let on = company.admin.api.call(reqwest::Method::PUT, &path, Some(on)).await.expect(200);
    assert_eq!((text(&on["status"]), text(&on["settings"]["access_token"])), ("active", "••••more"));
    // Nothing of the platform is a new one, which has to say what it is.
    for (body, field) in [
        (json!({"platform": "EvolutionAPI", "apiKey": "a-key-of-a-server"}), "name"),
        (json!({"platform": "Telegram", "apiKey": "a-key-of-a-server"}), "kind"),
        (json!({"platform": "CloudAPI", "apiKey": 7}), "access_token"),
        (json!({"platform": "CloudAPI", "extraConfig": 7}), "extraConfig"),
        (json!({"platform": "CloudAPI", "status": "PAUSED"}), "status"),
    ] {
        let refused = save(&company, body.clone()).await.expect(422);
        let fields: Vec<&str> = refused["errors"].as_array().expect("errors").iter().map(|error| text(&error["field"])).collect();
        assert!(fields.contains(&field), "{body}: {fields:?}");
    }
    // Of two, one has to be named.
    let second = channel(&fresh_digits(), "EAAG-of-the-second");
    save(&company, second).await.expect(200);
    let refused = save(&company, json!({"platform": "CloudAPI", "name": "Central", "apiKey": "EAAG-of-which"})).await.expect(422);
    assert_eq!(text(&refused["errors"][0]["field"]), "phone_number_id");
    assert_eq!(listed().await.as_array().map(Vec::len), Some(2));
}
