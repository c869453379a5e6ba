//! Pipelines and their stages

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Stack, company::Person, company::text};

use super::{column, company, lead, lead_with, mov, path, pipeline, stage};

pub(super) async fn draw(person: &Person, pipeline: &Value, body: Value) -> Answer {
    let version = pipeline["version"].to_string();
    let path = format!("/pipelines/{}/stages", text(&pipeline["id"]));
    person.api.with_header("if-match", &version).call(Method::PUT, &path, Some(body)).await
}

/// The stages as they are, without what only answers say.
pub(super) fn drawn(pipeline: &Value) -> Vec<Value> {
    let mut stages = pipeline["stages"].as_array().cloned().unwrap_or_default();
    for stage in &mut stages {
        stage.as_object_mut().expect("a stage").remove("position");
    }
    stages
}

pub async fn stages_are_drawn_anew_and_their_leads_move(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (boss, agent) = (&company.supervisor, &company.agents[0]);
    let before = pipeline(boss).await;
    let (ana, beto) = (lead(agent, "Ana").await, lead(agent, "Beto").await);
    for lead in [&ana, &beto] {
        mov(agent, lead, json!({"stage_id": stage(&before, "contacted")})).await.expect(200);
    }
    let gone = lead(agent, "Caio").await;
    mov(agent, &gone, json!({"stage_id": stage(&before, "contacted")})).await.expect(200);
    agent.api.call(Method::DELETE, &path(&gone), None).await.expect(204);
    let same = draw(boss, &before, json!({"stages": drawn(&before)})).await.expect(200);
    assert_eq!(same["version"], before["version"]);
    agent
        .api
        .with_header("if-match", "1")
        .call(Method::PUT, &format!("/pipelines/{}/stages", text(&before["id"])), Some(json!({"stages": []})))
        .await
        .problem(403);
    // Without "contacted"; "new" and "qualified" change places and keys, and one is new.
    let mut stages = drawn(&before);
    stages.remove(1);
    stages.swap(0, 1);
    stages[0]["key"] = json!("new");
    stages[1]["key"] = json!("qualified");
    stages.insert(2, json!({"key": "visit", "name": "Visita", "kind": "open", "colour": "#ABCDEF", "rotting_days": 2}));
    let asked = draw(boss, &before, json!({"stages": stages})).await;
    assert_eq!(asked.body["current"]["id"], before["id"]);
    assert_eq!(asked.problem(409), "stage_in_use");
    let to_won = json!({stage(&before, "contacted"): stage(&before, "won")});
    let refused = draw(boss, &before, json!({"stages": stages, "move_leads": to_won})).await;
    assert_eq!((refused.status, text(&refused.body["errors"][0]["code"])), (422, "unknown_stage"));
    let mut socket = agent.socket().await;
    let to_negotiation = json!({stage(&before, "contacted"): stage(&before, "negotiation")});
    let saved = draw(boss, &before, json!({"stages": stages, "move_leads": to_negotiation})).await.expect(200);
    let keys: Vec<&str> = saved["stages"].as_array().into_iter().flatten().map(|stage| text(&stage["key"])).collect();
    assert_eq!(keys, ["new", "qualified", "visit", "proposal", "negotiation", "won", "lost"]);
    assert_eq!(text(&saved["stages"][2]["colour"]), "#abcdef");
    assert_eq!(socket.of_type("pipeline.updated").await["data"]["pipeline"]["version"], saved["version"]);
    assert_eq!(column(agent, &saved, &stage(&saved, "negotiation")).await, ["Beto", "Ana"]);
    // What was off the board is somewhere, too.
    let back = agent.api.post(&format!("{}/restore", path(&gone)), json!({})).await.expect(200);
    assert_eq!(text(&back["status"]), "open");
    for (wrong, field) in [
        (json!({"key": "a", "name": "", "kind": "open"}), "stages[7].name"),
        (json!({"key": "A b", "name": "A", "kind": "open"}), "stages[7].key"),
        (json!({"key": "new", "name": "A", "kind": "open"}), "stages[7].key"),
        (json!({"id": uuid::Uuid::now_v7(), "key": "a", "name": "A", "kind": "open"}), "stages[7].id"),
        (json!({"key": "a", "name": "A", "kind": "open", "required_fields": ["nada"]}), "stages[7].required_fields[0]"),
    ] {
        let mut stages = drawn(&saved);
        stages.push(wrong);
        let refused = draw(boss, &saved, json!({"stages": stages})).await;
        assert_eq!((refused.status, text(&refused.body["errors"][0]["field"])), (422, field));
    }
    let mut without_end = drawn(&saved);
    without_end.truncate(5);
    assert_eq!(draw(boss, &saved, json!({"stages": without_end})).await.status, 422);
}

pub async fn pipelines_are_made_changed_and_removed(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (boss, agent) = (&company.supervisor, &company.agents[0]);
    let first = pipeline(boss).await;
    let made = boss.api.post("/pipelines", json!({"name": "Mentoria"})).await.expect(201);
    assert_eq!(boss.api.post("/pipelines", json!({"name": "MENTÓRIA"})).await.problem(409), "name_taken");
    agent.api.post("/pipelines", json!({"name": "Minha"})).await.problem(403);
    let at = format!("/pipelines/{}", text(&made["id"]));
    let change = async |version: &Value, body: Value| {
        boss.api.with_header("if-match", &version.to_string()).call(Method::PUT, &at, Some(body)).await
    };
    let renamed = change(&made["version"], json!({"name": "Mentorias"})).await.expect(200);
    assert_eq!(change(&made["version"], json!({"name": "Outra"})).await.problem(409), "stale_version");
    let now_first = change(&renamed["version"], json!({"is_default": true})).await.expect(200);
    assert_eq!(lead(agent, "Ana").await["pipeline_id"], made["id"]);
    assert_eq!(change(&now_first["version"], json!({"is_default": false})).await.problem(409), "default_pipeline");
    let listed = agent.api.get("/pipelines").await.expect(200);
    let defaults = listed["data"].as_array().into_iter().flatten().filter(|one| one["is_default"] == true).count();
    assert_eq!((defaults, &listed["data"][0]["id"]), (1, &made["id"]));
    assert_eq!(boss.api.call(Method::DELETE, &at, None).await.problem(409), "default_pipeline");
    let old = format!("/pipelines/{}", text(&first["id"]));
    let inside = lead_with(agent, json!({"name": "Beto", "pipeline_id": first["id"]})).await;
    assert_eq!(boss.api.call(Method::DELETE, &old, None).await.problem(409), "pipeline_in_use");
    agent.api.call(Method::DELETE, &path(&inside), None).await.expect(204);
    boss.api.call(Method::DELETE, &old, None).await.expect(204);
    boss.api.get(&old).await.problem(404);
    // One that comes back has nowhere to go but the first one's beginning.
    let back = agent.api.post(&format!("{}/restore", path(&inside)), json!({})).await.expect(200);
    assert_eq!(back["pipeline_id"], made["id"]);
    // Of many who make theirs the first one, one is.
    let others = ["A", "B", "C", "D"].map(|name| boss.api.post("/pipelines", json!({"name": name})));
    let others: Vec<Value> = join_all(others).await.into_iter().map(|made| made.expect(201)).collect();
    let first = others.iter().map(|other| {
        let at = format!("/pipelines/{}", text(&other["id"]));
        let api = boss.api.with_header("if-match", "1");
        async move { api.call(Method::PUT, &at, Some(json!({"is_default": true}))).await }
    });
    for answer in join_all(first).await {
        answer.expect(200);
    }
    let listed = agent.api.get("/pipelines").await.expect(200);
    let defaults = listed["data"].as_array().into_iter().flatten().filter(|one| one["is_default"] == true).count();
    assert_eq!(defaults, 1);
}

pub async fn of_two_who_draw_stages_one_does(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let boss = &company.supervisor;
    let before = pipeline(boss).await;
    let draws = (0..6).map(|number| {
        let mut stages = drawn(&before);
        stages[0]["name"] = json!(format!("Novo {number}"));
        let before = before.clone();
        async move { draw(boss, &before, json!({"stages": stages})).await }
    });
    let answers = join_all(draws).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for answer in answers.into_iter().filter(|answer| answer.status != 200) {
        assert_eq!(answer.problem(409), "stale_version");
    }
    // Cards come in while stages go.
    let now = pipeline(boss).await;
    let mut stages = drawn(&now);
    stages.remove(1);
    let agent = &company.agents[0];
    let contacted = stage(&now, "contacted");
    let cards = (0..12).map(|number| {
        let contacted = contacted.clone();
        async move { agent.api.post("/leads", json!({"name": format!("Lead {number}"), "stage_id": contacted})).await.status }
    });
    let moves = json!({contacted.clone(): stage(&now, "qualified")});
    let (drawn, cards) =
        futures_util::future::join(draw(boss, &now, json!({"stages": stages, "move_leads": moves})), join_all(cards)).await;
    let saved = drawn.expect(200);
    let made = cards.iter().filter(|status| **status == 201).count();
    assert!(cards.iter().all(|status| [201, 422].contains(status)), "{cards:?}");
    assert_eq!(column(agent, &saved, &stage(&saved, "qualified")).await.len(), made);
}
