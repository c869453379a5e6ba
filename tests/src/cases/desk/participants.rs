//! Staff who follow a conversation: they see it and hear of it wherever it is, until they leave.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Company, Stack, Wanted, company::Person, company::text, each, sandbox::fresh_number};
use uuid::Uuid;

async fn company(stack: &Stack, agent_visibility: &'static str) -> Company {
    let departments = vec![("Atendimento", vec![1, 2]), ("Financeiro", vec![3])];
    stack.company(Wanted { students: 1, agents: 3, agent_visibility, departments, ..Wanted::default() }).await
}

async fn add(person: &Person, id: &str, who: Uuid) -> Answer {
    person.api.post(&format!("/conversations/{id}/participants"), json!({"user_id": who})).await
}

async fn remove(person: &Person, id: &str, who: Uuid) -> Answer {
    person.api.call(Method::DELETE, &format!("/conversations/{id}/participants/{who}"), None).await
}

async fn followers(person: &Person, id: &str) -> Vec<Value> {
    let page = person.api.get(&format!("/conversations/{id}/participants")).await.expect(200);
    page["data"].as_array().into_iter().flatten().map(|row| row["user_id"].clone()).collect()
}

async fn listed(person: &Person, query: &str) -> Vec<String> {
    let page = person.api.get(&format!("/conversations?{query}")).await.expect(200);
    page["data"].as_array().into_iter().flatten().map(|row| text(&row["id"]).to_owned()).collect()
}

pub async fn who_follows_sees_and_hears_it_wherever_it_is(stack: Arc<Stack>) {
    for visibility in ["department", "own"] {
        let company = company(&stack, visibility).await;
        let [agent, colleague, elsewhere] = &company.agents[..] else { panic!("three agents") };
        let (client, id) = company.served().await;
        elsewhere.api.get(&format!("/conversations/{id}")).await.expect(404);
        add(elsewhere, &id, elsewhere.id).await.expect(404);
        let mut socket = elsewhere.socket().await;
        let added = add(agent, &id, elsewhere.id).await.expect(201);
        assert_eq!((&added["user_id"], text(&added["name"])), (&json!(elsewhere.id), "Duda Reis"));
        add(agent, &id, elsewhere.id).await.expect(200);
        let told = socket.of_type("conversation.updated").await;
        assert_eq!(told["data"]["conversation"]["participant_ids"], json!([elsewhere.id]));
        assert_eq!(elsewhere.conversation(&id).await["participant_ids"], json!([elsewhere.id]));
        assert_eq!(followers(elsewhere, &id).await, [json!(elsewhere.id)]);
        assert_eq!(listed(elsewhere, "participating=true").await, [id.as_str()]);
        assert!(listed(elsewhere, "participating=false").await.is_empty());
        assert!(listed(colleague, "participating=true").await.is_empty());
        assert_eq!(listed(agent, "participating=false").await, [id.as_str()]);
        // What is said is told live, found, and in the feed.
        socket.follow(&id).await;
        company.phone.receive_text(&client, "segredo").await;
        let is_said = |frame: &Value| frame["type"] == "message.created" && frame["data"]["message"]["body"] == "segredo";
        socket.frame("the words", is_said).await;
        let found = elsewhere.api.get("/messages/search?search=segredo").await.expect(200);
        assert_eq!(found["data"].as_array().map(Vec::len), Some(1), "{found}");
        assert_eq!(listed(elsewhere, "search=segredo").await, [id.as_str()]);
        let head = elsewhere.head().await;
        let sent = agent.say(&id, "resposta").await;
        agent.message_with_status(&sent, "read").await;
        let told = elsewhere.events_after(&head).await;
        let kinds: Vec<&str> = told.iter().map(|event| text(&event["type"])).collect();
        assert!(kinds.contains(&"message.created") && kinds.contains(&"message.status"), "{kinds:?}");
        // It goes on when it is given to somebody, and closed; who follows may not write.
        company.supervisor.transfer(&id, json!({"to_user_id": colleague.id})).await;
        assert_eq!(elsewhere.conversation(&id).await["assignee_id"], json!(colleague.id));
        assert_eq!(elsewhere.api.post("/messages", tests::desk::text_message(&id, "x")).await.problem(409), "not_holder");
        colleague.close(&id).await;
        let page = elsewhere.api.get("/conversations?category=closed").await.expect(200);
        assert_eq!((text(&page["data"][0]["id"]), &page["counts"]["closed"]), (id.as_str(), &json!(1)));
        // Whoever does not follow it any more is told of that, and of nothing then.
        let head = elsewhere.head().await;
        remove(&company.supervisor, &id, elsewhere.id).await.expect(204);
        assert_eq!(remove(&company.supervisor, &id, elsewhere.id).await.problem(404), "not_found");
        elsewhere.api.get(&format!("/conversations/{id}")).await.expect(404);
        let told = elsewhere.events_after(&head).await;
        assert_eq!(told[0]["data"]["conversation"]["participant_ids"], json!([]), "{told:?}");
        let head = elsewhere.head().await;
        company.phone.receive_text(&client, "depois").await;
        assert!(elsewhere.events_after(&head).await.iter().all(|event| !event.to_string().contains(&id)));
        // They may leave by themselves, with the last that they see of it.
        add(&company.supervisor, &id, elsewhere.id).await.expect(201);
        remove(elsewhere, &id, elsewhere.id).await.expect(204);
        elsewhere.api.get(&format!("/conversations/{id}")).await.expect(404);
    }
}

pub async fn only_active_staff_of_the_company_follow(stack: Arc<Stack>) {
    let (company, other) = (company(&stack, "department").await, company(&stack, "department").await);
    let agent = &company.agents[0];
    let (_, id) = company.served().await;
    for stranger in [company.students[0].id, other.agents[0].id, Uuid::new_v4()] {
        assert_eq!(add(agent, &id, stranger).await.problem(422), "invalid_target");
    }
    add(&company.students[0], &id, agent.id).await.expect(403);
    // Crowds come and go at once, and each is there or not in the end, once.
    let people: Vec<Uuid> = company.agents.iter().map(|person| person.id).chain([company.supervisor.id]).collect();
    let (company, people, id) = (&company, &people, id.as_str());
    let statuses = each(0..40, |index| async move {
        let who = people[index % people.len()];
        if index % 3 == 0 { remove(&company.admin, id, who).await.status } else { add(&company.supervisor, id, who).await.status }
    })
    .await;
    assert!(statuses.iter().all(|status| matches!(status, 200 | 201 | 204 | 404)), "{statuses:?}");
    for who in people {
        add(agent, id, *who).await;
    }
    let mut all = followers(agent, id).await;
    all.sort_by_key(ToString::to_string);
    let mut expected: Vec<Value> = people.iter().map(|who| json!(who)).collect();
    expected.sort_by_key(ToString::to_string);
    assert_eq!(all, expected);
    // Who leaves the company follows nothing, whoever adds them meanwhile, and inboxes are told.
    let gone = company.agents[1].id;
    let head = company.admin.head().await;
    let path = format!("/admin/deactivate-user/{gone}");
    let (left, _) = futures_util::future::join(
        company.admin.api.post(&path, json!({})),
        each(0..6, |_| async move { add(agent, id, gone).await.status }),
    )
    .await;
    assert!(left.status < 300, "{}", left.body);
    assert!(!followers(agent, id).await.contains(&json!(gone)));
    let told = company.admin.events_after(&head).await;
    let shown = told.iter().rev().find(|event| event["data"]["conversation"]["id"] == id).expect("an event of it");
    assert!(!shown["data"]["conversation"]["participant_ids"].to_string().contains(&gone.to_string()), "{shown}");
    assert_eq!(add(agent, id, gone).await.problem(422), "invalid_target");
}

pub async fn a_merge_brings_them_and_its_undoing_takes_them_back(stack: Arc<Stack>) {
    let company = company(&stack, "department").await;
    let [agent, colleague, elsewhere] = &company.agents[..] else { panic!("three agents") };
    let (first, second) = (fresh_number(), fresh_number());
    for client in [&first, &second] {
        company.phone.receive_text(client, "Oi").await;
    }
    let (stays, goes) = (agent.conversation_of(&first).await, agent.conversation_of(&second).await);
    let (kept, closed) = (text(&stays["id"]), text(&goes["id"]));
    agent.take_over(kept).await;
    for (id, person) in [(kept, colleague), (closed, colleague), (closed, elsewhere)] {
        add(agent, id, person.id).await.expect(201);
    }
    let path = format!("/clients/{}/merge", text(&stays["client_id"]));
    let merged = company.supervisor.api.post(&path, json!({"client_id": goes["client_id"]})).await.expect(201);
    assert_eq!(followers(elsewhere, kept).await, [json!(colleague.id), json!(elsewhere.id)]);
    company.supervisor.api.post(&format!("/client-merges/{}/undo", text(&merged["id"])), json!({})).await.expect(200);
    assert_eq!(followers(agent, kept).await, [json!(colleague.id)]);
    assert_eq!(followers(elsewhere, closed).await, [json!(colleague.id), json!(elsewhere.id)]);
    elsewhere.api.get(&format!("/conversations/{kept}")).await.expect(404);
}
