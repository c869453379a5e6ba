//! DynamoDB, S3, SQS and the parameters go away.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Stack, Wanted, company::text, eventually, sandbox::fresh_number};

use super::{Desk, conversations, dispatch, feed_head, kill, start, stop, until_all_done};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";

pub async fn without_dynamodb_requests_are_answered_and_the_feed_is_whole(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    let agent = &desk.company.agents[0];
    let head = feed_head(&desk.company).await;
    let ticket = agent.api.post("/realtime/tickets", json!({})).await.expect(201);
    stop(&stack, "dynamodb").await;
    agent.api.get("/conversations").await.expect(200);
    desk.company.phone.receive_text(&desk.client, "sem avisos").await;
    desk.send("mesmo assim").await.expect(201);
    desk.until("mesmo assim", &["read"]).await;
    let health = stack.api().get("/health").await.expect(200);
    assert_eq!(health["status"], "degraded", "{health}");
    let services = json!({"database": "ok", "redis": "error", "storage": "ok", "queue": "ok"});
    assert_eq!(health["services"], services, "{health}");
    let refused = agent.api.post("/realtime/tickets", json!({})).await;
    assert!(refused.header("retry-after").is_some());
    refused.expect(503);
    let url = text(&ticket["url"]).to_owned();
    let handshake = tests::Socket::open(&url).await.err().map(|error| format!("{error:?}")).unwrap_or_default();
    assert!(handshake.contains("50"), "{handshake}");
    start(&stack, "dynamodb").await;

    assert_eq!((desk.told(&head, "sem avisos").await, desk.told(&head, "mesmo assim").await), (1, 1));
    let mut socket = agent.socket().await;
    socket.follow(&desk.conversation).await;
    socket.send(json!({"action": "resume", "after": head})).await;
    let missed = |frame: &Value| frame["type"] == "message.created" && frame["data"]["message"]["body"] == "mesmo assim";
    socket.frame("what was missed", missed).await;
    socket.of_type("resumed").await;
    desk.send("de volta").await.expect(201);
    socket.frame("a frame", |frame| frame["data"]["message"]["body"] == "de volta").await;
}

pub async fn a_socket_that_was_open_before_dynamodb_stopped_goes_on_after_it(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    let mut socket = desk.company.agents[0].socket().await;
    socket.follow(&desk.conversation).await;
    stop(&stack, "dynamodb").await;
    socket.send(json!({"action": "ping"})).await;
    desk.company.phone.receive_text(&desk.client, "perdido").await;
    start(&stack, "dynamodb").await;
    socket.send(json!({"action": "ping"})).await;
    socket.of_type("pong").await;
    desk.company.phone.receive_text(&desk.client, "ouvido").await;
    socket.frame("a frame", |frame| frame["data"]["message"]["body"] == "ouvido").await;
}

pub async fn without_s3_no_upload_becomes_ready(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let api = &company.agents[0].api;
    let announcement = json!({"name": "foto.png", "mime_type": "image/png", "size": PNG.len()});
    let announced = api.post("/storage/signed-upload-url", announcement).await.expect(201);
    let id = text(&announced["file"]["id"]);
    let mut form = reqwest::multipart::Form::new();
    for (name, value) in announced["upload"]["fields"].as_object().expect("fields") {
        form = form.text(name.clone(), text(value).to_owned());
    }
    form = form.part("file", reqwest::multipart::Part::bytes(PNG).file_name("foto.png"));
    let uploaded = stack.http.post(text(&announced["upload"]["url"])).multipart(form).send().await.expect("S3 answers");
    assert!(uploaded.status().is_success(), "{}", uploaded.status());

    stop(&stack, "s3").await;
    let refused = api.post(&format!("/storage/{id}/complete"), json!({})).await;
    start(&stack, "s3").await;
    assert!(refused.header("retry-after").is_some());
    refused.expect(503);
    assert_eq!(api.get(&format!("/storage/download/{id}")).await.problem(409), "not_ready");
    api.post(&format!("/storage/{id}/complete"), json!({})).await.expect(200);
    assert_eq!(api.get(&format!("/storage/download/{id}")).await.status, 302);
}

pub async fn media_that_cannot_be_stored_is_stored_later(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    stop(&stack, "s3").await;
    let media = json!({"media": {"text": "um,dois\n1,2\n", "mime_type": "text/csv", "filename": "notas.csv"}});
    company.phone.receive(&fresh_number(), media).await;
    let database = stack.database().await;
    let attempted = "select count(*) from jobs where company_id = $1 and last_error is not null and attempts > 0";
    eventually("a failed attempt", || async {
        (database.query_one(attempted, &[&company.id]).await.expect("a count").get::<_, i64>(0) == 1).then_some(())
    })
    .await;
    let status = "select status, failure from files where company_id = $1";
    let row = database.query_one(status, &[&company.id]).await.expect("a file");
    assert_eq!((row.get::<_, String>(0), row.get::<_, Option<String>>(1)), ("pending".into(), None));
    start(&stack, "s3").await;
    until_all_done(&stack, &company).await;
    let row = database.query_one(status, &[&company.id]).await.expect("a file");
    assert_eq!((row.get::<_, String>(0), row.get::<_, Option<String>>(1)), ("ready".into(), None));
}

/// Nothing can be sent to a queue: what was committed is dispatched later, once.
pub async fn without_sqs_jobs_are_left_behind_and_done_once_later(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    stop(&stack, "sqs").await;
    desk.send("na fila").await.expect(201);
    desk.company.phone.receive_text(&fresh_number(), "chegou").await;
    assert_eq!(conversations(&desk.company).await.len(), 2);
    start(&stack, "sqs").await;
    tests::soon().await;
    assert_eq!(desk.with_body("na fila").await[0]["status"], "queued");
    dispatch(&stack, &desk.company).await;
    dispatch(&stack, &desk.company).await;
    desk.until("na fila", &["read"]).await;
    until_all_done(&stack, &desk.company).await;
    tests::soon().await;
    assert_eq!(desk.accepted().await, ["na fila"]);
}

/// What fails while a function starts is tried again by its next request, and the process lives on.
pub async fn a_function_started_without_its_settings_reads_them_with_the_next_request(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    let agent = &desk.company.agents[0];
    stop(&stack, "ssm").await;
    kill(&stack, "ListUsers").await;
    let refused = agent.api.get("/users").await;
    start(&stack, "ssm").await;
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    refused.expect(503);
    agent.api.get("/users").await.expect(200);
    let lines = stack.log_lines("ListUsers");
    let requests = lines.iter().filter(|line| line["message"] == "http_request");
    let last: Vec<_> = requests.map(|line| (text(&line["status"]), line["cold"].as_bool())).collect();
    assert_eq!(last[last.len() - 2..], [("503", Some(true)), ("200", Some(false))]);
}
