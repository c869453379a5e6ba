//! The feed's promise, presence that lapses, sockets that end.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};
use tests::{Stack, Wanted, company::text, eventually};
use uuid::Uuid;

use super::{Desk, feed_after, feed_head, start, stop};

const EVENT: &str = "
    insert into events (company_id, topic, type, data, at)
    values ($1, $2, 'conversation.typing', $3, now() - $4::text::interval)";

/// The data of an event that the description knows.
fn typing(name: &str) -> Value {
    json!({"conversation_id": Uuid::nil(), "user_id": Uuid::nil(), "name": name, "state": true})
}

/// A transaction that began first and commits last: readers wait with the cursor until it is there.
pub async fn a_cursor_never_skips_a_transaction_that_commits_late(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    let topic = format!("company:{}", desk.company.id);
    let slow = stack.database().await;
    slow.batch_execute("begin").await.expect("a transaction");
    slow.execute(EVENT, &[&desk.company.id, &topic, &typing("Devagar"), &"0"]).await.expect("an event");
    let mut cursor = feed_head(&desk.company).await;
    let mut seen = Vec::new();
    for number in 0..6 {
        desk.send(&format!("veloz {number}")).await.expect(201);
        if number == 3 {
            slow.batch_execute("commit").await.expect("it commits");
        }
        let page = desk.company.agents[0].api.get(&format!("/events?after={cursor}&limit=500")).await.expect(200);
        assert!(number >= 3 || page["data"] == json!([]), "{page}");
        seen.extend(page["data"].as_array().cloned().unwrap_or_default());
        text(&page["head"]).clone_into(&mut cursor);
    }
    seen.extend(feed_after(&desk.company, &cursor).await);
    assert_eq!(seen.iter().filter(|event| event["data"]["name"] == "Devagar").count(), 1);
    let sent =
        seen.iter().filter(|event| event["type"] == "message.created").map(|event| text(&event["data"]["message"]["body"]));
    assert_eq!(sent.collect::<Vec<_>>(), (0..6).map(|number| format!("veloz {number}")).collect::<Vec<_>>());
    let mut cursors: Vec<&str> = seen.iter().map(|event| text(&event["cursor"])).collect();
    let found = cursors.len();
    cursors.sort_unstable();
    cursors.dedup();
    assert_eq!(cursors.len(), found);
}

pub async fn cursors_of_another_database_and_swept_ones_ask_to_start_over(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let old = feed_head(&company).await;
    let (_, place) = old.split_once('.').expect("a cursor");
    let foreign = format!("outro.{place}");
    assert_eq!(agent.api.get(&format!("/events?after={foreign}")).await.problem(410), "resync");

    let topic = format!("company:{}", company.id);
    stack.database().await.execute(EVENT, &[&company.id, &topic, &typing("Há muito"), &"8 days"]).await.expect("an old event");
    assert_eq!(feed_after(&company, &old).await.len(), 1);
    stack.control("POST", "/fire/SweepExpired", None).await;
    assert_eq!(agent.api.get(&format!("/events?after={old}")).await.problem(410), "resync");
    let mut socket = agent.socket().await;
    for cursor in [&old, &foreign] {
        socket.send(json!({"action": "resume", "after": cursor})).await;
        socket.of_type("resync").await;
    }
    let head = feed_head(&company).await;
    agent.api.get(&format!("/events?after={head}")).await.expect(200);
}

pub async fn presence_nobody_renewed_ends_with_an_event(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (gone, here) = (&company.agents[0], &company.agents[1]);
    let head = feed_head(&company).await;
    let _forgotten = gone.socket().await;
    let mut socket = here.socket().await;
    let lapse = "update presence_leases set lease_until = now() - interval '1 second' where user_id = $1";
    assert_eq!(stack.database().await.execute(lapse, &[&gone.id]).await.expect("the lease lapses"), 1);
    stack.control("POST", "/fire/SweepExpired", None).await;
    let is_offline = |event: &Value| {
        event["type"] == "user.presence"
            && event["data"]["user_id"] == gone.id.to_string()
            && event["data"]["status"] == "offline"
    };
    socket.frame("the colleague offline", is_offline).await;
    assert_eq!(feed_after(&company, &head).await.iter().filter(|event| is_offline(event)).count(), 1);
    let leases = "select user_id from presence_leases where company_id = $1";
    let rows = stack.database().await.query(leases, &[&company.id]).await.expect("leases");
    assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<Uuid>>(), [here.id]);
}

/// `$disconnect` could not clean up: the first frame that finds nobody does.
pub async fn a_socket_that_went_away_unheard_is_forgotten_when_it_is_written_to(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    let agent = &desk.company.agents[0];
    let mut lost = agent.socket().await;
    lost.follow(&desk.conversation).await;
    assert!(items_of(&stack, agent.id).await.len() >= 4);
    stop(&stack, "dynamodb").await;
    lost.close().await;
    let leases = "select count(*) from presence_leases where user_id = $1";
    let database = stack.database().await;
    eventually("the presence ended", || async {
        (database.query_one(leases, &[&agent.id]).await.expect("leases").get::<_, i64>(0) == 0).then_some(())
    })
    .await;
    start(&stack, "dynamodb").await;
    let stale = items_of(&stack, agent.id).await;
    assert!(stale.len() >= 4, "{stale:?}");
    // The first half minute may be a handshake that is not over.
    for mut item in stale {
        let mut connection: Value = serde_json::from_str(text(&item["connection"]["S"])).expect("a connection");
        connection["expires_at"] = json!(connection["expires_at"].as_i64().expect("a time") - 60);
        item["connection"]["S"] = json!(connection.to_string());
        dynamodb(&stack, "PutItem", json!({"TableName": connections_table(&stack).await, "Item": item})).await;
    }
    desk.company.phone.receive_text(&desk.client, "ninguém ouve").await;
    eventually("the connection forgotten", || async { items_of(&stack, agent.id).await.is_empty().then_some(()) }).await;
}

pub async fn logging_out_closes_the_sockets_of_the_session_only(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let login = json!({"email": agent.email, "password": company.password});
    let other = stack.api().post("/auth/login", login).await.expect(200);
    let other = tests::company::Person { api: stack.api().with_token(text(&other["access_token"])), ..agent.clone() };
    let (ended, mut kept) = (agent.socket().await, other.socket().await);
    let out = agent.api.post("/auth/logout", json!({})).await;
    assert!(out.status < 300, "{out:?}");
    ended.closed().await;
    kept.send(json!({"action": "ping"})).await;
    kept.of_type("pong").await;
}

/// What the table of connections knows of a person's sockets.
async fn items_of(stack: &Stack, user: Uuid) -> Vec<Value> {
    let scanned = dynamodb(stack, "Scan", json!({"TableName": connections_table(stack).await})).await;
    let items = scanned["Items"].as_array().cloned().unwrap_or_default();
    items.into_iter().filter(|item| text(&item["connection"]["S"]).contains(&user.to_string())).collect()
}

async fn connections_table(stack: &Stack) -> String {
    table(stack, "connections").await
}

/// The table with this in its name.
pub async fn table(stack: &Stack, part: &str) -> String {
    let tables = dynamodb(stack, "ListTables", json!({})).await;
    let names = tables["TableNames"].as_array().into_iter().flatten().map(text);
    names.filter(|name| name.to_lowercase().contains(part)).map(str::to_owned).next().expect("the table")
}

pub async fn dynamodb(stack: &Stack, action: &str, input: Value) -> Value {
    let request = stack.http.post(&stack.addresses.dynamodb).header("x-amz-target", format!("DynamoDB_20120810.{action}"));
    let request = request.header("content-type", "application/x-amz-json-1.0").body(input.to_string());
    let request = request.header(
        "authorization",
        "AWS4-HMAC-SHA256 Credential=local/20260101/sa-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
    );
    let request = request.header("x-amz-date", "20260101T000000Z");
    let answer = request.send().await.expect("DynamoDB answers");
    let (status, text) = (answer.status(), answer.text().await.expect("a body"));
    assert!(status.is_success(), "{action}: {text}");
    serde_json::from_str(&text).expect("JSON")
}

pub async fn every_event_was_as_openapi_describes_it(stack: Arc<Stack>) {
    let rows = stack
        .database()
        .await
        .query("select type, data from events where type not like 'note.%'", &[])
        .await
        .expect("the database answers");
    let mut wrong = BTreeSet::new();
    for row in &rows {
        let (kind, data): (String, Value) = (row.get(0), row.get(1));
        wrong.extend(stack.openapi.faults_of_event(&kind, &data).into_iter().map(|fault| format!("{kind}: {fault}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
