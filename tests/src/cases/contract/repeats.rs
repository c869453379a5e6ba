//! `Idempotency-Key`: the same request twice is one.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Api, Company, Stack, Wanted};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await
}

async fn departments(api: &Api) -> usize {
    api.get("/departments").await.expect(200)["data"].as_array().map_or(0, Vec::len)
}

pub async fn a_repeated_request_is_answered_with_the_first_answer(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = company.admin.api.with_header("idempotency-key", "first");
    let first = api.post("/departments", json!({"name": "Vendas"})).await;
    assert_eq!(first.header("idempotency-replayed"), None);
    let second = api.post("/departments", json!({"name": "Vendas"})).await;
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(first.expect(201), second.expect(201));
    assert_eq!(departments(&company.admin.api).await, 1);
    let events = "select count(*) from events where company_id = $1 and type = 'department.created'";
    let row = stack.database().await.query_one(events, &[&company.id]).await.expect("the database answers");
    assert_eq!(row.get::<_, i64>(0), 1);
}

pub async fn a_key_is_for_one_body_only(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = company.admin.api.with_header("idempotency-key", "one body");
    api.post("/departments", json!({"name": "Vendas"})).await.expect(201);
    let other = api.post("/departments", json!({"name": "Suporte"})).await;
    assert_eq!(other.problem(422), "idempotency_key_reused");
    assert_eq!(departments(&company.admin.api).await, 1);
}

/// What is asked for is the same, in whatever names and however it is written.
pub async fn the_same_request_in_other_names_is_the_same(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let api = company.agents[0].api.with_header("idempotency-key", "other names");
    let first = api.post("/messages", json!({"conversation_id": id, "kind": "text", "body": "Oi"})).await.expect(201);
    for same in [
        json!({"conversation_id": id, "message_type": "text", "content": "Oi"}),
        json!({"content": " Oi\n", "kind": "text", "conversation_id": id, "companyId": company.id}),
    ] {
        let again = api.post("/messages", same).await;
        assert_eq!(again.header("idempotency-replayed"), Some("true"), "{}", again.body);
        assert_eq!(again.expect(201), first);
    }
    let spaced = format!("{{ \"content\" : \"Oi\",\n \"message_type\":\"text\", \"conversation_id\" : \"{id}\" }}");
    let spaced = api.send(reqwest::Method::POST, "/messages", Some(("application/json", spaced.into_bytes()))).await;
    assert_eq!(spaced.expect(201), first);
    let other = api.post("/messages", json!({"conversation_id": id, "kind": "text", "content": "Olá"})).await;
    assert_eq!(other.problem(422), "idempotency_key_reused");
    assert_eq!(company.agents[0].thread(&id).await.iter().filter(|message| message["body"] == "Oi").count(), 2);
}

pub async fn a_key_that_is_not_plain_text_is_refused(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = company.admin.api.with_header("idempotency-key", "clé");
    assert_eq!(api.post("/departments", json!({"name": "Vendas"})).await.problem(422), "invalid");
    assert_eq!(departments(&company.admin.api).await, 0);
}

pub async fn a_key_is_its_callers_own(stack: Arc<Stack>) {
    let (one, other) = (company(&stack).await, company(&stack).await);
    let with_key = |api: &Api| api.with_header("idempotency-key", "same");
    let body = json!({"name": "Vendas"});
    let first = with_key(&one.admin.api).post("/departments", body.clone()).await.expect(201);
    let second = with_key(&other.admin.api).post("/departments", body.clone()).await.expect(201);
    assert_ne!(first["id"], second["id"]);
    let colleague = with_key(&one.supervisor.api).post("/departments", body).await;
    assert_eq!(colleague.problem(409), "name_taken");
    // Another route with the same key is another request.
    let upload = json!({"name": "a.png", "mime_type": "image/png", "size": 67});
    with_key(&one.admin.api).post("/storage/signed-upload-url", upload).await.expect(201);
}

pub async fn a_refused_request_does_not_use_its_key_up(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = company.admin.api.with_header("idempotency-key", "again");
    company.admin.api.post("/departments", json!({"name": "Vendas"})).await.expect(201);
    assert_eq!(api.post("/departments", json!({"name": "vendas"})).await.problem(409), "name_taken");
    assert_eq!(api.post("/departments", json!({"name": ""})).await.problem(422), "invalid");
    api.post("/departments", json!({"name": "Suporte"})).await.expect(201);
}

pub async fn duplicates_at_once_make_one_row(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = company.admin.api.with_header("idempotency-key", "at once");
    let answers = join_all((0..8).map(|_| api.post("/departments", json!({"name": "Vendas"})))).await;
    let ids: Vec<Value> = answers.into_iter().map(|answer| answer.expect(201)["id"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(departments(&company.admin.api).await, 1);
}

pub async fn names_at_once_make_one_row(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let names = ["Vendas", "VENDAS", "vendas", "Vendas ", "vEndas"];
    let answers = join_all(names.map(|name| company.admin.api.post("/departments", json!({"name": name})))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409]);
    let winner = answers.iter().find(|answer| answer.status == 201).expect("a winner");
    for loser in answers.iter().filter(|answer| answer.status == 409) {
        assert_eq!(loser.body["current"]["id"], winner.body["id"]);
    }
}

pub async fn keys_have_a_length(stack: Arc<Stack>) {
    let company = company(&stack).await;
    for key in [String::new(), "k".repeat(256)] {
        let api = company.admin.api.with_header("idempotency-key", &key);
        assert_eq!(api.post("/departments", json!({"name": "Vendas"})).await.problem(422), "invalid", "{}", key.len());
    }
    let api = company.admin.api.with_header("idempotency-key", &"k".repeat(255));
    api.post("/departments", json!({"name": "Vendas"})).await.expect(201);
}
