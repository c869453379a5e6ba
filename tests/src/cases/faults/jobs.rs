//! Jobs: poison, duplicates, order, and queues that stay clean.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Stack, company::text, eventually};
use uuid::Uuid;

use super::{Desk, dispatch, start, stop, until_all_done};

const POISON: &str = "
    insert into jobs (id, company_id, kind, queue, lane, payload)
    values ($1, $2, 'deliver_message', 'delivery', $3, '{\"message_id\": 7}')";

/// A job nobody can do holds up its lane while it is tried, then fails visibly, and the lane goes on in order.
pub async fn a_poison_job_fails_visibly_and_its_lane_goes_on(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    let database = stack.database().await;
    stop(&stack, "sqs").await;
    let poison = Uuid::now_v7();
    database.execute(POISON, &[&poison, &desk.company.id, &desk.conversation]).await.expect("poison");
    desk.send("atrás um").await.expect(201);
    desk.send("atrás dois").await.expect(201);
    start(&stack, "sqs").await;
    dispatch(&stack, &desk.company).await;
    let state = "select attempts, last_error, failed from jobs where id = $1";
    eventually("an attempt", || async {
        let row = database.query_one(state, &[&poison]).await.expect("the job");
        row.get::<_, Option<String>>(1).is_some_and(|error| error.contains("deliver_message")).then_some(())
    })
    .await;
    assert_eq!(desk.accepted().await, [""; 0]);
    // The tries before the last one have passed.
    database.execute("update jobs set attempts = 9 where id = $1", &[&poison]).await.expect("attempts");
    eventually("the job failed", || async {
        let row = database.query_one(state, &[&poison]).await.expect("the job");
        (row.get::<_, bool>(2) && row.get::<_, i32>(0) == 10).then_some(())
    })
    .await;
    desk.until("atrás dois", &["read"]).await;
    until_all_done(&stack, &desk.company).await;
    assert_eq!(desk.accepted().await, ["atrás um", "atrás dois"]);
}

/// The same job many times at once, in lanes of their own so that nothing but the job's lease keeps them apart.
pub async fn a_job_delivered_many_times_at_once_is_done_once(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    stop(&stack, "sqs").await;
    desk.send("uma só").await.expect(201);
    start(&stack, "sqs").await;
    let id = "select id from jobs where company_id = $1 and kind = 'deliver_message' and finished_at is null";
    let id: Uuid = stack.database().await.query_one(id, &[&desk.company.id]).await.expect("the job").get(0);
    let url = queue_url(&stack, "delivery").await;
    join_all((0..8).map(|number| put_in_queue(&stack, &url, id, format!("{id}-{number}")))).await;
    desk.until("uma só", &["read"]).await;
    join_all((8..12).map(|number| put_in_queue(&stack, &url, id, format!("{id}-{number}")))).await;
    put_in_queue(&stack, &url, Uuid::now_v7(), "nobody's".to_owned()).await;
    dispatch(&stack, &desk.company).await;
    until_all_done(&stack, &desk.company).await;
    until_empty(&stack, "DeliveryQueue").await;
    assert_eq!(desk.accepted().await, ["uma só"]);
}

/// Messages that arrive in the wrong order, each twice.
pub async fn a_lane_is_worked_in_order_whatever_order_its_messages_come_in(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    stop(&stack, "sqs").await;
    let bodies: Vec<String> = (0..6).map(|number| format!("ordem {number}")).collect();
    for body in &bodies {
        desk.send(body).await.expect(201);
    }
    start(&stack, "sqs").await;
    let ids =
        "select id from jobs where company_id = $1 and kind = 'deliver_message' and finished_at is null order by number desc";
    let rows = stack.database().await.query(ids, &[&desk.company.id]).await.expect("the jobs");
    let url = queue_url(&stack, "delivery").await;
    for row in rows.iter().chain(&rows) {
        put_in_queue(&stack, &url, row.get(0), Uuid::now_v7().to_string()).await;
    }
    // Lanes of their own let messages meet a job that is leased; they come back when the lease would have ended.
    for _ in 0..10 {
        tests::soon().await;
        stack.control("POST", "/queues/DeliveryQueue/give-back", None).await;
    }
    for body in &bodies {
        desk.until(body, &["read"]).await;
    }
    until_empty(&stack, "DeliveryQueue").await;
    assert_eq!(desk.accepted().await, bodies);
}

/// Runs last of all: whatever was broken before, no job was given up by its queue.
/// A message of a job that was put off since it was sent, still in the queue under the lane the job was in.
pub async fn a_late_copy_of_a_job_put_off_does_not_hold_up_its_old_lane(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    desk.company.phone.fault(json!({"target": "whatsapp.messages", "kind": "accept_then_timeout", "times": 1})).await;
    desk.send("sem resposta").await.expect(201);
    let database = stack.database().await;
    let put_off = "
        update jobs set run_at = now() + interval '10 minutes'
         where company_id = $1 and queue = 'delivery' and finished_at is null and lane = id::text
        returning id";
    let job = eventually("the job put off", || async {
        Some(database.query_opt(put_off, &[&desk.company.id]).await.expect("the database answers")?.get::<_, Uuid>(0))
    })
    .await;
    let url = queue_url(&stack, "delivery").await;
    put_in_queue(&stack, &url, job, desk.conversation.clone()).await;
    desk.send("em seguida").await.expect(201);
    desk.until("em seguida", &["read"]).await;
    database.execute("update jobs set run_at = now() where id = $1", &[&job]).await.expect("it is due");
    dispatch(&stack, &desk.company).await;
    until_all_done(&stack, &desk.company).await;
}

pub async fn no_message_has_ended_in_a_dead_letter_queue(stack: Arc<Stack>) {
    for queue in ["BotQueue", "DeliveryQueue", "MediaQueue"] {
        let dead = stack.control("GET", &format!("/dead-letters/{queue}"), None).await;
        assert_eq!(dead.as_array().map(Vec::len), Some(0), "{queue}: {dead}");
    }
}

/// Messages that found their job leased come back when the lease would have ended.
async fn until_empty(stack: &Stack, queue: &str) {
    stack.control("POST", &format!("/queues/{queue}/give-back"), None).await;
    eventually(&format!("{queue} empty"), || async {
        let state = stack.control("GET", "/state", None).await;
        let found = state["queues"].as_array()?.iter().find(|found| found["queue"] == queue)?.clone();
        (found["waiting"] == 0 && found["in_flight"] == 0).then_some(())
    })
    .await;
}

async fn queue_url(stack: &Stack, name: &str) -> String {
    let found = sqs(stack, "GetQueueUrl", json!({"QueueName": format!("balcao-local-{name}.fifo")})).await;
    text(&found["QueueUrl"]).to_owned()
}

async fn put_in_queue(stack: &Stack, url: &str, job: Uuid, group: String) {
    let message = json!({
        "QueueUrl": url,
        "MessageBody": json!({"id": job}).to_string(),
        "MessageGroupId": group,
        "MessageDeduplicationId": Uuid::now_v7(),
    });
    sqs(stack, "SendMessage", message).await;
}

async fn sqs(stack: &Stack, action: &str, input: Value) -> Value {
    let request = stack.http.post(&stack.addresses.sqs).header("x-amz-target", format!("AmazonSQS.{action}"));
    let answer = request.body(input.to_string()).send().await.expect("SQS answers");
    let (status, text) = (answer.status(), answer.text().await.expect("a body"));
    assert!(status.is_success(), "{action}: {text}");
    serde_json::from_str(&text).expect("JSON")
}
