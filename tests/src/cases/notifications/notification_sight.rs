//! Whoever loses sight of something loses what they were told of it.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;
use tests::{Stack, Wanted, company::text};
use uuid::Uuid;

use super::{of_type, unread};

pub async fn who_sees_it_no_more_is_told_no_more_of_it(stack: Arc<Stack>) {
    let departments = vec![("Vendas", vec![1, 2]), ("Apoio", vec![3])];
    let company = stack.company(Wanted { agents: 3, departments, agent_visibility: "own", ..Wanted::default() }).await;
    let [one, two, three] = [&company.agents[0], &company.agents[1], &company.agents[2]];
    let (client, id) = company.served().await;
    let head = one.head().await;
    company.phone.receive_text(&client, "Meu segredo: canário-7").await;
    assert_eq!(of_type(one, "message").await.len(), 1);
    let told = one.events_after(&head).await;
    assert!(told.iter().any(|event| event["type"] == "notification.created"), "{told:?}");
    company.supervisor.transfer(&id, json!({"to_user_id": two.id})).await;
    assert!(of_type(one, "message").await.is_empty(), "neither listed");
    let events = one.events_after(&head).await;
    let still: Vec<_> = events.iter().filter(|event| event["type"] == "notification.created").collect();
    assert!(still.is_empty(), "nor in the feed: {still:?}");
    let unknown = of_type(two, "transfer").await[0]["id"].clone();
    assert_eq!(one.api.post(&format!("/notifications/{}/read", text(&unknown)), json!({})).await.problem(404), "not_found");
    // Who does not see a conversation is not told of it, whoever names them.
    let note = json!({"conversation_id": id, "text": "canário-8", "mention_ids": [three.id, two.id]});
    let written = company.supervisor.api.post("/notes", note).await.expect(201);
    assert_eq!(written["not_told_ids"], json!([three.id]));
    assert!(unread(three).await.is_empty());
    assert_eq!(of_type(two, "mention").await.len(), 1);
    // A channel that somebody is taken out of.
    let channel = json!({"name": "sigilo", "kind": "private", "member_ids": [two.id]});
    let channel = text(&one.api.post("/channels", channel).await.expect(201)["id"]).to_owned();
    let words = json!({"body": "canário-9", "mentions": {"user_ids": [two.id]}});
    one.api.post(&format!("/channels/{channel}/messages"), words).await.expect(201);
    assert_eq!(of_type(two, "mention").await.len(), 2);
    let before = unread(two).await.len();
    one.api.call(Method::DELETE, &format!("/channels/{channel}/members/{}", two.id), None).await.expect(204);
    let seen = two.api.get("/notifications").await.expect(200);
    assert!(!seen.to_string().contains("canário-9"), "{seen}");
    assert_eq!(unread(two).await.len(), before - 1);
}

/// The rule that counts for whoever is told, and the policies for whoever asks, are two writings of one.
pub async fn what_is_counted_is_what_is_seen(stack: Arc<Stack>) {
    for visibility in ["own", "department", "company"] {
        let departments = vec![("Vendas", vec![1, 2]), ("Apoio", vec![2])];
        let company = stack.company(Wanted { agents: 3, departments, agent_visibility: visibility, ..Wanted::default() }).await;
        let database = stack.database().await;
        // Everybody was told of every conversation there is: in each department and in none, with each assignee and with none, followed or not.
        let mut ids = Vec::new();
        for _ in 0..4 {
            ids.push(company.served().await.1);
        }
        let departments = [None, Some(company.departments[0].1), Some(company.departments[1].1), None];
        for (number, id) in ids.iter().enumerate() {
            let id: Uuid = id.parse().expect("an id");
            let assignee = (number != 2).then(|| company.agents[number % 3].id);
            let followers: Vec<Uuid> = if number == 3 { vec![company.agents[1].id] } else { Vec::new() };
            let set = "update conversations set department_id = $2, assignee_id = $3, participant_ids = $4 where id = $1";
            database.execute(set, &[&id, &departments[number], &assignee, &followers]).await.expect("placed");
            let tell = "
                insert into notifications (company_id, user_id, type, group_key, conversation_id, on_screen, by_mail, by_push)
                select company_id, user_id, 'reminder', 'x:' || $2::uuid, $2, true, true, true from memberships where company_id = $1";
            database.execute(tell, &[&company.id, &id]).await.expect("told");
        }
        let people: Vec<_> =
            company.agents.iter().chain([&company.admin, &company.supervisor]).chain(&company.students).collect();
        let mut sizes = Vec::new();
        for person in people {
            sizes.push(unread(person).await.len());
        }
        sizes.dedup();
        assert!(visibility == "company" || sizes.len() > 1, "they see different ones: {sizes:?}");
    }
}

pub async fn reading_on_one_device_clears_the_others(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, ..Wanted::default() }).await;
    let agent = &company.agents[0];
    let (client, _) = company.served().await;
    company.phone.receive_text(&client, "Oi").await;
    let mut other = agent.socket().await;
    let told = of_type(agent, "message").await.remove(0);
    let path = format!("/notifications/{}/read", text(&told["id"]));
    assert_eq!(agent.api.post(&path, json!({})).await.expect(200)["unread"], 0);
    let frame = other.of_type("notification.read").await;
    assert_eq!((&frame["data"]["ids"], &frame["data"]["unread"]), (&json!([told["id"]]), &json!(0)));
    let head = agent.head().await;
    assert_eq!(agent.api.post(&path, json!({})).await.expect(200)["unread"], 0);
    assert!(agent.events_after(&head).await.is_empty(), "what is read is read");
    // All, as far as they were on the screen.
    company.phone.receive_text(&client, "Um").await;
    let seen = of_type(agent, "message").await.remove(0);
    let note = json!({"client_id": client_of(agent).await, "text": "@você", "mention_ids": [agent.id]});
    company.supervisor.api.post("/notes", note).await.expect(201);
    let read = json!({"until": seen["at"]});
    assert_eq!(agent.api.post("/notifications/read-all", read).await.expect(200)["unread"], 1);
    assert_eq!(unread(agent).await[0].0, "mention");
    assert_eq!(agent.api.post("/notifications/read-all", json!({"types": ["message"]})).await.expect(200)["unread"], 1);
    assert_eq!(agent.api.post("/notifications/read-all", json!({})).await.expect(200)["unread"], 0);
}

async fn client_of(person: &tests::company::Person) -> String {
    let list = person.api.get("/conversations").await.expect(200);
    text(&list["data"][0]["client_id"]).to_owned()
}

pub async fn students_have_their_own_and_no_others(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, ..Wanted::default() }).await;
    let student = &company.students[0];
    let (client, _) = company.served().await;
    company.phone.receive_text(&client, "Oi").await;
    assert!(unread(student).await.is_empty());
    student.api.get("/notifications/preferences").await.expect(200);
    super::choose(student, json!({"email_after_minutes": 60})).await;
    let foreign = of_type(&company.agents[0], "message").await.remove(0);
    let path = format!("/notifications/{}/read", text(&foreign["id"]));
    assert_eq!(student.api.post(&path, json!({})).await.problem(404), "not_found");
    student.api.post("/notifications/read-all", json!({})).await.expect(200);
    assert_eq!(unread(&company.agents[0]).await.len(), 1);
}
