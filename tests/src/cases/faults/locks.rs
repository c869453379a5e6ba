//! Requests that wait for each other's rows.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, eventually, sandbox::fresh_number};

use super::{Desk, conversations, until_blocked};

/// Two webhooks bring messages of the same two clients in opposite order, and somebody holds both conversations: one webhook waits for
/// them in the order of everybody, the other for that one.
pub async fn webhooks_that_name_the_same_clients_wait_for_each_other(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let clients = [fresh_number(), fresh_number()];
    let held = hold_conversations(&stack, &company, &clients).await;
    let (written, retries) = (stack.database_log().len(), stack.lock_retries().await);
    let posting: Vec<_> = [[0, 1], [1, 0]]
        .map(|order| post(&company, &webhook_of(&company, &order.map(|index| clients[index].as_str()))))
        .into_iter()
        .collect();
    until_blocked(&stack, 2).await;
    for (_, holder) in held {
        holder.batch_execute("commit").await.expect("it is let go");
        tests::soon().await;
    }
    for posting in posting {
        is_taken(&posting.await.expect("an answer"));
    }
    assert!(!stack.database_log()[written..].contains("deadlock detected"));
    assert_eq!(stack.lock_retries().await, retries);
    for conversation in conversations(&company).await {
        let path = format!("/messages?conversation_id={conversation}");
        let list = company.agents[0].api.get(&path).await.expect(200);
        assert_eq!(list["data"].as_array().map(Vec::len), Some(3), "{list}");
    }
}

/// A supervisor gives an agent two conversations, one of which is the agent's already, while the agent leaves: the agent is locked before
/// what they hold.
pub async fn whoever_leaves_waits_for_what_they_are_given(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 2, ..Wanted::default() }).await;
    let clients = [fresh_number(), fresh_number()];
    let held = hold_conversations(&stack, &company, &clients).await;
    let ids: Vec<String> = held.iter().map(|(id, _)| id.to_string()).collect();
    let agent = &company.agents[0];
    let database = stack.database().await;
    for (id, holder) in &held {
        holder.batch_execute("commit").await.expect("it is let go");
        if *id == held[0].0 {
            agent.take_over(&ids[0]).await;
        }
        holder.batch_execute("begin").await.expect("a transaction");
        holder.query_one("select from conversations where id = $1 for update", &[id]).await.expect("it is held again");
    }
    let (written, retries) = (stack.database_log().len(), stack.lock_retries().await);
    let giving = {
        let (api, body) = (company.supervisor.api.clone(), json!({"conversation_ids": ids, "assign": {"to_user_id": agent.id}}));
        tokio::spawn(async move { api.post("/conversations/bulk", body).await })
    };
    until_blocked(&stack, 1).await;
    let leaving = {
        let (api, path) = (company.admin.api.clone(), format!("/companies/{}/members/{}", company.id, agent.id));
        tokio::spawn(async move { api.call(reqwest::Method::DELETE, &path, None).await })
    };
    until_blocked(&stack, 2).await;
    for (_, holder) in held {
        holder.batch_execute("commit").await.expect("it is let go");
    }
    giving.await.expect("an answer").expect(200);
    leaving.await.expect("an answer").expect(204);
    assert!(!stack.database_log()[written..].contains("deadlock detected"));
    assert_eq!(stack.lock_retries().await, retries);
    let sql = "select count(*) from conversations where company_id = $1 and assignee_id is not null";
    let left: i64 = database.query_one(sql, &[&company.id]).await.expect("a count").get(0);
    assert_eq!(left, 0, "nobody holds anything");
}

/// Whoever keeps no order can still lock a webhook out. It is stored all the same, and seen in the figures.
pub async fn a_deadlock_with_a_stranger_is_done_again_and_counted(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let clients = [fresh_number(), fresh_number()];
    for _ in 0..5 {
        let retries = stack.lock_retries().await;
        let mut held = hold_conversations(&stack, &company, &clients).await;
        held.sort_by_key(|(id, _)| *id);
        let ((_, second), (first_id, first)) = (held.remove(1), held.remove(0));
        first.batch_execute("commit").await.expect("the first is let go");
        let posting = post(&company, &webhook_of(&company, &[clients[0].as_str(), clients[1].as_str()]));
        until_blocked(&stack, 1).await;
        // The webhook has the first and waits for the second: now they wait for each other, and the webhook has waited longer.
        let asked = second.query("select from conversations where id = $1 for update", &[&first_id]).await;
        second.batch_execute("rollback").await.expect("all is let go");
        is_taken(&posting.await.expect("an answer"));
        if asked.is_ok() {
            assert_eq!(stack.lock_retries().await, retries + 1);
            let lines = stack.log_lines("ReceiveWhatsappWebhook");
            assert!(lines.iter().any(|line| line["message"] == "done again" && line["Kind"] == "deadlock"), "{lines:?}");
            return;
        }
    }
    panic!("the server always chose the stranger");
}

type Held = (uuid::Uuid, tokio_postgres::Client);

/// The conversations of these clients, each held by a connection of its own.
async fn hold_conversations(stack: &Stack, company: &Company, clients: &[String]) -> Vec<Held> {
    let mut holders = Vec::new();
    for client in clients {
        company.phone.receive_text(client, "Oi").await;
        let holder = stack.database().await;
        holder.batch_execute("begin").await.expect("a transaction");
        let id: uuid::Uuid = company.admin.conversation_id_of(client).await.parse().expect("an id");
        holder.query_one("select from conversations where id = $1 for update", &[&id]).await.expect("it is held");
        holders.push((id, holder));
    }
    holders
}

pub(super) fn post(company: &Company, body: &Value) -> tokio::task::JoinHandle<Value> {
    let (phone, raw) = (company.phone.clone(), body.to_string());
    tokio::spawn(async move { phone.post("/whatsapp/webhook", json!({"raw": raw})).await })
}

fn is_taken(attempt: &Value) {
    assert_eq!(attempt["status"], 200, "{attempt}");
    let answer: Value = serde_json::from_str(attempt["answer"].as_str().unwrap_or_default()).expect("JSON");
    assert_eq!(answer, json!({"stored": 2, "failed": 0}));
}

/// Somebody keeps a conversation's row longer than a statement may wait.
pub async fn a_row_that_stays_locked_is_answered_with_503_and_a_webhook_is_applied_later(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    let database = stack.database().await;
    database.batch_execute("begin").await.expect("a transaction");
    let hold = "select from conversations where company_id = $1 for update";
    database.query(hold, &[&desk.company.id]).await.expect("the conversation is held");
    let sending = desk.begin_sending("preso");
    let (phone, client) = (desk.company.phone.clone(), desk.client.clone());
    let receiving = tokio::spawn(async move { phone.receive(&client, json!({"text": "também preso"})).await });
    until_blocked(&stack, 1).await;
    let refused = sending.await.expect("an answer");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    refused.expect(503);
    let received = receiving.await.expect("an answer");
    assert_eq!(received["status"], 200, "{received}");
    database.batch_execute("rollback").await.expect("it is let go");
    desk.send("preso").await.expect(201);
    desk.until("preso", &["read"]).await;
    eventually("the webhook stored", || async { (desk.with_body("também preso").await.len() == 1).then_some(()) }).await;
    assert_eq!(desk.accepted().await, ["preso"]);
}

/// A webhook with one message of each client, in this order.
pub(super) fn webhook_of(company: &Company, clients: &[&str]) -> Value {
    let message = |client: &&str| {
        let id = format!("wamid.{}", uuid::Uuid::now_v7().simple());
        let at = jiff::Timestamp::now().as_second().to_string();
        json!({"from": client, "id": id, "timestamp": at, "type": "text", "text": {"body": "cruzado"}})
    };
    let contact = |client: &&str| json!({"profile": {"name": "Maria Teste"}, "wa_id": client});
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "551140000000", "phone_number_id": company.phone.number_id},
        "contacts": clients.iter().map(contact).collect::<Vec<_>>(),
        "messages": clients.iter().map(message).collect::<Vec<_>>(),
    });
    json!({
        "object": "whatsapp_business_account",
        "entry": [{"id": "104200000000001", "changes": [{"field": "messages", "value": value}]}],
    })
}
