//! The main job: a client writes, an agent answers.

use std::sync::Arc;

use serde_json::json;
use tests::{Stack, Wanted, company::text, eventually, sandbox::fresh_number};

pub async fn a_message_reaches_an_agent_and_is_answered(stack: Arc<Stack>) {
    let company = stack.company(Wanted { bot: true, takeover_text: None, ..Wanted::default() }).await;
    let (first, second) = (&company.agents[0], &company.agents[1]);
    let client = fresh_number();
    let mut socket = first.socket().await;

    company.phone.receive_text(&client, "Oi").await;
    let menu = company.phone.sent_at_least(1).await;
    assert_eq!(menu[0]["body"]["type"], "interactive", "{menu:?}");
    company.phone.receive(&client, json!({"button_reply": {"id": "human", "title": "Falar com atendente"}})).await;
    let waiting = socket.frame("the conversation waiting", |frame| frame["data"]["conversation"]["status"] == "pending").await;
    let id = text(&waiting["data"]["conversation"]["id"]).to_owned();

    first.api.post(&format!("/conversations/{id}/takeover"), json!({})).await.expect(200);
    let lost = second.api.post(&format!("/conversations/{id}/takeover"), json!({})).await.expect(409);
    assert_eq!(lost["code"], "already_taken");
    assert_eq!(lost["current"]["assignee_id"], first.id.to_string());

    let greeting = "Olá! Meu nome é Bruna Lima e vou continuar seu atendimento.";
    first.message_when(&id, "the greeting read", |message| message["body"] == greeting && message["status"] == "read").await;

    socket.follow(&id).await;
    let message = json!({"conversation_id": id, "client_message_id": format!("{id}-1"), "kind": "text", "body": "Bom dia!"});
    let sent = first.api.post("/messages", message).await.expect(201);
    let read = |frame: &serde_json::Value| frame["type"] == "message.status" && frame["data"]["status"] == "read";
    let status = socket.frame("the message read", |frame| read(frame) && frame["data"]["message_id"] == sent["id"]).await;
    assert_eq!(status["data"]["client_message_id"], format!("{id}-1"));

    first.api.post(&format!("/conversations/{id}/close"), json!({"reason": "resolvido"})).await.expect(200);
    let closed = eventually("the conversation closed", || async {
        let list = second.api.get("/conversations?category=closed").await.expect(200);
        list["data"].as_array().and_then(|rows| rows.iter().find(|row| row["id"] == id.as_str()).cloned())
    })
    .await;
    assert_eq!(closed["close_reason"], "resolvido");
}
