//! What comes back by itself: conversations put off, and those the bot takes again.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::{
    Answer, Company, Stack, Wanted,
    company::{Person, text},
    eventually,
    sandbox::fresh_number,
    soon,
};

async fn company(stack: &Stack, bot: bool) -> Company {
    stack.company(Wanted { students: 0, agent_visibility: "company", bot, ..Wanted::default() }).await
}

fn time_in(seconds: i64) -> String {
    (Timestamp::now() + SignedDuration::from_secs(seconds)).to_string()
}

async fn act(person: &Person, id: &str, act: &str, body: Value) -> Answer {
    person.api.post(&format!("/conversations/{id}/{act}"), body).await
}

async fn once(person: &Person, id: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    eventually(what, || async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let conversation = person.conversation(id).await;
        is_so(&conversation).then_some(conversation)
    })
    .await
}

async fn lines(person: &Person, id: &str, act: &str) -> usize {
    person.thread(id).await.iter().filter(|message| message["payload"]["act"] == act).count()
}

pub async fn the_bot_comes_back_at_its_time_and_answers(stack: Arc<Stack>) {
    let company = company(&stack, true).await;
    let (client, agent) = (fresh_number(), &company.agents[0]);
    company.phone.receive_text(&client, "Oi").await;
    company.phone.sent_at_least(1).await;
    let id = company.admin.conversation_id_of(&client).await;
    agent.take_over(&id).await;
    let at = time_in(3);
    let held = act(agent, &id, "mode", json!({"mode": "human", "return_to_bot_at": at})).await.expect(200);
    assert_eq!((text(&held["status"]), held["return_to_bot_at"].is_string()), ("active", true));
    company.phone.receive_text(&client, "Já falei com vocês").await;
    let back = once(&company.admin, &id, "the bot", |conversation| conversation["mode"] == "bot").await;
    assert!(Timestamp::now() >= at.parse().expect("a time"));
    assert_eq!((text(&back["status"]), &back["assignee_id"], &back["return_to_bot_at"]), ("bot", &Value::Null, &Value::Null));
    let rows = company.admin.api.get(&format!("/conversations/{id}/transfers")).await.expect(200);
    let agent_id = json!(agent.id.to_string());
    assert_eq!((&rows["data"][0]["from_user_id"], &rows["data"][0]["to_user_id"]), (&agent_id, &Value::Null));
    assert_eq!(rows["data"][0]["by_user_id"], Value::Null);
    assert_eq!(lines(&company.admin, &id, "returned_to_bot").await, 1);
    // What people were told is no question to the bot; what comes next is.
    soon().await;
    assert_eq!(company.phone.sent().await.len(), 1);
    company.phone.receive_text(&client, "Oi de novo").await;
    company.phone.sent_at_least(2).await;
}

pub async fn people_and_the_bot_take_turns(stack: Arc<Stack>) {
    let company = company(&stack, true).await;
    let (agent, colleague) = (&company.agents[0], &company.agents[1]);
    let (_, id) = company.served().await;
    assert_eq!(act(colleague, &id, "mode", json!({"mode": "bot"})).await.problem(409), "not_holder");
    for (at, code) in [(time_in(-1), "in_the_past"), (time_in(400 * 86_400), "too_late")] {
        let refused = act(agent, &id, "mode", json!({"mode": "human", "return_to_bot_at": at})).await.expect(422);
        assert_eq!((text(&refused["errors"][0]["field"]), text(&refused["errors"][0]["code"])), ("return_to_bot_at", code));
    }
    let refused = act(agent, &id, "mode", json!({"mode": "bot", "return_to_bot_at": time_in(60)})).await.expect(422);
    assert_eq!(refused["errors"][0]["code"], "not_together");
    let of_bot = act(agent, &id, "mode", json!({"mode": "bot"})).await.expect(200);
    assert_eq!((text(&of_bot["status"]), &of_bot["assignee_id"]), ("bot", &Value::Null));
    let again = act(agent, &id, "mode", json!({"mode": "bot"})).await.expect(200);
    assert_eq!(again["version"], of_bot["version"]);
    let said = agent.api.post("/messages", json!({"conversation_id": id, "content": "Oi"})).await;
    assert_eq!(said.problem(409), "bot_mode");
    let waiting = act(agent, &id, "mode", json!({"mode": "human"})).await.expect(200);
    assert_eq!((text(&waiting["status"]), waiting["version"].as_i64() > of_bot["version"].as_i64()), ("pending", true));
    assert_eq!(lines(agent, &id, "bot_stopped").await, 1);
    company.supervisor.close(&id).await;
    assert_eq!(act(agent, &id, "mode", json!({"mode": "bot"})).await.problem(409), "conversation_closed");
}

pub async fn without_a_bot_nothing_goes_to_it(stack: Arc<Stack>) {
    let company = company(&stack, false).await;
    let (_, id) = company.served().await;
    let agent = &company.agents[0];
    let refused = act(agent, &id, "mode", json!({"mode": "bot"})).await.expect(409);
    assert_eq!((text(&refused["code"]), text(&refused["current"]["mode"])), ("no_bot", "human"));
    act(agent, &id, "mode", json!({"mode": "human", "return_to_bot_at": time_in(2)})).await.expect(200);
    let kept = once(agent, &id, "the time gone", |conversation| conversation["return_to_bot_at"].is_null()).await;
    assert_eq!((text(&kept["mode"]), text(&kept["status"])), ("human", "active"));
}

pub async fn the_bot_does_not_take_what_was_given_to_somebody_else(stack: Arc<Stack>) {
    let company = company(&stack, true).await;
    let (_, id) = company.served().await;
    act(&company.agents[0], &id, "mode", json!({"mode": "human", "return_to_bot_at": time_in(2)})).await.expect(200);
    let given = company.agents[0].transfer(&id, json!({"to_user_id": company.agents[1].id})).await;
    assert_eq!(given["return_to_bot_at"], Value::Null);
    tokio::time::sleep(Duration::from_secs(4)).await;
    let conversation = company.admin.conversation(&id).await;
    assert_eq!((text(&conversation["mode"]), &conversation["version"]), ("human", &given["version"]));
}

pub async fn a_snooze_ends_at_its_time_once(stack: Arc<Stack>) {
    let company = company(&stack, false).await;
    let (_, id) = company.served().await;
    let (_, other) = company.served().await;
    let agent = &company.agents[0];
    let mut socket = agent.socket().await;
    let snoozed = act(agent, &id, "snooze", json!({"until": time_in(3)})).await.expect(200);
    assert!(snoozed["snoozed_at"].is_string() && snoozed["snoozed_until"].is_string(), "{snoozed}");
    for (query, found) in [("true", &id), ("false", &other)] {
        let page = agent.api.get(&format!("/conversations?snoozed={query}&assignee=me")).await.expect(200);
        let ids: Vec<&str> = page["data"].as_array().expect("rows").iter().map(|row| text(&row["id"])).collect();
        assert_eq!(ids, [found.as_str()]);
    }
    let told = socket.of_type("conversation.unsnoozed").await;
    assert!(Timestamp::now() >= text(&snoozed["snoozed_until"]).parse().expect("a time"));
    assert_eq!((&told["data"]["conversation"]["id"], &told["data"]["by_user_id"]), (&json!(id), &Value::Null));
    soon().await;
    let conversation = agent.conversation(&id).await;
    assert_eq!((&conversation["snoozed_at"], &conversation["snoozed_until"]), (&Value::Null, &Value::Null));
    assert_eq!((lines(agent, &id, "snoozed").await, lines(agent, &id, "unsnoozed").await), (1, 1));
}

pub async fn a_snooze_ends_when_the_client_writes_or_somebody_says_so(stack: Arc<Stack>) {
    let company = company(&stack, false).await;
    let (client, id) = company.served().await;
    let agent = &company.agents[0];
    assert_eq!(act(&company.agents[1], &id, "snooze", json!({})).await.problem(409), "not_holder");
    for (until, code) in [(time_in(-1), "in_the_past"), (time_in(400 * 86_400), "too_late")] {
        let refused = act(agent, &id, "snooze", json!({"until": until})).await.expect(422);
        assert_eq!((text(&refused["errors"][0]["field"]), text(&refused["errors"][0]["code"])), ("until", code));
    }
    let snoozed = act(agent, &id, "snooze", json!({})).await.expect(200);
    assert_eq!((snoozed["snoozed_at"].is_string(), &snoozed["snoozed_until"]), (true, &Value::Null));
    company.phone.receive_text(&client, "Cheguei").await;
    assert_eq!(agent.conversation(&id).await["snoozed_at"], Value::Null);
    // Another time replaces the first, whose job finds nothing to do.
    act(agent, &id, "snooze", json!({"until": time_in(1)})).await.expect(200);
    act(agent, &id, "snooze", json!({"until": time_in(3600)})).await.expect(200);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(agent.conversation(&id).await["snoozed_at"].is_string());
    act(agent, &id, "snooze", json!({"is_over": true, "until": time_in(60)})).await.expect(422);
    let over = act(agent, &id, "snooze", json!({"is_over": true})).await.expect(200);
    assert_eq!(over["snoozed_at"], Value::Null);
    let again = act(agent, &id, "snooze", json!({"is_over": true})).await.expect(200);
    assert_eq!(again["revision"], over["revision"]);
    act(agent, &id, "snooze", json!({})).await.expect(200);
    agent.close(&id).await;
    assert_eq!(agent.conversation(&id).await["snoozed_at"], Value::Null);
    assert_eq!(act(agent, &id, "snooze", json!({})).await.problem(409), "conversation_closed");
}
