//! Who sees a conversation: everybody, the department, or its holder; in lists, details, threads, the feed and on sockets alike.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::Person, company::text, sandbox::fresh_number};

/// Two departments with one agent each; the number belongs to the first. Answers the conversation of a client who wrote.
async fn scene(stack: &Stack, agent_visibility: &'static str) -> (Company, String, String) {
    let departments = vec![("Atendimento", vec![1, 2]), ("Financeiro", vec![3])];
    let wanted = Wanted { agents: 3, students: 1, agent_visibility, departments, ..Wanted::default() };
    let company = stack.company(wanted).await;
    let head = company.admin.head().await;
    let client = fresh_number();
    company.phone.receive_text(&client, "segredo do cliente").await;
    let id = company.admin.conversation_id_of(&client).await;
    (company, id, head)
}

/// Holds every way of seeing the conversation against `sees`.
async fn check(person: &Person, id: &str, head: &str, sees: bool) {
    let status = if sees { 200 } else { 404 };
    person.api.get(&format!("/conversations/{id}")).await.expect(status);
    person.api.get(&format!("/messages?conversation_id={id}")).await.expect(status);
    let list = person.api.get("/conversations?search=segredo").await.expect(200);
    assert_eq!(list["data"].as_array().is_some_and(|rows| rows.iter().any(|row| row["id"] == id)), sees, "the list: {list}");
    let events = person.events_after(head).await;
    let about = |event: &Value| event["data"].to_string().contains(id) && event["type"] != "conversation.transferred";
    assert_eq!(events.iter().any(about), sees, "the feed: {events:?}");
    let mut socket = person.socket().await;
    socket.send(json!({"action": "subscribe", "topic": format!("conversation:{id}")})).await;
    let answer = socket.frame("an answer", |frame| frame["topic"].is_null() || frame["type"] == "subscribed").await;
    assert_eq!(answer["type"] == "subscribed", sees, "{answer}");
    if !sees {
        assert_eq!(answer["code"], "topic_refused");
        for command in ["takeover", "close", "read"] {
            person.api.post(&format!("/conversations/{id}/{command}"), json!({})).await.expect(404);
        }
        person.api.post(&format!("/conversations/{id}/transfer"), json!({"to_user_id": person.id})).await.expect(404);
        person.api.post("/messages", tests::desk::text_message(id, "x")).await.expect(404);
    }
}

pub async fn company_shows_everything_to_every_agent(stack: Arc<Stack>) {
    let (company, id, head) = scene(&stack, "company").await;
    company.agents[0].take_over(&id).await;
    for person in company.agents.iter().chain([&company.admin, &company.supervisor]) {
        check(person, &id, &head, true).await;
    }
}

pub async fn department_shows_its_own(stack: Arc<Stack>) {
    let (company, id, head) = scene(&stack, "department").await;
    company.agents[0].take_over(&id).await;
    check(&company.agents[0], &id, &head, true).await;
    check(&company.agents[1], &id, &head, true).await;
    check(&company.agents[2], &id, &head, false).await;
    check(&company.supervisor, &id, &head, true).await;
}

pub async fn own_shows_what_waits_and_what_one_holds(stack: Arc<Stack>) {
    let (company, id, head) = scene(&stack, "own").await;
    check(&company.agents[1], &id, &head, true).await;
    check(&company.agents[2], &id, &head, false).await;
    company.agents[0].take_over(&id).await;
    // Their colleague took it: told so, and from then on out of their sight.
    let later = company.admin.head().await;
    company.agents[0].say(&id, "olá").await;
    check(&company.agents[0], &id, &later, true).await;
    check(&company.agents[1], &id, &later, false).await;
    check(&company.supervisor, &id, &later, true).await;
}

pub async fn students_see_no_conversations_of_others(stack: Arc<Stack>) {
    let (company, id, head) = scene(&stack, "company").await;
    let student = &company.students[0];
    for path in ["/conversations".to_owned(), format!("/conversations/{id}"), format!("/messages?conversation_id={id}")] {
        student.api.get(&path).await.expect(403);
    }
    let events = student.events_after(&head).await;
    assert!(events.is_empty(), "{events:?}");
    let mut socket = student.socket().await;
    socket.send(json!({"action": "subscribe", "topic": format!("conversation:{id}")})).await;
    assert_eq!(socket.of_type("error").await["code"], "topic_refused");
}

pub async fn another_company_sees_nothing(stack: Arc<Stack>) {
    let (_, id, head) = scene(&stack, "company").await;
    let other = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    check(&other.admin, &id, &head, false).await;
    check(&other.agents[0], &id, &head, false).await;
}

pub async fn sockets_hear_only_what_their_person_sees(stack: Arc<Stack>) {
    let departments = vec![("Atendimento", vec![1]), ("Financeiro", vec![2])];
    let company = stack.company(Wanted { students: 1, departments, ..Wanted::default() }).await;
    let mut insider = company.agents[0].socket().await;
    let mut outsider = company.agents[1].socket().await;
    let mut student = company.students[0].socket().await;
    company.phone.receive_text(&fresh_number(), "segredo").await;
    let frame = insider.of_type("conversation.created").await;
    let id = text(&frame["data"]["conversation"]["id"]).to_owned();
    company.agents[0].take_over(&id).await;
    insider.of_type("conversation.assigned").await;
    for (who, socket) in [("the outsider", &mut outsider), ("the student", &mut student)] {
        let heard = socket.drain().await;
        assert!(heard.iter().all(|frame| !frame.to_string().contains(&id)), "{who} heard {heard:?}");
    }
}

pub async fn department_change_moves_sight_at_once(stack: Arc<Stack>) {
    let (company, id, _) = scene(&stack, "department").await;
    let (insider, receiver) = (&company.agents[1], &company.agents[2]);
    let mut losing = insider.socket().await;
    losing.follow(&id).await;
    let mut gaining = receiver.socket().await;
    company.supervisor.transfer(&id, json!({"to_department_id": company.departments[1].1})).await;
    losing.of_type("conversation.transferred").await;
    gaining.of_type("conversation.transferred").await;
    losing.drain().await;
    let head = company.admin.head().await;
    receiver.take_over(&id).await;
    receiver.say(&id, "só para o financeiro").await;
    check(insider, &id, &head, false).await;
    check(receiver, &id, &head, true).await;
    let heard = losing.drain().await;
    let secret = |frame: &Value| frame.to_string().contains("só para o financeiro");
    assert!(!heard.iter().any(secret), "{heard:?}");
}
