//! The least a front end has to send with a message, and what keeps a repeated request from being a second message.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{
    Company, Stack, Wanted,
    company::text,
    desk::{PDF, PNG},
    soon,
};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { students: 0, agent_visibility: "company", ..Wanted::default() }).await
}

pub async fn shortest_message_is_a_text(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let api = &company.agents[0].api;
    let message = json!({"conversation_id": id, "body": "Bom dia"});
    let first = api.post("/messages", message.clone()).await.expect(201);
    assert_eq!((text(&first["kind"]), text(&first["body"])), ("text", "Bom dia"));
    // Without any id of theirs, the same words again are another message.
    let second = api.post("/messages", message).await.expect(201);
    assert_ne!(first["id"], second["id"]);
    assert!(first["client_message_id"].is_string() && first["client_message_id"] != second["client_message_id"]);
    assert_eq!(company.phone.sent_at_least(2).await[0]["body"]["text"]["body"], "Bom dia");
    let empty = api.post("/messages", json!({"conversation_id": id})).await.expect(422);
    assert_eq!(empty["errors"][0]["field"], "body");
}

pub async fn same_key_never_sends_twice(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let api = company.agents[0].api.with_header("idempotency-key", "order-4711");
    let message = json!({"conversation_id": id, "body": "Uma vez"});
    let answers = join_all((0..5).map(|_| api.post("/messages", message.clone()))).await;
    let ids: Vec<Value> = answers.into_iter().map(|answer| answer.expect(201)["id"].clone()).collect();
    assert!(ids.iter().all(|found| *found == ids[0]), "{ids:?}");
    let other = json!({"conversation_id": id, "body": "Outra coisa"});
    assert_eq!(api.post("/messages", other.clone()).await.problem(422), "idempotency_key_reused");
    // Once the stored answer is swept, the message itself remembers its key.
    let forget = "delete from idempotency_keys where company_id = $1";
    stack.database().await.execute(forget, &[&company.id]).await.expect("the answers are swept");
    assert_eq!(api.post("/messages", message).await.expect(201)["id"], ids[0]);
    stack.database().await.execute(forget, &[&company.id]).await.expect("the answers are swept");
    assert_eq!(api.post("/messages", other).await.problem(422), "client_message_id_reused");
    company.phone.sent_at_least(1).await;
    soon().await;
    assert_eq!(company.phone.sent().await.len(), 1);
}

pub async fn key_is_its_senders_own(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let message = json!({"conversation_id": id, "body": "Oi"});
    let mut ids = Vec::new();
    for person in [&company.agents[0], &company.supervisor] {
        let api = person.api.with_header("idempotency-key", "same");
        ids.push(api.post("/messages", message.clone()).await.expect(201)["id"].clone());
    }
    assert_ne!(ids[0], ids[1]);
    // An id of one's own goes before what the key would make.
    let api = company.agents[0].api.with_header("idempotency-key", "another");
    let named = json!({"conversation_id": id, "body": "Oi", "client_message_id": "meu-1"});
    assert_eq!(api.post("/messages", named).await.expect(201)["client_message_id"], "meu-1");
}

pub async fn media_url_names_files_of_ours_only(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let other = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (_, id) = company.served().await;
    let agent = &company.agents[0];
    let (picture, paper) = (agent.upload("a.png", "image/png", PNG).await, agent.upload("a.pdf", "application/pdf", PDF).await);
    let theirs = other.agents[0].upload("b.png", "image/png", PNG).await;
    let send =
        |kind: &str, url: &str| agent.api.post("/messages", json!({"conversation_id": id, "kind": kind, "media_url": url}));
    let base = &stack.addresses.api;
    for url in [
        picture.clone(),
        format!("/storage/download/{picture}"),
        format!("{base}/storage/download/{picture}"),
        format!("{base}/api/v1/storage/download/{picture}?inline=true"),
    ] {
        assert_eq!(send("image", &url).await.expect(201)["file"]["id"], picture.as_str(), "{url}");
    }
    for (url, code) in [
        (format!("https://example.org/storage/download/{picture}"), "foreign_url"),
        ("https://example.org/a.png".to_owned(), "foreign_url"),
        (format!("{base}.example.org/storage/download/{picture}"), "foreign_url"),
        (format!("/storage/download/{theirs}"), "unknown_file"),
        (uuid::Uuid::now_v7().to_string(), "unknown_file"),
        (format!("/storage/download/{paper}"), "wrong_kind"),
    ] {
        let refused = send("image", &url).await.expect(422);
        let error = &refused["errors"][0];
        assert_eq!((text(&error["field"]), text(&error["code"])), ("media_url", code), "{url}");
    }
    let both =
        json!({"conversation_id": id, "kind": "document", "file_id": paper, "media_url": format!("/storage/download/{paper}")});
    assert_eq!(agent.api.post("/messages", both).await.expect(201)["file"]["id"], paper.as_str());
    let two = json!({"conversation_id": id, "kind": "document", "file_id": paper, "media_url": picture});
    assert_eq!(agent.api.post("/messages", two).await.expect(422)["errors"][0]["code"], "different_values");
}
