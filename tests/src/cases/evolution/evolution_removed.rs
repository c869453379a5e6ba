//! DELETE /whatsapp/instances/{id}

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Stack, company::text, sandbox::fresh_number};
use uuid::Uuid;

use super::{INSTANCES, Server, act, company, evolution_made::id, listed, open, remove};

/// A conversation that goes by an instance.
async fn conversation_on(stack: &Stack, company: &Company, instance: &Value) -> String {
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    let conversation = company.admin.conversation_id_of(&client).await;
    let row: Uuid = conversation.parse().expect("an id");
    let sql = "update conversations set channel_account_id = $2 where id = $1";
    stack.database().await.execute(sql, &[&row, &id(instance)]).await.expect("it goes by the instance");
    conversation
}

pub async fn an_instance_goes_and_what_was_said_stays(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let instance = open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    let conversation = conversation_on(&stack, &company, &instance).await;
    let path = format!("{INSTANCES}/{}", text(&instance["id"]));
    let refused = company.admin.api.call(Method::DELETE, &path, None).await.expect(422);
    assert_eq!(text(&refused["errors"][0]["field"]), "conversations");
    let mut socket = company.agents[0].socket().await;
    remove(&company, &instance, "conversations=keep").await.expect(204);
    assert_eq!(remove(&company, &instance, "conversations=keep").await.problem(404), "not_found");
    // First it is shut.
    for state in ["open", "close"] {
        let told = socket.of_type("channel.updated").await;
        assert_eq!((text(&told["data"]["status"]), text(&told["data"]["state"])), ("disabled", state));
    }
    assert_eq!((server.instances(&stack).await.len(), listed(&company).await.len()), (0, 0));
    for what in ["connect", "test", "restart", "logout"] {
        assert_eq!(act(&company, &instance, what).await.problem(404), "not_found", "{what}");
    }
    let channels = company.admin.api.get("/integrations/config").await.expect(200);
    assert!(!channels.to_string().contains(text(&instance["id"])), "{channels}");
    let kept = company.admin.conversation(&conversation).await;
    assert_eq!((text(&kept["status"]), text(&kept["channel_kind"])), ("pending", "evolution"));
    assert_eq!(company.admin.thread(&conversation).await.len(), 1);
    // Its name is free again.
    company.admin.api.post(INSTANCES, server.body("Vendas")).await.expect(201);
}

pub async fn its_conversations_are_closed_if_that_is_wanted(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let instance = open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    let mut conversations = Vec::new();
    for _ in 0..3 {
        conversations.push(conversation_on(&stack, &company, &instance).await);
    }
    let elsewhere = fresh_number();
    company.phone.receive_text(&elsewhere, "Oi").await;
    company.agents[0].api.post(&format!("/conversations/{}/takeover", conversations[0]), json!({})).await.expect(200);
    remove(&company, &instance, "conversations=close").await.expect(204);
    for conversation in &conversations {
        assert_eq!(text(&company.admin.conversation(conversation).await["status"]), "closed");
    }
    let other = company.admin.conversation_of(&elsewhere).await;
    assert_eq!(text(&other["status"]), "pending");
}

pub async fn a_dead_server_keeps_an_instance_unless_it_is_forced(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let instance = open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    for (fault, status, code) in [
        (json!({"kind": "error", "status": 500, "times": 1}), 503, "server_silent"),
        (json!({"kind": "error", "status": 401, "times": 1}), 409, "key_refused"),
    ] {
        server.fault(&stack, "evolution.instances", "instance/delete", fault).await;
        assert_eq!(remove(&company, &instance, "conversations=keep").await.problem(status), code);
        assert_eq!(listed(&company).await.len(), 1);
    }
    // Interrupted after the server had done it: asked again, it is not there, which is what was wanted.
    server.fault(&stack, "evolution.instances", "instance/delete", json!({"kind": "accept_then_timeout", "times": 1})).await;
    assert_eq!(remove(&company, &instance, "conversations=keep").await.problem(503), "server_silent");
    assert_eq!((server.instances(&stack).await.len(), listed(&company).await.len()), (0, 1));
    remove(&company, &instance, "conversations=keep").await.expect(204);
    let second = open(&stack, &company, &server, ("Suporte", &fresh_number())).await;
    server.fault(&stack, "evolution.instances", "instance/delete", json!({"kind": "refuse"})).await;
    remove(&company, &second, "conversations=keep&force=true").await.expect(204);
    assert_eq!((server.instances(&stack).await.len(), listed(&company).await.len()), (1, 0));
}
