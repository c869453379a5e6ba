//! Postgres goes away: between requests, in the middle of one, and for a while.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tests::{Stack, Wanted, company::text, eventually, sandbox::fresh_number};

use crate::cases::upload;

use super::{Desk, dispatch, feed_head, start, stop, until_all_done, until_blocked};

const TERMINATE: &str = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'balcao'";

/// As after the suspension of a serverless database: every connection a function keeps is gone.
pub async fn connections_ended_while_idle_are_not_noticed(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    let agent = &desk.company.agents[0];
    let mut socket = agent.socket().await;
    desk.send("antes").await.expect(201);
    desk.until("antes", &["read"]).await;
    let ended: i64 = stack.database().await.query_one(TERMINATE, &[]).await.expect("it terminates").get(0);
    assert!(ended > 0);

    agent.api.get("/conversations").await.expect(200);
    desk.company.phone.receive_text(&desk.client, "ainda aqui?").await;
    desk.send("depois").await.expect(201);
    desk.until("depois", &["read"]).await;
    socket.send(json!({"action": "ping"})).await;
    socket.of_type("pong").await;
    agent.socket().await.close().await;
    stack.control("POST", "/fire/DispatchDueJobs", None).await;
    stack.control("POST", "/fire/SweepExpired", None).await;
    assert_eq!(desk.accepted().await, ["antes", "depois"]);
}

pub async fn a_restart_between_requests_is_not_noticed(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    stop(&stack, "postgres").await;
    start(&stack, "postgres").await;
    desk.company.agents[0].api.get("/conversations").await.expect(200);
    desk.company.phone.receive_text(&desk.client, "de novo").await;
    desk.send("um").await.expect(201);
    desk.until("um", &["read"]).await;
    assert_eq!(desk.accepted().await, ["um"]);
    assert_eq!(desk.with_body("de novo").await.len(), 1);
}

pub async fn a_database_that_wakes_in_two_seconds_answers_the_request(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    stop(&stack, "postgres").await;
    let list = {
        let api = desk.company.agents[0].api.clone();
        tokio::spawn(async move { api.get("/conversations").await })
    };
    let sending = desk.begin_sending("acordando");
    let phone = desk.company.phone.clone();
    let client = desk.client.clone();
    let receiving = tokio::spawn(async move { phone.receive_text(&client, "tem alguém?").await });
    tokio::time::sleep(Duration::from_secs(2)).await;
    start(&stack, "postgres").await;
    list.await.expect("an answer").expect(200);
    sending.await.expect("an answer").expect(201);
    receiving.await.expect("the webhook is stored at once");
    desk.until("acordando", &["read"]).await;
    assert_eq!(desk.accepted().await, ["acordando"]);
}

pub async fn a_database_that_stays_away_is_answered_with_503_and_nothing_is_half_done(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    let head = feed_head(&desk.company).await;
    stop(&stack, "postgres").await;
    let sent = desk.send("quando der").await;
    let listed = desk.company.agents[0].api.get("/conversations").await;
    let health = stack.api().get("/health").await;
    // Meta tries again by itself.
    let order = json!({"text": "insisto", "wait": false});
    desk.company.phone.receive(&desk.client, order).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    start(&stack, "postgres").await;
    assert_eq!((&health.body["status"], &health.body["services"]["database"]), (&json!("error"), &json!("error")));
    assert!(!text(&health.body["error"]).is_empty(), "{health:?}");
    for name in ["redis", "storage", "queue"] {
        assert_eq!(health.body["services"][name], "ok", "{health:?}");
    }
    for answer in [sent, listed, health] {
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
        assert_eq!(answer.status, 503, "{answer:?}");
    }
    assert_eq!(desk.with_body("quando der").await.len(), 0);
    desk.send("quando der").await.expect(201);
    desk.until("quando der", &["read"]).await;
    eventually("the webhook stored", || async { (desk.with_body("insisto").await.len() == 1).then_some(()) }).await;
    assert_eq!(desk.accepted().await, ["quando der"]);
    assert_eq!((desk.told(&head, "quando der").await, desk.told(&head, "insisto").await), (1, 1));
}

/// The crash comes while the statements are under way: whatever was answered is true, and doing it again does it once.
pub async fn a_crash_in_the_middle_of_writes_leaves_all_or_nothing(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    let head = feed_head(&desk.company).await;
    let database = stack.database().await;
    database.batch_execute("begin; lock table events in exclusive mode").await.expect("the feed is held");
    let bodies: Vec<String> = (0..5).map(|number| format!("queda {number}")).collect();
    let sending: Vec<_> = bodies.iter().map(|body| desk.begin_sending(body)).collect();
    let phone = desk.company.phone.clone();
    let (client, order) = (desk.client.clone(), json!({"text": "no meio"}));
    let receiving = tokio::spawn(async move { phone.receive(&client, order).await });
    until_blocked(&stack, 1).await;
    stop(&stack, "postgres").await;
    start(&stack, "postgres").await;
    let mut statuses = Vec::new();
    for sending in sending {
        statuses.push(sending.await.expect("an answer").status);
    }
    receiving.await.expect("an answer");
    for (body, status) in bodies.iter().zip(&statuses) {
        assert!([201, 503].contains(status), "{statuses:?}");
        desk.send(body).await.expect(201);
    }
    eventually("the webhook stored", || async { (desk.with_body("no meio").await.len() == 1).then_some(()) }).await;
    dispatch(&stack, &desk.company).await;
    for body in &bodies {
        desk.until(body, &["read", "delivered", "sent"]).await;
        assert_eq!(desk.told(&head, body).await, 1, "{body}");
    }
    let mut accepted = desk.accepted().await;
    accepted.sort();
    assert_eq!(accepted, bodies);
    assert_eq!(desk.told(&head, "no meio").await, 1);
    until_all_done(&stack, &desk.company).await;
}

/// The connection ends while `COMMIT` is under way: the shell must not do the work again by itself.
pub async fn a_connection_lost_at_commit_is_the_callers_to_repeat(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let database = stack.database().await;
    database.batch_execute("begin; lock table events in exclusive mode").await.expect("the feed is held");
    let api = company.supervisor.api.with_header("idempotency-key", &fresh_number());
    let creating = {
        let api = api.clone();
        tokio::spawn(async move { api.post("/departments", json!({"name": "Cobrança"})).await })
    };
    // Others may wait for the feed, too: it is the one that has written the department.
    let victim = "
        select pid from pg_stat_activity join pg_locks using (pid)
         where application_name = 'balcao' and wait_event_type = 'Lock' and relation = 'departments'::regclass and mode = 'RowExclusiveLock'";
    // In a transaction the list of connections stays as it was first read.
    let watching = stack.database().await;
    let waits = eventually("it waits", || async { watching.query_opt(victim, &[]).await.expect("the database answers") }).await;
    let pid: i32 = waits.get(0);
    // Without a word, as when a machine dies. Postgres then restarts all of itself.
    let killed = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().expect("kill runs");
    assert!(killed.success());
    let lost = creating.await.expect("an answer");
    assert_eq!(lost.status, 503, "{lost:?}");
    assert!(lost.header("retry-after").is_some());
    let made = eventually("the database back", || async {
        let answer = api.post("/departments", json!({"name": "Cobrança"})).await;
        (answer.status != 503).then_some(answer)
    })
    .await
    .expect(201);
    let again = api.post("/departments", json!({"name": "Cobrança"})).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(text(&again.expect(201)["id"]), text(&made["id"]));
    let list = company.supervisor.api.get("/departments").await.expect(200);
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1), "{list}");
}

/// A migration adds a column while functions hold prepared statements that answer all columns of the table.
pub async fn a_column_that_a_migration_adds_is_not_noticed(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let file = upload::ready_file(&stack, &company.admin).await;
    let download = format!("/storage/download/{file}");
    company.admin.api.get(&download).await.expect(302);
    let database = stack.database().await;
    database.batch_execute("alter table files add column of_a_later_version text").await.expect("it is added");
    company.admin.api.get(&download).await.expect(302);
    upload::ready_file(&stack, &company.admin).await;
    database.batch_execute("alter table files drop column of_a_later_version").await.expect("it is dropped");
    company.admin.api.get(&download).await.expect(302);
}
