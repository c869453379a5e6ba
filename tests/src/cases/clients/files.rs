//! GET and POST /clients/{id}/files.

use std::sync::Arc;

use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer, Company, Stack, Wanted,
    company::{Person, text},
    desk::{PDF, PNG, media},
    sandbox::fresh_number,
};

async fn document(person: &Person, name: &str, bytes: &[u8]) -> String {
    let path = format!("/storage/upload?purpose=document&name={name}");
    let answer = person.api.send(Method::POST, &path, Some(("application/pdf", bytes.to_vec()))).await.expect(201);
    text(&answer["id"]).to_owned()
}

async fn add(person: &Person, client: &str, file: &str) -> Answer {
    person.api.post(&format!("/clients/{client}/files"), json!({"file_id": file})).await
}

async fn files(person: &Person, client: &str, query: &str) -> Vec<Value> {
    let page = person.api.get(&format!("/clients/{client}/files?{query}")).await.expect(200);
    page["data"].as_array().cloned().unwrap_or_default()
}

fn names(files: &[Value]) -> Vec<&str> {
    files.iter().map(|row| text(&row["file"]["name"])).collect()
}

async fn client(company: &Company) -> (String, String) {
    let number = fresh_number();
    drop(company.phone.receive_text(&number, "Oi").await);
    (text(&company.admin.conversation_of(&number).await["client_id"]).to_owned(), number)
}

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agent_visibility: "own", ..Wanted::default() }).await
}

pub async fn documents_and_what_was_sent_are_a_clients_files(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (agent, colleague) = (&company.agents[0], &company.agents[1]);
    let (client, number) = client(&company).await;
    assert_eq!(files(agent, &client, "").await, Vec::<Value>::new());
    let file = document(agent, "contrato.pdf", PDF).await;
    assert_eq!(colleague.api.get(&format!("/storage/download/{file}")).await.problem(404), "not_found");
    let head = colleague.head().await;
    let added = add(agent, &client, &file).await.expect(201);
    assert_eq!((text(&added["file"]["id"]), &added["added_by_id"]), (file.as_str(), &json!(agent.id)));
    assert_eq!(add(agent, &client, &file).await.expect(201), added);
    let told = colleague.told_after(&head).await;
    assert_eq!(told.iter().filter(|event| event["type"] == "client.file_added").count(), 1, "{told:?}");
    assert_eq!(colleague.download(&file).await.0, PDF);
    company.phone.receive(&number, media("image/png", PNG, json!({"caption": "A foto"}))).await;
    let of_admin = files(&company.admin, &client, "").await;
    assert_eq!(of_admin.len(), 2);
    // WhatsApp's clock has whole seconds: what was sent later may stand first.
    let (documents, sent): (Vec<Value>, Vec<Value>) = of_admin.iter().cloned().partition(|row| row["message_id"].is_null());
    assert_eq!((names(&documents), sent.len(), &sent[0]["added_by_id"]), (vec!["contrato.pdf"], 1, &Value::Null));
    assert_eq!(names(&files(agent, &client, "kind=document").await), ["contrato.pdf"]);
    assert_eq!(files(&company.admin, &client, "kind=image").await.len(), 1);
    // What was sent is seen by whoever sees the conversation, a document by all staff.
    let id = company.admin.conversation_id_of(&number).await;
    company.agents[1].take_over(&id).await;
    assert_eq!(names(&files(agent, &client, "").await), ["contrato.pdf"]);
    let history = company.admin.api.get(&format!("/clients/{client}/history?kind=file")).await.expect(200);
    assert_eq!(text(&history["data"][0]["data"]["name"]), "contrato.pdf");
    let first = company.admin.api.get(&format!("/clients/{client}/files?limit=1")).await.expect(200);
    let second = files(&company.admin, &client, &format!("limit=1&cursor={}", text(&first["next_cursor"]))).await;
    assert_eq!([&first["data"][0]["id"], &second[0]["id"]], [&of_admin[0]["id"], &of_admin[1]["id"]]);
    // Whoever uploaded it takes it away, and nobody else does.
    let path = format!("/storage/{file}");
    assert_eq!(colleague.api.call(Method::DELETE, &path, None).await.problem(404), "not_found");
    agent.api.call(Method::DELETE, &path, None).await.expect(204);
    assert_eq!(files(agent, &client, "").await, Vec::<Value>::new());
    assert_eq!(colleague.api.get(&format!("/storage/download/{file}")).await.problem(404), "not_found");
}

pub async fn only_a_document_of_ones_own_is_added(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let (agent, colleague) = (&company.agents[0], &company.agents[1]);
    let ((client, _), (another, _)) = (client(&company).await, client(&company).await);
    let code = |answer: Answer| text(&answer.expect(422)["errors"][0]["code"]).to_owned();
    let picture = agent.upload("a.png", "image/png", PNG).await;
    assert_eq!(code(add(agent, &client, &picture).await), "wrong_kind");
    let file = document(agent, "a.pdf", PDF).await;
    assert_eq!(code(add(colleague, &client, &file).await), "unknown_file");
    assert_eq!(code(add(agent, &client, &company.id.to_string()).await), "unknown_file");
    assert_eq!(add(agent, &company.id.to_string(), &file).await.problem(404), "not_found");
    assert_eq!(add(&other.agents[0], &client, &file).await.problem(404), "not_found");
    assert_eq!(add(&company.students[0], &client, &file).await.problem(403), "forbidden");
    assert_eq!(other.admin.api.get(&format!("/clients/{client}/files")).await.problem(404), "not_found");
    // Two clients at once: it is one's.
    let (one, two) = join(add(agent, &client, &file), add(agent, &another, &file)).await;
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    assert_eq!(files(agent, &client, "").await.len() + files(agent, &another, "").await.len(), 1);
    assert_eq!(company.students[0].api.get(&format!("/storage/download/{file}")).await.problem(404), "not_found");
}

pub async fn documents_follow_who_became_another_and_come_back(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (agent, supervisor) = (&company.agents[0], &company.supervisor);
    let ((one, _), (other, _)) = (client(&company).await, client(&company).await);
    let mut uploaded = Vec::new();
    for name in ["a.pdf", "b.pdf", "c.pdf", "d.pdf"] {
        uploaded.push(document(agent, name, PDF).await);
    }
    add(agent, &one, &uploaded[0]).await.expect(201);
    add(agent, &other, &uploaded[1]).await.expect(201);
    // While they become one, documents are still put with both.
    let path = format!("/clients/{one}/merge");
    let merge = supervisor.api.post(&path, json!({"client_id": other}));
    let meanwhile = join_all([add(agent, &other, &uploaded[2]), add(agent, &one, &uploaded[3])]);
    let (merged, meanwhile) = join(merge, meanwhile).await;
    let merged = merged.expect(201);
    assert!(meanwhile.iter().all(|answer| [201, 404].contains(&answer.status)), "{meanwhile:?}");
    let of_other = 1 + usize::from(meanwhile[0].status == 201);
    let kept = files(agent, &one, "").await;
    assert_eq!(kept.len(), 2 + of_other);
    assert_eq!(files(agent, &other, "").await, kept);
    assert_eq!(add(agent, &other, &uploaded[2]).await.status, 404);
    supervisor.api.post(&format!("/client-merges/{}/undo", text(&merged["id"])), json!({})).await.expect(200);
    assert_eq!((files(agent, &one, "").await.len(), files(agent, &other, "").await.len()), (2, of_other));
}
