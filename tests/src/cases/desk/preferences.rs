//! A conversation muted for one person: shown to them alone, and nothing else of it changes.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Answer, Company, Stack, Wanted, company::Person, company::text, each, sandbox::fresh_number};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { students: 1, agent_visibility: "company", ..Wanted::default() }).await
}

async fn save(person: &Person, id: &str, body: Value) -> Answer {
    person.api.call(reqwest::Method::PUT, &format!("/conversations/{id}/preferences"), Some(body)).await
}

async fn shown(person: &Person, id: &str) -> (Value, bool) {
    let listed = person.api.get("/conversations").await.expect(200);
    let is_listed = listed["muted_ids"].as_array().is_some_and(|ids| ids.contains(&json!(id)));
    (person.conversation(id).await["preferences"].clone(), is_listed)
}

pub async fn conversation_is_muted_for_one_person_alone(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (agent, colleague) = (&company.agents[0], &company.agents[1]);
    let (client, id) = company.served().await;
    let nothing = json!({"conversation_id": id, "muted": false, "muted_until": null});
    assert_eq!(shown(agent, &id).await, (nothing.clone(), false));
    let (mut mine, mut theirs) = (agent.socket().await, company.admin.socket().await);
    let muted = save(agent, &id, json!({"muted": true})).await.expect(200);
    assert_eq!(muted, json!({"conversation_id": id, "muted": true, "muted_until": null}));
    assert_eq!(mine.of_type("conversation.preferences_saved").await["data"]["preferences"], muted);
    assert_eq!(shown(agent, &id).await, (muted.clone(), true));
    for other in [colleague, &company.admin] {
        assert_eq!(shown(other, &id).await, (nothing.clone(), false), "it is nobody else's");
    }
    // Its events come all the same, the same to everybody.
    company.phone.receive_text(&client, "Ainda aí?").await;
    let (told, same) = (mine.of_type("conversation.updated").await, theirs.of_type("conversation.updated").await);
    assert_eq!(told["data"], same["data"]);
    let heard = theirs.drain().await;
    assert!(heard.iter().all(|frame| frame["type"] != "conversation.preferences_saved"), "{heard:?}");
    // What is as it was tells nobody; another time does, and ends by itself.
    let head = agent.head().await;
    save(agent, &id, json!({"muted": true})).await.expect(200);
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    save(agent, &id, json!({"muted": true, "muted_until": soon})).await.expect(200);
    let told = agent.told_after(&head).await;
    assert_eq!(told.iter().filter(|event| event["type"] == "conversation.preferences_saved").count(), 1, "{told:?}");
    assert!(shown(agent, &id).await.1);
    let past = "update conversation_preferences set muted_until = now() - interval '1 second' where company_id = $1";
    stack.database().await.execute(past, &[&company.id]).await.expect("it is over");
    assert_eq!(shown(agent, &id).await, (nothing.clone(), false));
    save(agent, &id, json!({"muted": true})).await.expect(200);
    save(agent, &id, json!({"muted": false})).await.expect(200);
    assert_eq!(shown(agent, &id).await, (nothing, false));
    for body in [
        json!({}),
        json!({"muted": false, "muted_until": soon}),
        json!({"muted": true, "muted_until": "2020-01-01T00:00:00Z"}),
        json!({"muted": true, "muted_until": "2099-01-01T00:00:00Z"}),
    ] {
        save(agent, &id, body).await.expect(422);
    }
    save(&company.students[0], &id, json!({"muted": true})).await.expect(403);
}

pub async fn muting_at_once_and_out_of_sight(stack: Arc<Stack>) {
    let departments = vec![("Atendimento", vec![1]), ("Financeiro", vec![2])];
    let company = stack.company(Wanted { students: 0, departments, ..Wanted::default() }).await;
    let (_, id) = company.served().await;
    let path = format!("/conversations/{id}/preferences");
    company.agents[1].api.call(reqwest::Method::PUT, &path, Some(json!({"muted": true}))).await.expect(404);
    let people = [&company.agents[0], &company.admin, &company.supervisor];
    let answers = each(0..24, |index| {
        let (api, path) = (&people[index % 3].api, &path);
        let muted = index % 4 != 0;
        async move { api.call(reqwest::Method::PUT, path, Some(json!({"muted": muted}))).await.status }
    })
    .await;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    for person in people {
        save(person, &id, json!({"muted": true})).await.expect(200);
        assert!(shown(person, &id).await.1);
    }
}

pub async fn muted_conversation_stays_so_with_whom_it_becomes_part_of(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let (first, second) = (fresh_number(), fresh_number());
    for client in [&first, &second] {
        company.phone.receive_text(client, "Oi").await;
    }
    let (stays, goes) = (agent.conversation_of(&first).await, agent.conversation_of(&second).await);
    agent.take_over(text(&stays["id"])).await;
    save(agent, text(&goes["id"]), json!({"muted": true})).await.expect(200);
    let path = format!("/clients/{}/merge", text(&stays["client_id"]));
    let merged = company.supervisor.api.post(&path, json!({"client_id": goes["client_id"]})).await.expect(201);
    assert!(shown(agent, text(&stays["id"])).await.1, "{merged}");
    company.supervisor.api.post(&format!("/client-merges/{}/undo", text(&merged["id"])), json!({})).await.expect(200);
    assert!(!shown(agent, text(&stays["id"])).await.1);
    assert!(shown(agent, text(&goes["id"])).await.1);
}
