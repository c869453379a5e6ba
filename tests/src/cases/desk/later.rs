//! Messages that are to be sent later: at their time, once, and judged again then.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer, Company, Stack, Wanted,
    company::{Person, text},
    eventually, soon,
};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { students: 0, agent_visibility: "company", ..Wanted::default() }).await
}

fn time_in(seconds: i64) -> String {
    (Timestamp::now() + SignedDuration::from_secs(seconds)).to_string()
}

async fn plan(person: &Person, id: &str, words: &str, seconds: i64) -> Answer {
    person.api.post("/scheduled-messages", json!({"conversation_id": id, "body": words, "due_at": time_in(seconds)})).await
}

fn path(planned: &Value) -> String {
    format!("/scheduled-messages/{}", text(&planned["id"]))
}

/// Of this conversation's the one, once it is in this state.
async fn in_state(person: &Person, planned: &Value, state: &str) -> Value {
    let list = format!("/scheduled-messages?conversation_id={}&state={state}", text(&planned["conversation_id"]));
    eventually(&format!("the message {state}"), || async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let page = person.api.get(&list).await.expect(200);
        page["data"].as_array().and_then(|rows| rows.iter().find(|row| row["id"] == planned["id"]).cloned())
    })
    .await
}

pub async fn planned_message_goes_out_at_its_time_and_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let agent = &company.agents[0];
    let mut socket = company.supervisor.socket().await;
    socket.follow(&id).await;
    let planned = plan(agent, &id, "Lembrete", 3).await.expect(201);
    assert_eq!((text(&planned["state"]), &planned["author_id"]), ("waiting", &json!(agent.id.to_string())));
    let told = socket.of_type("scheduled_message.updated").await;
    assert_eq!(told["data"]["scheduled_message"]["id"], planned["id"]);
    assert!(company.phone.sent().await.is_empty());
    let sent = in_state(agent, &planned, "sent").await;
    let message =
        agent.message_when(&id, "the message read", |found| found["id"] == sent["message_id"] && found["status"] == "read").await;
    assert_eq!((text(&message["body"]), &message["sender_id"]), ("Lembrete", &json!(agent.id.to_string())));
    let due: Timestamp = text(&planned["due_at"]).parse().expect("a time");
    let went: Timestamp = text(&message["sent_at"]).parse().expect("a time");
    assert!(went >= due && went.duration_since(due).as_secs() < 60, "{went}");
    soon().await;
    assert_eq!(company.phone.sent().await.len(), 1);
    let late = agent.api.call(Method::PUT, &path(&planned), Some(json!({"body": "Outra"}))).await.expect(409);
    assert_eq!((text(&late["code"]), &late["current"]["message_id"]), ("not_waiting", &sent["message_id"]));
    assert_eq!(agent.api.call(Method::DELETE, &path(&planned), None).await.problem(409), "not_waiting");
}

pub async fn what_may_not_be_sent_when_it_is_due_says_why(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, late) = company.served().await;
    let (_, given) = company.served().await;
    let agent = &company.agents[0];
    let first = plan(agent, &late, "Tarde", 2).await.expect(201);
    let second = plan(agent, &given, "De outro", 2).await.expect(201);
    let head = agent.head().await;
    let row: uuid::Uuid = late.parse().expect("an id");
    let sql = "update conversations set window_expires_at = now() - interval '1 second' where id = $1";
    stack.database().await.execute(sql, &[&row]).await.expect("the window closes");
    company.supervisor.transfer(&given, json!({"to_user_id": company.agents[1].id})).await;
    assert_eq!(in_state(agent, &first, "failed").await["failure"], "window_closed");
    assert_eq!(in_state(agent, &second, "failed").await["failure"], "not_holder");
    let told = agent.events_after(&head).await;
    let of_author = told
        .iter()
        .filter(|event| event["type"] == "scheduled_message.updated" && event["topic"] == json!(format!("user:{}", agent.id)));
    assert_eq!(of_author.count(), 2, "{told:?}");
    soon().await;
    assert!(company.phone.sent().await.is_empty());
    // Outside the window one may plan: the client may write meanwhile.
    plan(agent, &late, "Amanhã", 3600).await.expect(201);
}

pub async fn planned_message_is_changed_and_called_off(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let (agent, colleague) = (&company.agents[0], &company.agents[1]);
    for (seconds, code) in [(-1, "in_the_past"), (400 * 86_400, "too_late")] {
        let refused = plan(agent, &id, "Não", seconds).await.expect(422);
        assert_eq!((text(&refused["errors"][0]["field"]), text(&refused["errors"][0]["code"])), ("due_at", code));
    }
    assert_eq!(plan(colleague, &id, "Não", 60).await.problem(409), "not_holder");
    let [moved, gone] = [plan(agent, &id, "Um", 3600).await.expect(201), plan(agent, &id, "Dois", 3).await.expect(201)];
    assert_eq!(colleague.api.call(Method::DELETE, &path(&gone), None).await.problem(403), "not_author");
    agent.api.call(Method::DELETE, &path(&gone), None).await.expect(204);
    assert_eq!(agent.api.call(Method::DELETE, &path(&gone), None).await.problem(404), "not_found");
    let change = json!({"body": "Primeiro", "due_at": time_in(2)});
    let changed = agent.api.call(Method::PUT, &path(&moved), Some(change)).await.expect(200);
    assert_eq!((text(&changed["body"]), &changed["version"]), ("Primeiro", &json!(2)));
    in_state(agent, &moved, "sent").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let sent = company.phone.sent_at_least(1).await;
    assert_eq!((sent.len(), text(&sent[0]["body"]["text"]["body"])), (1, "Primeiro"));
    assert_eq!(in_state(agent, &gone, "cancelled").await["message_id"], Value::Null);
}
