//! Frozen processes, and the local cloud itself killed: on stacks of their own.

use std::{path::PathBuf, sync::Arc};

use serde_json::json;
use tests::{Stack, eventually};

use super::{Desk, let_leases_pass, until_all_done, until_blocked};

const TERMINATE: &str = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'balcao'";

/// Between events a function's process stands still, as at AWS. Its connections end meanwhile, and the next request must not notice.
pub async fn thawed_functions_answer_although_their_connections_are_gone(_: Arc<Stack>) {
    let stack = Stack::start(&PathBuf::from(".local/tests-freeze"), &binaries(), &["--freeze"]).await.expect("a stack starts");
    let desk = Desk::open(&stack).await;
    let mut socket = desk.company.agents[0].socket().await;
    socket.follow(&desk.conversation).await;
    let database = stack.database().await;
    for round in 0..3 {
        let (sent, received) = (format!("degelo {round}"), format!("resposta {round}"));
        desk.send(&sent).await.expect(201);
        desk.until(&sent, &["read"]).await;
        desk.company.phone.receive_text(&desk.client, &received).await;
        socket.send(json!({"action": "ping"})).await;
        socket.of_type("pong").await;
        assert_eq!(desk.with_body(&received).await.len(), 1);
        let ended: i64 = database.query_one(TERMINATE, &[]).await.expect("it terminates").get(0);
        assert!(ended > 0);
    }
    until_all_done(&stack, &desk.company).await;
    assert_eq!(desk.accepted().await, ["degelo 0", "degelo 1", "degelo 2"]);
    let retried = stack.log_lines("SendMessage").into_iter().filter(|line| line["status"] == "503").count();
    assert_eq!(retried, 0);
    stack.stop().await;
}

/// One message is in a worker's hands and one waits in the queue when everything is killed.
pub async fn a_killed_cloud_starts_again_with_everything_it_had(_: Arc<Stack>) {
    let directory = std::env::current_dir().expect("a folder").join(".local/tests-killed");
    let _ = std::fs::remove_dir_all(&directory);
    let stack = Stack::start_kept(&directory, &binaries(), &[]).await.expect("a stack starts");
    let desk = Desk::open(&stack).await;
    let database = stack.database().await;
    super::stop(&stack, "sqs").await;
    desk.send("nas mãos").await.expect(201);
    desk.send("na fila").await.expect(201);
    database.batch_execute("begin").await.expect("a transaction");
    let hold = "select from messages where company_id = $1 and body = 'nas mãos' for update";
    database.query_one(hold, &[&desk.company.id]).await.expect("the message is held");
    super::start(&stack, "sqs").await;
    super::dispatch(&stack, &desk.company).await;
    until_blocked(&stack, 1).await;
    stack.kill().await;
    let stack = Stack::start_kept(&directory, &binaries(), &[]).await.expect("it starts again");
    // Until here, so that what outlived the cloud for a moment could not send.
    drop(database);
    let token = desk.company.agents[0].api.token.clone().expect("a token");
    let api = stack.api().with_token(token);
    let path = format!("/messages?conversation_id={}", desk.conversation);
    let list = api.get(&path).await.expect(200);
    let count = |body: &str| list["data"].as_array().into_iter().flatten().filter(|message| message["body"] == body).count();
    assert_eq!(["Oi", "nas mãos", "na fila"].map(count), [1, 1, 1], "{list}");
    let_leases_pass(&stack, &desk.company, "DeliveryQueue").await;
    let sent = format!("/sandbox/whatsapp/sent?phone_number_id={}", desk.company.phone.number_id);
    let texts = eventually("both sent", || async {
        let sent = stack.control("GET", &sent, None).await;
        let texts: Vec<_> = sent.as_array()?.iter().map(|sent| sent["body"]["text"]["body"].clone()).collect();
        (texts.len() >= 2).then_some(texts)
    })
    .await;
    until_all_done(&stack, &desk.company).await;
    tests::soon().await;
    assert_eq!(texts, ["nas mãos", "na fila"]);
    assert_eq!(stack.control("GET", &sent, None).await.as_array().map(Vec::len), Some(2));
    stack.stop().await;
}

fn binaries() -> PathBuf {
    std::env::current_exe().expect("a path").parent().expect("a folder").to_owned()
}
