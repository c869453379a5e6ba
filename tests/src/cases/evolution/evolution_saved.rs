//! POST /integrations/config with an instance that a server has already

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, company::text, eventually, sandbox::fresh_number};

use super::{Server, act, company, listed, open};

async fn instance_there(stack: &Stack, server: &Server, name: &str) -> String {
    let body = json!({"instanceName": name, "integration": "WHATSAPP-BAILEYS"});
    let (status, made) = server.call(stack, Method::POST, "/instance/create", &server.global_key, body).await;
    assert_eq!(status, 201, "{made}");
    text(&made["hash"]).to_owned()
}

fn config(server: &Server, instance: &str, api_key: &str) -> Value {
    json!({"kind": "evolution", "name": instance, "base_url": format!("{}/", server.base_url), "instance": instance, "api_key": api_key})
}

pub async fn an_instance_that_is_there_is_connected_with_either_key(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    for (name, is_global) in [("loja.um", true), ("loja_dois", false)] {
        let token = instance_there(&stack, &server, name).await;
        let key = if is_global { &server.global_key } else { &token };
        let saved = company.admin.api.post("/integrations/config", config(&server, name, key)).await.expect(200);
        assert_eq!((text(&saved["kind"]), text(&saved["state"])), ("evolution", "close"));
        assert_eq!(text(&saved["settings"]["api_key"]), format!("••••{}", &token[token.len() - 4..]), "the instance's own");
        let shown = listed(&company).await;
        let shown = shown.iter().find(|shown| shown["id"] == saved["id"]).expect("it is an instance");
        assert_eq!((&shown["has_webhook"], &shown["problem"]), (&json!(true), &Value::Null));
        let connected = act(&company, &saved, "connect").await.expect(200);
        assert!(text(&connected["qr_code"]).starts_with("data:image/"), "{connected}");
    }
    let webhooks: Vec<Value> = server.instances(&stack).await.into_iter().map(|there| there["webhook"]["url"].clone()).collect();
    assert!(webhooks.iter().all(|url| text(url).contains("/webhooks/evolution/")) && webhooks[0] != webhooks[1], "{webhooks:?}");
    let refused =
        company.admin.api.post("/integrations/config", config(&server, "nenhuma", &server.global_key)).await.expect(422);
    assert_eq!((text(&refused["errors"][0]["field"]), text(&refused["errors"][0]["code"])), ("instance", "not_found"));
    let refused = company.admin.api.post("/integrations/config", config(&server, "loja.um", "not-a-key-of-it")).await.expect(422);
    assert_eq!((text(&refused["errors"][0]["field"]), text(&refused["errors"][0]["code"])), ("api_key", "not_accepted"));
    server
        .fault(&stack, "evolution.instances", "fetchInstances", json!({"kind": "error", "status": 502, "body": "<html>"}))
        .await;
    let silent = company.admin.api.post("/integrations/config", config(&server, "loja.um", &server.global_key)).await;
    assert_eq!(silent.problem(503), "unavailable");
}

pub async fn an_instance_belongs_to_one_channel(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let server = Server::start(&stack).await;
    let token = instance_there(&stack, &server, "loja").await;
    company.admin.api.post("/integrations/config", config(&server, "loja", &token)).await.expect(200);
    let refused = other.admin.api.post("/integrations/config", config(&server, "loja", &token)).await;
    assert_eq!(refused.problem(409), "instance_in_use");
    instance_there(&stack, &server, "loja2").await;
    let mut named = config(&server, "loja2", &server.global_key);
    named["name"] = json!("LOJA");
    assert_eq!(company.admin.api.post("/integrations/config", named).await.problem(409), "name_taken");
    let mut without = config(&server, "loja2", "");
    without.as_object_mut().expect("an object").remove("api_key");
    let refused = company.admin.api.post("/integrations/config", without).await.expect(422);
    assert_eq!((text(&refused["errors"][0]["field"]), text(&refused["errors"][0]["code"])), ("api_key", "required"));
}

pub async fn an_instance_that_is_saved_again_keeps_its_webhooks(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let made = open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    let before = server.instances(&stack).await[0]["webhook"]["url"].clone();
    let name = text(&made["instance_name"]).to_owned();
    let mut again = config(&server, &name, "");
    again.as_object_mut().expect("an object").remove("api_key");
    again["name"] = json!("Vendas 2");
    let renamed = company.admin.api.post("/integrations/config", again).await.expect(200);
    assert_eq!((&renamed["id"], text(&renamed["name"]), text(&renamed["state"])), (&made["id"], "Vendas 2", "open"));
    assert_eq!(renamed["settings"]["api_key"], made["api_key"]);
    // A server whose key has changed: its channel is broken, and going again with the new one.
    server.fault(&stack, "evolution.instances", "connectionState", json!({"kind": "error", "status": 401, "times": 1})).await;
    let test = act(&company, &made, "test").await.expect(200);
    assert_eq!(text(&test["instance"]["status"]), "broken");
    let renewed = company.admin.api.post("/integrations/config", config(&server, &name, &server.global_key)).await.expect(200);
    assert_eq!(text(&renewed["status"]), "active");
    let shown = eventually("the webhooks registered again", || async {
        listed(&company).await.into_iter().find(|shown| shown["has_webhook"] == true)
    })
    .await;
    assert_eq!(shown["id"], made["id"]);
    assert_eq!(server.instances(&stack).await[0]["webhook"]["url"], before, "what is on its way still arrives");
}
