//! POST /whatsapp/instances

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, company::text};
use uuid::Uuid;

use super::{INSTANCES, Server, act, company, create, listed};

pub async fn an_instance_is_made_with_its_webhooks(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let made = create(&company, &server, "Vendas São Paulo").await;
    assert_eq!((text(&made["state"]), &made["problem"], text(&made["server_version"])), ("connecting", &Value::Null, "2.3.7"));
    assert!(text(&made["qr_code"]).starts_with("data:image/png;base64,"), "{made}");
    assert!(text(&made["instance_name"]).starts_with("vendas-sao-paulo-"), "{made}");
    assert_eq!((text(&made["base_url"]), &made["has_webhook"]), (server.base_url.as_str(), &json!(true)));
    let there = server.instances(&stack).await;
    let webhook = &there[0]["webhook"];
    let (path, token) = text(&webhook["url"]).rsplit_once('/').expect("a token");
    assert_eq!(path, format!("{}/webhooks/evolution", stack.addresses.api));
    assert!(token.len() >= 43 && text(&webhook["headers"]["authorization"]).len() >= 50, "{webhook}");
    assert_eq!((&webhook["webhookBase64"], &webhook["webhookByEvents"]), (&json!(false), &json!(false)));
    assert!(webhook["events"].as_array().is_some_and(|events| events.len() == 14), "{webhook}");
    // What is told, and by whom it is found.
    let database = stack.database().await;
    let row = database
        .query_one("select external_key, state from channel_accounts where id = $1", &[&id(&made)])
        .await
        .expect("the database answers");
    let secret = text(&webhook["headers"]["authorization"]).strip_prefix("Bearer ").unwrap_or_default();
    assert!(secret.starts_with(&format!("{token}.")));
    let hash = ring::digest::digest(&ring::digest::SHA256, secret.as_bytes());
    assert_eq!((row.get::<_, String>(0), row.get::<_, &str>(1)), (URL_SAFE_NO_PAD.encode(hash), "connecting"));
    let again = &listed(&company).await[0];
    assert_eq!((&again["id"], &again["qr_code"], &again["version"]), (&made["id"], &made["qr_code"], &made["version"]));
    let channels = company.admin.api.get("/integrations/config").await.expect(200);
    let channel = channels["data"].as_array().into_iter().flatten().find(|channel| channel["id"] == made["id"]);
    assert_eq!(channel.expect("it is a channel")["kind"], "evolution");
}

pub(super) fn id(instance: &Value) -> Uuid {
    text(&instance["id"]).parse().expect("an id")
}

pub async fn a_request_sent_again_makes_one_instance(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let api = company.admin.api.with_header("idempotency-key", "uma-vez");
    let first = api.post(INSTANCES, server.body("Vendas")).await.expect(201);
    let second = api.post(INSTANCES, server.body("Vendas")).await.expect(201);
    assert_eq!(first["id"], second["id"]);
    assert_eq!(company.admin.api.post(INSTANCES, server.body("vendas")).await.problem(409), "name_taken");
    assert_eq!((server.instances(&stack).await.len(), listed(&company).await.len()), (1, 1));
}

pub async fn the_server_is_remembered(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let refused = company.admin.api.post(INSTANCES, json!({"name": "Vendas"})).await.expect(422);
    assert_eq!((text(&refused["errors"][0]["field"]), text(&refused["errors"][0]["code"])), ("server", "required"));
    create(&company, &server, "Vendas").await;
    let second = company.admin.api.post(INSTANCES, json!({"name": "Suporte"})).await.expect(201);
    assert_eq!((text(&second["base_url"]), text(&second["state"])), (server.base_url.as_str(), "connecting"));
    assert_eq!(server.instances(&stack).await.len(), 2);
}

pub async fn what_the_server_refuses_makes_nothing(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let mut wrong = server.body("Vendas");
    wrong["server"]["api_key"] = json!("not-the-global-key");
    let refused = company.admin.api.post(INSTANCES, wrong).await.expect(422);
    assert_eq!((text(&refused["errors"][0]["field"]), text(&refused["errors"][0]["code"])), ("server.api_key", "not_accepted"));
    // A page of somebody else's, an answer of somebody else's, and silence.
    let page = json!({"kind": "error", "status": 200, "body": "<html>Bem-vindo</html>", "times": 1});
    server.fault(&stack, "evolution.instances", "", page).await;
    assert_eq!(company.admin.api.post(INSTANCES, server.body("Vendas")).await.problem(503), "server_silent");
    let mut elsewhere = server.body("Vendas");
    elsewhere["server"]["base_url"] = json!(format!("{}/llm/v1", stack.addresses.sandbox));
    let refused = company.admin.api.post(INSTANCES, elsewhere).await.expect(422);
    assert_eq!(text(&refused["errors"][0]["field"]), "server.base_url");
    for status in [500, 429] {
        server.fault(&stack, "evolution.instances", "", json!({"kind": "error", "status": status, "times": 1})).await;
        assert_eq!(company.admin.api.post(INSTANCES, server.body("Vendas")).await.problem(503), "server_silent", "{status}");
    }
    server.fault(&stack, "evolution.instances", "", json!({"kind": "refuse", "times": 1})).await;
    assert_eq!(company.admin.api.post(INSTANCES, server.body("Vendas")).await.problem(503), "server_silent");
    assert_eq!((listed(&company).await.len(), server.instances(&stack).await.len()), (0, 0));
}

pub async fn an_instance_whose_answer_was_lost_is_ours_after_all(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    server.fault(&stack, "evolution.instances", "instance/create", json!({"kind": "accept_then_timeout", "times": 1})).await;
    let made = create(&company, &server, "Vendas").await;
    assert_eq!((text(&made["state"]), text(&made["problem"])), ("close", "unreachable"));
    assert_eq!(server.instances(&stack).await.len(), 1);
    let connected = act(&company, &made, "connect").await.expect(200);
    assert_eq!((text(&connected["state"]), &connected["problem"]), ("connecting", &Value::Null));
    assert!(text(&connected["qr_code"]).starts_with("data:image/png"), "{connected}");
    // Made again, if its webhooks had not told of it by then.
    assert!(server.calls(&stack, "instance/create").await.len() <= 2);
    assert_eq!(server.instances(&stack).await.len(), 1);
    assert_eq!(connected["has_webhook"], true);
}

pub async fn a_name_that_somebody_took_meanwhile_is_refused(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    server.fault(&stack, "evolution.instances", "instance/create", json!({"kind": "error", "status": 500, "times": 1})).await;
    let made = create(&company, &server, "Vendas").await;
    let theirs = json!({"instanceName": made["instance_name"], "integration": "WHATSAPP-BAILEYS"});
    let (status, _) = server.call(&stack, Method::POST, "/instance/create", &server.global_key, theirs).await;
    assert_eq!(status, 201);
    assert_eq!(act(&company, &made, "connect").await.problem(409), "instance_name_taken");
    assert_eq!(text(&listed(&company).await[0]["problem"]), "name_taken");
    assert_eq!(server.instances(&stack).await[0]["webhook"], Value::Null, "nothing of theirs was changed");
}
