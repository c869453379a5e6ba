//! Functions killed between the server's work and our record of it.

use std::sync::Arc;

use serde_json::json;
use tests::{Stack, company::text, eventually};

use super::{INSTANCES, Server, act, company, listed};

pub async fn an_instance_whose_function_was_killed_is_ours_after_all(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    server.fault(&stack, "evolution.instances", "instance/create", json!({"kind": "accept_then_timeout", "times": 1})).await;
    let api = company.admin.api.with_header("idempotency-key", "uma-vez");
    let creating = tokio::spawn({
        let (api, body) = (api.clone(), server.body("Vendas"));
        async move { api.post(INSTANCES, body).await }
    });
    eventually("an instance at the server", || async { (server.instances(&stack).await.len() == 1).then_some(()) }).await;
    stack.control("POST", "/functions/CreateInstance/kill", None).await;
    assert!(creating.await.expect("an answer").status >= 500);
    // The server tells of it by itself.
    let left = &eventually("an instance that is known", || async {
        let left = listed(&company).await.remove(0);
        (text(&left["state"]) == "connecting" && left["problem"].is_null()).then_some(left)
    })
    .await;
    // The same request is answered by what it had made.
    let again = api.post(INSTANCES, server.body("Vendas")).await.expect(201);
    assert_eq!((&again["id"], server.calls(&stack, "instance/create").await.len()), (&left["id"], 1));
    let connected = act(&company, left, "connect").await.expect(200);
    assert_eq!((text(&connected["state"]), &connected["problem"]), ("connecting", &json!(null)));
    assert!(text(&connected["qr_code"]).starts_with("data:image/png"), "{connected}");
    assert_eq!((server.instances(&stack).await.len(), listed(&company).await.len()), (1, 1));
}
