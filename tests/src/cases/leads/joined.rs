//! Two cards of one person

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Stack, company::text};

use super::{change, company, did, fresh, lead_with, names, path};

pub async fn twins_are_shown_and_joined_and_parted(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (agent, boss) = (&company.agents[0], &company.supervisor);
    let first = lead_with(agent, json!({"name": "Ana", "phone": "11987654321", "tags": ["a"], "origin": "site"})).await;
    let second = lead_with(
        agent,
        json!({"name": "Ana C.", "phone": "(11) 98765-4321", "email": "ana@x.com", "tags": ["b"], "crm_id": "9"}),
    )
    .await;
    assert_eq!((&second["duplicates"][0]["id"], text(&second["duplicates"][0]["same"])), (&first["id"], "phone"));
    did(agent, &second, json!({"type": "call", "summary": "Ligou", "result": "proposal_sent"})).await;
    let merge = async |body: Value| boss.api.post(&format!("{}/merge", path(&first)), body).await;
    let same = merge(json!({"lead_id": first["id"]})).await;
    assert_eq!((same.status, text(&same.body["errors"][0]["code"])), (422, "same_lead"));
    agent.api.post(&format!("{}/merge", path(&first)), json!({"lead_id": second["id"]})).await.problem(403);
    let mut socket = agent.socket().await;
    let merged = merge(json!({"lead_id": second["id"]})).await.expect(201);
    assert_eq!(socket.of_type("lead.deleted").await["data"]["merged_into_id"], first["id"]);
    let joined = fresh(agent, &first).await;
    assert_eq!((text(&joined["name"]), text(&joined["email"]), text(&joined["crm_id"])), ("Ana", "ana@x.com", "9"));
    assert_eq!(
        (&joined["tags"], &joined["interactions_count"], &joined["duplicates"]),
        (&json!(["a", "b"]), &json!(1), &json!([]))
    );
    agent.api.get(&path(&second)).await.problem(404);
    assert_eq!(names(&agent.api.get("/leads").await.expect(200)), ["Ana"]);
    // What came since stays; what was changed since stays.
    did(agent, &first, json!({"type": "call", "summary": "Depois", "result": "contacted"})).await;
    change(agent, &fresh(agent, &first).await, json!({"email": "nova@x.com"})).await.expect(200);
    let undo = format!("/lead-merges/{}/undo", text(&merged["id"]));
    let answers = join_all((0..4).map(|_| boss.api.post(&undo, json!({})))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    let (kept, back) = (fresh(agent, &first).await, fresh(agent, &second).await);
    assert_eq!((text(&kept["email"]), &kept["crm_id"], &kept["tags"]), ("nova@x.com", &Value::Null, &json!(["a"])));
    assert_eq!((text(&back["crm_id"]), &back["interactions_count"], &kept["interactions_count"]), ("9", &json!(1), &json!(1)));
    assert_eq!(boss.api.post(&undo, json!({})).await.problem(409), "merge_undone");
}

pub async fn of_many_merges_at_once_one_wins(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let boss = &company.supervisor;
    let (one, other) = (lead_with(boss, json!({"name": "Um"})).await, lead_with(boss, json!({"name": "Dois"})).await);
    let merges = (0..8).map(|number| {
        let (stays, goes) = if number % 2 == 0 { (&one, &other) } else { (&other, &one) };
        let (at, body) = (format!("{}/merge", path(stays)), json!({"lead_id": goes["id"]}));
        async move { boss.api.post(&at, body).await }
    });
    let merges = join_all(merges).await;
    assert_eq!(merges.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(merges.iter().all(|answer| [201, 404, 422].contains(&answer.status)));
    assert_eq!(boss.api.get("/leads").await.expect(200)["totals"]["count"], 1);
}

pub async fn a_lead_follows_its_client(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let boss = &company.supervisor;
    let make = async |name: &str| text(&boss.api.post("/clients", json!({"name": name})).await.expect(201)["id"]).to_owned();
    let (stays, goes) = (make("Ana").await, make("Ana C.").await);
    let lead = lead_with(boss, json!({"name": "Ana", "client_id": goes})).await;
    let merge = boss.api.post(&format!("/clients/{stays}/merge"), json!({"client_id": goes})).await.expect(201);
    assert_eq!(fresh(boss, &lead).await["client_id"], json!(stays));
    boss.api.post(&format!("/client-merges/{}/undo", text(&merge["id"])), json!({})).await.expect(200);
    assert_eq!(fresh(boss, &lead).await["client_id"], json!(goes));
}
