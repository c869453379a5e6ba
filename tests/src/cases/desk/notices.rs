//! What WhatsApp tells about a client is no word of theirs: it is shown in the thread and moves nothing.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, sandbox::fresh_number, soon};

async fn company(stack: &Stack, bot: bool) -> Company {
    stack.company(Wanted { agents: 1, students: 0, bot, ..Wanted::default() }).await
}

fn changed_identity() -> Value {
    json!({"message": {"type": "system", "system": {"type": "customer_identity_changed", "body": "O código mudou"},
                       "identity": {"acknowledged": false, "created_timestamp": "1764600000", "hash": "x"}}})
}

fn changed_number(new: &str) -> Value {
    json!({"message": {"type": "system", "system": {"type": "user_changed_number", "body": "User changed number", "wa_id": new}}})
}

pub async fn notice_is_shown_and_is_no_word_of_the_client(stack: Arc<Stack>) {
    let company = company(&stack, true).await;
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    company.phone.sent_at_least(1).await;
    let before = company.admin.conversation_of(&client).await;
    let mut socket = company.agents[0].socket().await;
    socket.follow(text(&before["id"])).await;
    let received = company.phone.receive(&client, changed_identity()).await;
    company.phone.receive(&client, json!({"message": changed_identity()["message"], "id": received["id"]})).await;
    let told = socket.of_type("message.created").await["data"]["message"].clone();
    assert_eq!((text(&told["sender_type"]), text(&told["kind"])), ("system", "system"));
    assert_eq!((text(&told["body"]), &told["inbound_number"]), ("O código mudou", &Value::Null));
    assert_eq!(told["payload"]["system"]["type"], "customer_identity_changed");
    soon().await;
    assert_eq!(company.admin.conversation_of(&client).await, before);
    let thread = company.admin.thread(text(&before["id"])).await;
    assert_eq!(thread.iter().filter(|message| message["kind"] == "system").count(), 1);
    assert_eq!(company.phone.sent().await.len(), 1, "the bot answered a notice");
}

pub async fn notice_opens_and_reopens_nothing_and_is_still_heeded(stack: Arc<Stack>) {
    let company = company(&stack, false).await;
    let (client, new) = (fresh_number(), fresh_number());
    company.phone.receive(&client, changed_identity()).await;
    assert_eq!(company.admin.api.get("/conversations").await.expect(200)["data"], json!([]));
    company.phone.receive_text(&client, "Oi").await;
    let id = company.admin.conversation_id_of(&client).await;
    company.agents[0].take_over(&id).await;
    company.agents[0].close(&id).await;
    let before = company.admin.thread(&id).await;
    company.phone.receive(&client, changed_number(&new)).await;
    assert_eq!(company.admin.conversation(&id).await["status"], "closed");
    assert_eq!(company.admin.thread(&id).await, before);
    company.phone.receive_text(&new, "Sou eu").await;
    assert_eq!(company.admin.conversation_id_of(&new).await, id);
}
