//! Who reads a channel: its members, now.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, Wanted, company::text};

use super::{channel, path_of, said};

const CANARY: &str = "canário do canal";

fn has_canary(answers: &[Value]) -> bool {
    answers.iter().any(|answer| answer.to_string().contains(CANARY))
}

pub async fn a_private_channel_is_its_members_alone(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (one, two) = (&company.agents[0], &company.agents[1]);
    let mut outside = [company.admin.socket().await, company.supervisor.socket().await, two.socket().await];
    let mut inside = one.socket().await;
    let heads = [company.admin.head().await, company.supervisor.head().await, two.head().await];
    let id = channel(one, CANARY, "private", &[]).await;
    let message = said(one, &id, CANARY).await;
    one.api.post(&format!("{}/reactions", path_of(&message)), json!({"emoji": "👀"})).await.expect(200);
    inside.frame("its own message", |frame| frame["type"] == "chat.message_created").await;
    inside.frame("its reaction", |frame| frame["type"] == "chat.message_updated").await;
    for (number, person) in [&company.admin, &company.supervisor, two].into_iter().enumerate() {
        let mut all = outside[number].drain().await;
        all.extend(person.events_after(&heads[number]).await);
        for path in ["/channels?scope=all", "/chat/search?q=canario", "/chat/unread", "/chat/mentions"] {
            all.push(person.api.get(path).await.expect(200));
        }
        assert!(!has_canary(&all), "{all:?}");
        let message = path_of(&message);
        for path in [
            format!("/channels/{id}"),
            format!("/channels/{id}/messages"),
            format!("/channels/{id}/members"),
            format!("/channels/{id}/pins"),
            message.clone(),
            format!("{message}/thread"),
            format!("{message}/revisions"),
        ] {
            person.api.get(&path).await.expect(404);
        }
        for (path, body) in [
            (format!("/channels/{id}/join"), json!({})),
            (format!("/channels/{id}/leave"), json!({})),
            (format!("/channels/{id}/read"), json!({})),
            (format!("/channels/{id}/messages"), json!({"body": "x"})),
            (format!("/channels/{id}/members"), json!({"user_ids": [person.id]})),
            (format!("{message}/reactions"), json!({"emoji": "👀"})),
            (format!("{message}/pin"), json!({})),
        ] {
            person.api.post(&path, body).await.expect(404);
        }
        person.api.call(Method::DELETE, &message, None).await.expect(404);
        person.api.call(Method::PUT, &message, Some(json!({"body": "x"}))).await.expect(404);
    }
}

pub async fn who_leaves_sees_nothing_more(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (one, two) = (&company.agents[0], &company.agents[1]);
    let id = channel(one, "saída", "private", &[two]).await;
    let mut socket = two.socket().await;
    let head = two.head().await;
    let early = said(one, &id, &format!("{CANARY} antes")).await;
    socket.frame("what is said while they are in", |frame| frame["type"] == "chat.message_created").await;
    assert!(has_canary(&two.events_after(&head).await), "the feed has it while they are in");
    one.api.call(Method::DELETE, &format!("/channels/{id}/members/{}", two.id), None).await.expect(204);
    let left = socket.of_type("chat.channel_left").await;
    assert_eq!(text(&left["data"]["channel_id"]), id);
    said(one, &id, &format!("{CANARY} depois")).await;
    assert!(!has_canary(&socket.drain().await), "no frame");
    assert!(!has_canary(&two.events_after(&head).await), "nothing in the feed, not even from before");
    assert_eq!(two.api.get("/chat/search?q=canario").await.expect(200)["data"], json!([]));
    two.api.get(&path_of(&early)).await.expect(404);
    // Asked to come back, they see all of it.
    one.api.post(&format!("/channels/{id}/members"), json!({"user_ids": [two.id]})).await.expect(201);
    socket.of_type("chat.channel_joined").await;
    said(one, &id, &format!("{CANARY} de novo")).await;
    socket.frame("what is said again", |frame| frame["type"] == "chat.message_created").await;
    assert_eq!(two.api.get(&format!("/channels/{id}/messages")).await.expect(200)["data"].as_array().map(Vec::len), Some(3));
}

pub async fn students_reach_none_of_it(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (agent, student) = (&company.agents[0], &company.students[0]);
    let mut socket = student.socket().await;
    let id = channel(agent, "equipe", "public", &[]).await;
    let message = said(agent, &id, CANARY).await;
    for path in [
        "/channels".to_owned(),
        format!("/channels/{id}"),
        format!("/channels/{id}/messages"),
        path_of(&message),
        "/chat/search?q=canario".to_owned(),
        "/chat/unread".to_owned(),
    ] {
        student.api.get(&path).await.expect(403);
    }
    student.api.post(&format!("/channels/{id}/join"), json!({})).await.expect(403);
    assert!(!has_canary(&socket.drain().await));
    let head = student.head().await;
    assert!(!has_canary(&student.events_after(&head).await));
    agent.api.post(&format!("/channels/{id}/members"), json!({"user_ids": [student.id]})).await.expect(422);
}

pub async fn who_is_deactivated_is_out_and_comes_back(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (one, two) = (&company.agents[0], &company.agents[1]);
    let id = channel(one, "turma", "private", &[two]).await;
    company.admin.api.post(&format!("/admin/deactivate-user/{}", two.id), json!({})).await.expect(200);
    let shown = one.api.get(&format!("/channels/{id}")).await.expect(200);
    let members = one.api.get(&format!("/channels/{id}/members")).await.expect(200);
    assert_eq!((&shown["member_count"], members["data"].as_array().map(Vec::len)), (&json!(1), Some(1)));
    said(one, &id, "sem ele").await;
    let mention = json!({"body": "@dois", "mentions": {"user_ids": [two.id]}});
    one.api.post(&format!("/channels/{id}/messages"), mention).await.expect(422);
    company.admin.api.post(&format!("/admin/reactivate-user/{}", two.id), json!({})).await.expect(200);
    let back = tests::company::Person::sign_in(&stack, &two.email, &company.password).await.expect("a login");
    assert_eq!(super::own(&back, &id).await["unread"], 1, "where they were");
    // Without whoever made it, who is longest in it manages it, until they are back.
    let rename = |topic: &'static str| {
        let (path, back) = (format!("/channels/{id}"), back.clone());
        async move { back.api.call(reqwest::Method::PUT, &path, Some(json!({"topic": topic}))).await }
    };
    assert_eq!(rename("antes").await.problem(403), "not_manager");
    company.admin.api.post(&format!("/admin/deactivate-user/{}", one.id), json!({})).await.expect(200);
    rename("agora").await.expect(200);
    company.admin.api.post(&format!("/admin/reactivate-user/{}", one.id), json!({})).await.expect(200);
    assert_eq!(rename("depois").await.problem(403), "not_manager");
}
