//! When a client's message opens a conversation, reopens one or joins the open one; and messages of the business's own phone.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, sandbox::fresh_number, soon};

async fn company(stack: &Stack, bot: bool) -> Company {
    stack.company(Wanted { agents: 1, students: 0, bot, ..Wanted::default() }).await
}

/// Moves the end of a conversation back in time.
async fn end_earlier(stack: &Stack, id: &str, hours: i32) {
    let id: uuid::Uuid = id.parse().expect("an id");
    let sql = "update conversations set ended_at = ended_at - make_interval(hours => $2) where id = $1";
    stack.database().await.execute(sql, &[&id, &hours]).await.expect("the end moves");
}

pub async fn client_who_writes_soon_after_the_end_reopens(stack: Arc<Stack>) {
    let company = company(&stack, false).await;
    let (client, id) = company.served().await;
    let mut socket = company.agents[0].socket().await;
    company.agents[0].close(&id).await;
    end_earlier(&stack, &id, 23).await;
    company.phone.receive_text(&client, "Mais uma coisa").await;
    let reopened = socket.of_type("conversation.reopened").await;
    let conversation = &reopened["data"]["conversation"];
    assert_eq!((text(&conversation["id"]), text(&conversation["status"])), (id.as_str(), "active"));
    assert_eq!((&conversation["ended_at"], &conversation["close_reason"]), (&Value::Null, &Value::Null));
    assert_eq!(conversation["assignee_id"], company.agents[0].id.to_string());
}

pub async fn client_who_writes_long_after_the_end_opens_a_new_one(stack: Arc<Stack>) {
    let company = company(&stack, false).await;
    let (client, id) = company.served().await;
    company.agents[0].close(&id).await;
    end_earlier(&stack, &id, 25).await;
    company.phone.receive_text(&client, "Voltei").await;
    let list = company.admin.api.get(&format!("/conversations?search={client}")).await.expect(200);
    let rows = list["data"].as_array().expect("rows");
    assert_eq!((rows.len(), text(&rows[0]["status"]), text(&rows[1]["status"])), (2, "pending", "closed"));
    assert_eq!((&rows[0]["assignee_id"], &rows[0]["unread"]), (&Value::Null, &json!(1)));
    let detail = company.admin.conversation(text(&rows[0]["id"])).await;
    assert_eq!(detail["client"]["conversation_count"], 2);
}

pub async fn twenty_webhooks_of_a_new_client_open_one_conversation(stack: Arc<Stack>) {
    let company = company(&stack, false).await;
    let client = fresh_number();
    let phone = &company.phone;
    let sent = join_all((0..20).map(|index| phone.receive(&client, json!({"text": format!("mensagem {index}")})))).await;
    assert!(sent.iter().all(|received| received["attempts"][0]["status"] == 200), "{sent:?}");
    let list = company.admin.api.get("/conversations").await.expect(200);
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!(list["data"][0]["unread"], 20);
    let thread = company.admin.thread(text(&list["data"][0]["id"])).await;
    let mut numbers: Vec<i64> = thread.iter().filter_map(|message| message["inbound_number"].as_i64()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
}

pub async fn message_typed_on_the_phone_pauses_the_bot_and_counts_as_a_human_reply(stack: Arc<Stack>) {
    let company = company(&stack, true).await;
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    company.phone.sent_at_least(1).await;
    let before = company.admin.conversation_of(&client).await;
    assert_eq!((text(&before["mode"]), &before["first_human_at"]), ("bot", &Value::Null));
    let order = json!({"phone_number_id": company.phone.number_id, "from": client, "text": "Aqui é a Bia"});
    company.phone.post("/whatsapp/echo", order.clone()).await;
    let after = company.admin.conversation_of(&client).await;
    assert_eq!((text(&after["mode"]), text(&after["status"]), &after["unread"]), ("human", "pending", &json!(0)));
    assert!(after["first_human_at"].is_string() && after["version"].as_i64() > before["version"].as_i64(), "{after}");
    assert_eq!((text(&after["last_message_from"]), text(&after["last_message_preview"])), ("agent", "Aqui é a Bia"));
    let thread = company.admin.thread(text(&after["id"])).await;
    let echo = thread.iter().find(|message| message["body"] == "Aqui é a Bia").expect("the echo");
    assert_eq!((text(&echo["sender_type"]), text(&echo["status"]), &echo["sender_id"]), ("agent", "sent", &Value::Null));
    company.phone.receive_text(&client, "E agora?").await;
    soon().await;
    assert_eq!(company.phone.sent().await.len(), 1, "the bot spoke over a human");
}

pub async fn message_typed_on_the_phone_may_begin_a_conversation(stack: Arc<Stack>) {
    let company = company(&stack, true).await;
    let client = fresh_number();
    let order =
        json!({"phone_number_id": company.phone.number_id, "from": client, "text": "Olá, aqui é da escola", "id": "wamid.ECHO1"});
    company.phone.post("/whatsapp/echo", order.clone()).await;
    company.phone.post("/whatsapp/echo", order).await;
    let conversation = company.admin.conversation_of(&client).await;
    assert_eq!((text(&conversation["mode"]), &conversation["unread"]), ("human", &json!(0)));
    assert_eq!(conversation["window_expires_at"], Value::Null);
    assert_eq!(company.admin.thread(text(&conversation["id"])).await.len(), 1);
}
