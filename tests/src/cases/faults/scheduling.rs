//! The worker that sends planned messages and ends snoozes, killed in the middle of it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tests::{Stack, Wanted, company::text, eventually, soon};

use super::{kill, let_leases_pass, until_blocked};

pub async fn a_planned_message_goes_out_once_though_its_worker_is_killed(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (_, id) = company.served().await;
    let agent = &company.agents[0];
    let due = Timestamp::now() + SignedDuration::from_secs(2);
    let planned = json!({"conversation_id": id, "body": "Uma vez", "due_at": due.to_string()});
    let planned = agent.api.post("/scheduled-messages", planned).await.expect(201);
    let database = stack.database().await;
    database.batch_execute("begin").await.expect("a transaction");
    let row: uuid::Uuid = text(&planned["id"]).parse().expect("an id");
    database.query("select from scheduled_messages where id = $1 for update", &[&row]).await.expect("the row is held");
    until_blocked(&stack, 1).await;
    kill(&stack, "AssignWaitingConversation").await;
    database.batch_execute("rollback").await.expect("the row is let go");
    eventually("the message sent", || async {
        let_leases_pass(&stack, &company, "AutomationQueue").await;
        (!company.phone.sent().await.is_empty()).then_some(())
    })
    .await;
    let_leases_pass(&stack, &company, "AutomationQueue").await;
    soon().await;
    assert_eq!(company.phone.sent().await.len(), 1);
    let said = agent.thread(&id).await.into_iter().filter(|message| message["body"] == "Uma vez");
    assert_eq!(said.count(), 1);
    let page = agent.api.get("/scheduled-messages?state=sent").await.expect(200);
    assert_eq!(page["data"][0]["id"], planned["id"]);
}

pub async fn a_snooze_whose_worker_is_killed_ends_once(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (_, id) = company.served().await;
    let agent = &company.agents[0];
    let until = (Timestamp::now() + SignedDuration::from_secs(2)).to_string();
    agent.api.post(&format!("/conversations/{id}/snooze"), json!({"until": until})).await.expect(200);
    let head = agent.head().await;
    let database = stack.database().await;
    database.batch_execute("begin").await.expect("a transaction");
    let row: uuid::Uuid = id.parse().expect("an id");
    database.query("select from conversations where id = $1 for update", &[&row]).await.expect("the row is held");
    until_blocked(&stack, 1).await;
    kill(&stack, "AssignWaitingConversation").await;
    database.batch_execute("rollback").await.expect("the row is let go");
    eventually("the snooze over", || async {
        let_leases_pass(&stack, &company, "AutomationQueue").await;
        agent.conversation(&id).await["snoozed_at"].is_null().then_some(())
    })
    .await;
    let_leases_pass(&stack, &company, "AutomationQueue").await;
    soon().await;
    let told = agent.events_after(&head).await.into_iter().filter(|event| event["type"] == "conversation.unsnoozed");
    assert_eq!(told.count(), 1);
    let lines = agent.thread(&id).await.into_iter().filter(|message| message["payload"]["act"] == "unsnoozed");
    assert_eq!(lines.count(), 1);
}
