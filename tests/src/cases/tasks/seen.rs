//! Who sees a task, and where it goes with what it is about.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Stack, Wanted, company::text, each};

use super::{change, client, complete, found, make, minutes, path_of, problems, titles};
use crate::cases::mentees;

pub async fn agents_see_their_own_and_what_is_about_what_they_see(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agent_visibility: "own", agents: 3, ..Wanted::default() }).await;
    let [agent, colleague, third] = &company.agents[..] else { panic!("three agents") };
    // Agent 1 holds the conversation and mentors somebody: agent 2 sees neither.
    let (_, conversation) = company.served().await;
    let mentee = mentees::begun(agent, &[]).await;
    let ana = client(agent).await;
    for (title, about) in [
        ("só minha", json!({})),
        ("conversa", json!({"conversation_id": conversation})),
        ("mentoria", json!({"mentee_id": mentee})),
    ] {
        let mut task = about;
        task["title"] = json!(title);
        make(agent, task).await;
    }
    let lead = json!({"name": "Bia", "closer_id": agent.id});
    let lead = company.supervisor.api.post("/leads", lead).await.expect(201)["id"].clone();
    make(agent, json!({"title": "lead", "lead_id": lead})).await;
    make(agent, json!({"title": "cliente", "client_id": ana})).await;
    make(agent, json!({"title": "dada", "owner_id": colleague.id, "conversation_id": conversation})).await;
    let all = titles(&company.supervisor, "").await;
    assert_eq!(all.len(), 6);
    assert_eq!(titles(agent, "").await, all);
    let mut theirs = titles(colleague, "").await;
    theirs.sort();
    assert_eq!(theirs, ["cliente", "dada"]);
    assert_eq!(titles(third, "").await, ["cliente"]);
    for task in found(agent, "").await {
        let is_seen = ["cliente", "dada"].contains(&text(&task["title"]));
        assert_eq!(change(colleague, &task, json!({"notes": "x"})).await.status, if is_seen { 200 } else { 404 }, "{task}");
        if !is_seen {
            complete(colleague, &task, json!({})).await.expect(404);
            colleague.api.call(reqwest::Method::DELETE, &path_of(&task), None).await.expect(404);
        }
        change(&company.supervisor, &task, json!({"notes": "y"})).await.expect(200);
    }
    // What one does not see one names nowhere.
    for (about, field) in [
        (json!({"conversation_id": conversation}), "conversation_id"),
        (json!({"mentee_id": mentee}), "mentee_id"),
        (json!({"lead_id": lead}), "lead_id"),
    ] {
        let mut task = about;
        task["title"] = json!("x");
        let refused = third.api.post("/tasks", task.clone()).await.expect(422);
        assert_eq!(problems(&refused), [(field, "not_found")]);
        let own = make(third, json!({"title": "x"})).await;
        assert_eq!(problems(&change(third, &own, task).await.expect(422)), [(field, "not_found")]);
    }
    // Done by whom it was given to, who does not see the conversation: what comes after it is theirs and about the same.
    let given = found(colleague, "owner=me").await.remove(0);
    let done = complete(colleague, &given, json!({"next": {"title": "e depois"}})).await.expect(200);
    assert_eq!((&done["next"]["conversation_id"], &done["next"]["owner_id"]), (&json!(conversation), &json!(colleague.id)));
}

pub async fn who_gives_a_task_away_sees_where_it_went(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agent_visibility: "own", agents: 3, ..Wanted::default() }).await;
    let [one, two, three] = &company.agents[..] else { panic!("three agents") };
    let task = make(&company.supervisor, json!({"title": "Ligar", "owner_id": one.id})).await;
    let given = change(one, &task, json!({"owner_id": two.id})).await.expect(200);
    assert_eq!(given["owner_id"], json!(two.id));
    assert_eq!((titles(one, "").await.len(), titles(two, "").await.len(), titles(three, "").await.len()), (1, 1, 0));
    change(two, &task, json!({"owner_id": three.id})).await.expect(200);
    assert_eq!((titles(one, "").await.len(), titles(two, "").await.len(), titles(three, "").await.len()), (0, 1, 1));
    // Taken off what all see, too.
    let ana = client(one).await;
    let about = make(&company.supervisor, json!({"title": "Ver", "client_id": ana})).await;
    let changed = change(one, &about, json!({"client_id": null})).await.expect(200);
    assert_eq!(
        (&changed["client_id"], titles(one, "").await, titles(two, "").await.len()),
        (&Value::Null, vec!["Ver".to_owned()], 1)
    );
}

pub async fn changes_are_told_to_those_who_see_the_task(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agent_visibility: "own", agents: 3, ..Wanted::default() }).await;
    let [agent, colleague, third] = &company.agents[..] else { panic!("three agents") };
    let (_, conversation) = company.served().await;
    let mut blind = third.socket().await;
    let lead = json!({"name": "Bia", "closer_id": agent.id});
    let lead = company.supervisor.api.post("/leads", lead).await.expect(201)["id"].clone();
    let mentee = mentees::begun(agent, &[]).await;
    for about in [json!({}), json!({"conversation_id": conversation}), json!({"mentee_id": mentee}), json!({"lead_id": lead})] {
        let (head, theirs, blind_head) = (agent.head().await, colleague.head().await, third.head().await);
        let mut task = about.clone();
        task["title"] = json!("Ligar");
        task["due_at"] = json!(minutes(5));
        let task = make(agent, task).await;
        // Whom it is given to learns of it, also without seeing what it is about, and all who see that go on hearing of it.
        change(agent, &task, json!({"owner_id": colleague.id})).await.expect(200);
        complete(colleague, &task, json!({"next": {"title": "Depois"}})).await.expect(200);
        let of = |events: Vec<Value>| {
            let kinds = events.iter().map(|event| text(&event["type"]).to_owned());
            kinds.filter(|kind| kind.starts_with("task.")).collect::<Vec<_>>()
        };
        let told = of(agent.told_after(&head).await);
        assert_eq!(
            told.iter().filter(|kind| *kind == "task.created").count(),
            if about == json!({}) { 1 } else { 2 },
            "{about} {told:?}"
        );
        assert!(told.contains(&"task.updated".to_owned()) && told.contains(&"task.completed".to_owned()), "{about} {told:?}");
        let told = of(colleague.told_after(&theirs).await);
        assert_eq!(told, ["task.updated", "task.created", "task.completed"], "{about}");
        assert_eq!(of(third.events_after(&blind_head).await), [""; 0], "{about}");
    }
    assert!(!blind.drain().await.iter().any(|frame| text(&frame["type"]).starts_with("task.")));
    // About a client whom all see, all are told.
    let ana = client(agent).await;
    let task = make(agent, json!({"title": "Ver", "client_id": ana})).await;
    assert_eq!(blind.of_type("task.created").await["data"]["task"]["id"], task["id"]);
    agent.api.call(reqwest::Method::DELETE, &path_of(&task), None).await.expect(204);
    assert_eq!(blind.of_type("task.deleted").await["data"]["task_id"], task["id"]);
}

pub async fn tasks_follow_two_clients_who_are_joined_and_go_back(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let supervisor = &company.supervisor;
    let (_, one) = company.served().await;
    let (_, two) = company.served().await;
    let client_of = async |conversation: &str| text(&supervisor.conversation(conversation).await["client_id"]).to_owned();
    let (stays, goes) = (client_of(&one).await, client_of(&two).await);
    for about in [
        json!({"title": "cliente", "client_id": goes}),
        json!({"title": "conversa", "conversation_id": two}),
        json!({"title": "outra", "client_id": stays}),
    ] {
        make(supervisor, about).await;
    }
    let before = found(supervisor, "").await;
    let merge = supervisor.api.post(&format!("/clients/{stays}/merge"), json!({"client_id": goes})).await.expect(201);
    let joined = found(supervisor, &format!("client_id={stays}")).await;
    assert_eq!(joined.len(), 3);
    assert_eq!(found(supervisor, &format!("client_id={goes}")).await, [Value::Null; 0]);
    let of_conversation = joined.iter().find(|task| task["title"] == "conversa").expect("it is there");
    assert!([json!(one), json!(two)].contains(&of_conversation["conversation_id"]), "{of_conversation}");
    supervisor.api.post(&format!("/client-merges/{}/undo", text(&merge["id"])), json!({})).await.expect(200);
    assert_eq!(found(supervisor, "").await, before);
}

pub async fn a_task_made_while_two_clients_are_joined_is_about_the_one_who_stays(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let supervisor = &company.supervisor;
    let (stays, goes) = (client(supervisor).await, client(supervisor).await);
    let own = make(supervisor, json!({"title": "muda"})).await;
    let merging = async { supervisor.api.post(&format!("/clients/{stays}/merge"), json!({"client_id": goes})).await.expect(201) };
    let making = each(0..8, async |number: i32| {
        let made = supervisor.api.post("/tasks", json!({"title": format!("{number}"), "client_id": goes})).await;
        assert!(made.status == 201 || made.body["errors"][0]["code"] == "not_found", "{}", made.body);
        usize::from(made.status == 201)
    });
    let moving = change(supervisor, &own, json!({"client_id": goes}));
    let (_, made, moved) = futures_util::future::join3(merging, making, moving).await;
    let expected = made.iter().sum::<usize>() + usize::from(moved.status == 200);
    assert_eq!(found(supervisor, &format!("client_id={stays}")).await.len(), expected);
    assert_eq!(found(supervisor, &format!("client_id={goes}")).await, [Value::Null; 0]);
}

pub async fn tasks_follow_two_leads_who_are_merged_and_go_back(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let supervisor = &company.supervisor;
    let lead = async |name: &str| text(&supervisor.api.post("/leads", json!({"name": name})).await.expect(201)["id"]).to_owned();
    let (stays, goes) = (lead("Ana").await, lead("Ana Lima").await);
    for about in [json!({"title": "um", "lead_id": stays}), json!({"title": "dois", "lead_id": goes})] {
        make(supervisor, about).await;
    }
    let before = found(supervisor, "").await;
    let merge = supervisor.api.post(&format!("/leads/{stays}/merge"), json!({"lead_id": goes})).await.expect(201);
    assert_eq!(found(supervisor, &format!("lead_id={stays}")).await.len(), 2);
    supervisor.api.post(&format!("/lead-merges/{}/undo", text(&merge["id"])), json!({})).await.expect(200);
    assert_eq!(found(supervisor, "").await, before);
}
