//! Clients who are blocked: what they write is kept, counted, and told to nobody until they are unblocked.

use std::sync::Arc;

use futures_util::future::join;
use serde_json::{Value, json};
use tests::{
    Answer, Company, Stack, Wanted,
    company::{Person, text},
    desk, eventually,
    sandbox::fresh_number,
};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 2, students: 0, ..Wanted::default() }).await
}

async fn set(person: &Person, client: &str, act: &str) -> Answer {
    person.api.post(&format!("/clients/{client}/{act}"), json!({})).await
}

async fn client(person: &Person, id: &str) -> Value {
    person.api.get(&format!("/clients/{id}")).await.expect(200)
}

async fn bodies(person: &Person, conversation: &str) -> Vec<String> {
    let thread = person.thread(conversation).await;
    let said = thread.iter().filter(|message| message["sender_type"] == "client");
    said.map(|message| text(&message["body"]).to_owned()).collect()
}

pub async fn what_a_blocked_client_writes_is_told_to_nobody_until_they_are_unblocked(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (agent, number) = (&company.agents[0], fresh_number());
    drop(company.phone.receive_text(&number, "um").await);
    let before = company.admin.conversation_of(&number).await;
    let (id, of) = (text(&before["id"]).to_owned(), text(&before["client_id"]).to_owned());
    agent.take_over(&id).await;
    let before = agent.conversation(&id).await;
    let blocked = set(agent, &of, "block").await.expect(200);
    assert!(blocked["blocked_at"].is_string());
    assert_eq!(set(&company.supervisor, &of, "block").await.expect(200), blocked, "the same again is no change");
    let other = text(&agent.api.post("/clients", json!({"name": "Outra Pessoa"})).await.expect(201)["id"]).to_owned();
    for (filter, shown) in [("blocked=true", &of), ("blocked=true&order=asc", &of), ("blocked=false", &other)] {
        let page = agent.api.get(&format!("/clients?{filter}")).await.expect(200);
        let found: Vec<&str> = page["data"].as_array().into_iter().flatten().map(|row| text(&row["id"])).collect();
        assert_eq!(found, [shown.as_str()], "{filter}");
    }
    let head = company.admin.head().await;
    drop(company.phone.receive_text(&number, "dois").await);
    drop(company.phone.receive(&number, desk::media("image/png", desk::PNG, json!({"caption": ""}))).await);
    drop(company.phone.receive_text(&number, "três").await);
    eventually("the picture is kept", || async {
        let thread = agent.thread(&id).await;
        thread.iter().any(|message| message["file"]["status"] == "ready").then_some(())
    })
    .await;
    assert_eq!(company.admin.events_after(&head).await, [Value::Null; 0], "nobody is told");
    let quiet = agent.conversation(&id).await;
    for field in ["unread", "last_message_at", "last_message_preview", "last_message_from", "status", "version"] {
        assert_eq!(quiet[field], before[field], "{field}");
    }
    assert_eq!(client(agent, &of).await["blocked_count"], 3);
    assert_eq!(bodies(agent, &id).await.len(), 4);
    let head = company.admin.head().await;
    let seen = set(&company.agents[1], &of, "unblock").await.expect(200);
    assert_eq!((&seen["blocked_at"], &seen["blocked_count"]), (&Value::Null, &json!(3)));
    let told = company.admin.told_after(&head).await;
    assert_eq!((text(&told[0]["type"]), &told[0]["data"]["conversation_ids"]), ("client.unblocked", &json!([id])));
    let back = agent.conversation(&id).await;
    assert_eq!(back["unread"], json!(before["unread"].as_i64().unwrap_or_default() + 3));
    assert_eq!((text(&back["last_message_preview"]), &back["assignee_id"]), ("três", &json!(agent.id)));
    drop(company.phone.receive_text(&number, "quatro").await);
    assert_eq!(text(&agent.conversation(&id).await["last_message_preview"]), "quatro");
}

pub async fn nobody_writes_to_a_blocked_client(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (agent, number) = (&company.agents[0], fresh_number());
    drop(company.phone.receive_text(&number, "um").await);
    let conversation = company.admin.conversation_of(&number).await;
    let (id, of) = (text(&conversation["id"]).to_owned(), text(&conversation["client_id"]).to_owned());
    set(agent, &of, "block").await.expect(200);
    let greeting = json!({"greeting": "Olá"});
    let refused = agent.api.post(&format!("/conversations/{id}/takeover"), greeting).await.expect(409);
    assert_eq!(text(&refused["code"]), "client_blocked");
    agent.take_over(&id).await;
    let message = json!({"conversation_id": id, "body": "Olá"});
    let refused = agent.api.post("/messages", message.clone()).await.expect(409);
    assert_eq!((text(&refused["code"]), &refused["current"]["id"]), ("client_blocked", &json!(id)));
    let theirs = agent.thread(&id).await.into_iter().find(|message| message["sender_type"] == "client").expect("theirs");
    let reaction = format!("/messages/{}/reactions", text(&theirs["id"]));
    assert_eq!(text(&agent.api.post(&reaction, json!({"emoji": "👍"})).await.expect(409)["code"]), "client_blocked");
    let due = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let planned = json!({"conversation_id": id, "body": "Lembrete", "due_at": due.to_string()});
    assert_eq!(text(&agent.api.post("/scheduled-messages", planned).await.expect(409)["code"]), "client_blocked");
    let sent = agent.thread(&id).await.into_iter().filter(|message| message["sender_type"] == "agent").count();
    assert_eq!(sent, 0, "not even the company's own text");
    set(agent, &of, "unblock").await.expect(200);
    agent.api.post("/messages", message).await.expect(201);
}

pub async fn a_closed_conversation_stays_closed_until_its_client_is_unblocked(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (agent, number) = (&company.agents[0], fresh_number());
    drop(company.phone.receive_text(&number, "um").await);
    let conversation = company.admin.conversation_of(&number).await;
    let (id, of) = (text(&conversation["id"]).to_owned(), text(&conversation["client_id"]).to_owned());
    agent.take_over(&id).await;
    agent.api.post(&format!("/conversations/{id}/close"), json!({})).await.expect(200);
    set(agent, &of, "block").await.expect(200);
    drop(company.phone.receive_text(&number, "dois").await);
    assert_eq!(text(&agent.conversation(&id).await["status"]), "closed");
    let open = company.admin.api.get("/conversations?status=pending").await.expect(200);
    assert_eq!(open["data"], json!([]));
    set(agent, &of, "unblock").await.expect(200);
    let back = company.admin.conversation(&id).await;
    assert!(["pending", "active"].contains(&text(&back["status"])), "{back}");
    assert_eq!((text(&back["last_message_preview"]), &back["unread"]), ("dois", &json!(1)));
}

/// Staff knew the number before anybody wrote.
pub async fn who_was_blocked_before_they_ever_wrote_is_heard_afterwards(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (agent, number) = (&company.agents[0], fresh_number());
    let made = agent.api.post("/clients", json!({"name": "Ana", "phones": [format!("+{number}")]})).await.expect(201);
    let of = text(&made["id"]);
    set(agent, of, "block").await.expect(200);
    let head = company.admin.head().await;
    let (one, two) = join(company.phone.receive_text(&number, "um"), company.phone.receive_text(&number, "dois")).await;
    drop((one, two));
    assert_eq!(company.admin.events_after(&head).await, [Value::Null; 0]);
    assert_eq!(company.admin.api.get("/conversations?status=open,waiting").await.expect(200)["data"], json!([]));
    assert_eq!(client(agent, of).await["blocked_count"], 2);
    set(agent, of, "unblock").await.expect(200);
    let back = company.admin.conversation_of(&number).await;
    assert_eq!((text(&back["status"]), &back["unread"]), ("pending", &json!(2)));
}

pub async fn no_bot_answers_a_blocked_client(stack: Arc<Stack>) {
    let company = stack.company(Wanted { bot: true, students: 0, ..Wanted::default() }).await;
    let number = fresh_number();
    drop(company.phone.receive_text(&number, "Oi").await);
    let conversation = company.admin.conversation_of(&number).await;
    let (id, of) = (text(&conversation["id"]).to_owned(), text(&conversation["client_id"]).to_owned());
    let of_bot = async || company.admin.thread(&id).await.into_iter().filter(|message| message["sender_type"] == "bot").count();
    eventually("the bot's first words", || async { (of_bot().await > 0).then_some(()) }).await;
    set(&company.admin, &of, "block").await.expect(200);
    let said = of_bot().await;
    drop(company.phone.receive_text(&number, "1").await);
    let jobs = "select count(*) from jobs where company_id = $1 and queue = 'bot' and finished_at is null";
    let waiting: i64 = stack.database().await.query_one(jobs, &[&company.id]).await.expect("jobs").get(0);
    assert_eq!((waiting, of_bot().await), (0, said));
    set(&company.admin, &of, "unblock").await.expect(200);
    drop(company.phone.receive_text(&number, "2").await);
    eventually("the bot speaks again", || async { (of_bot().await > said).then_some(()) }).await;
}
