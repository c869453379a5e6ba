//! Requests that wait for each other's rows.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, eventually, sandbox::fresh_number};

use super::{Desk, conversations, until_blocked};

/// Two webhooks bring messages of the same two clients in opposite order, and each has one client when it asks for the other.
pub async fn webhooks_that_lock_each_other_out_are_both_stored(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let clients = [fresh_number(), fresh_number()];
    for client in &clients {
        company.phone.receive_text(client, "Oi").await;
    }
    let mut bodies = Vec::new();
    for order in [[0, 1], [1, 0]] {
        bodies.push(webhook_of(&company, &order.map(|index| clients[index].as_str())));
    }
    let mut holders = Vec::new();
    for client in &clients {
        let holder = stack.database().await;
        holder.batch_execute("begin").await.expect("a transaction");
        let id: uuid::Uuid = company.admin.conversation_id_of(client).await.parse().expect("an id");
        holder.query_one("select from conversations where id = $1 for update", &[&id]).await.expect("it is held");
        holders.push((id, holder));
    }
    let posting: Vec<_> = bodies
        .iter()
        .map(|body| {
            let (phone, raw) = (company.phone.clone(), body.to_string());
            tokio::spawn(async move { phone.post("/whatsapp/webhook", json!({"raw": raw})).await })
        })
        .collect();
    let watcher = stack.database().await;
    until_blocked(&stack, 2).await;
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    let before: i64 = watcher.query_one(deadlocks, &[]).await.expect("a count").get(0);
    let (first, holder) = holders.remove(0);
    holder.batch_execute("commit").await.expect("the first is let go");
    // The webhook that waited for it has it now, and asks for the second.
    let free = "select from conversations where id = $1 for update skip locked";
    eventually("the first taken", || async {
        watcher.query(free, &[&first]).await.expect("the database answers").is_empty().then_some(())
    })
    .await;
    until_blocked(&stack, 2).await;
    let (_, holder) = holders.remove(0);
    holder.batch_execute("commit").await.expect("the second is let go");
    for posting in posting {
        let attempt = posting.await.expect("an answer");
        assert_eq!(attempt["status"], 200, "{attempt}");
        let answer: Value = serde_json::from_str(attempt["answer"].as_str().unwrap_or_default()).expect("JSON");
        assert_eq!(answer, json!({"stored": 2, "failed": 0}));
    }
    eventually("the deadlock", || async {
        (watcher.query_one(deadlocks, &[]).await.expect("a count").get::<_, i64>(0) > before).then_some(())
    })
    .await;
    for conversation in conversations(&company).await {
        let path = format!("/messages?conversation_id={conversation}");
        let list = company.agents[0].api.get(&path).await.expect(200);
        assert_eq!(list["data"].as_array().map(Vec::len), Some(3), "{list}");
    }
    let count = "select count(*) from messages where company_id = $1";
    assert_eq!(watcher.query_one(count, &[&company.id]).await.expect("a count").get::<_, i64>(0), 6);
}

/// Somebody keeps a conversation's row longer than a statement may wait.
pub async fn a_row_that_stays_locked_is_answered_with_503_and_no_webhook_is_dropped(stack: Arc<Stack>) {
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
    assert_eq!(received["status"], 503, "{received}");
    database.batch_execute("rollback").await.expect("it is let go");
    desk.send("preso").await.expect(201);
    desk.until("preso", &["read"]).await;
    eventually("the webhook stored", || async { (desk.with_body("também preso").await.len() == 1).then_some(()) }).await;
    assert_eq!(desk.accepted().await, ["preso"]);
}

/// A webhook with one message of each client, in this order.
fn webhook_of(company: &Company, clients: &[&str]) -> Value {
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
