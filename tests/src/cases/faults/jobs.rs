//! Jobs: poison, duplicates, order, and queues that stay clean.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Company, Stack, company::text, eventually};
use uuid::Uuid;

use super::{Desk, dispatch, kill, start, stop, until_all_done};

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

/// What a transaction leaves behind for later, in the lane of what is due at once.
pub async fn a_job_for_later_holds_up_no_lane(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    desk.send("antes").await.expect(201);
    let sent = desk.until("antes", &["read"]).await;
    let later = job(&sent, &desk.conversation, Some(jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)));
    assert!(record(&stack, &desk.company, std::slice::from_ref(&later)).await.is_empty());
    desk.send("em seguida").await.expect(201);
    desk.until("em seguida", &["read"]).await;
    dispatch(&stack, &desk.company).await;
    until_all_done(&stack, &desk.company).await;
    assert_eq!(desk.accepted().await, ["antes", "em seguida"]);
}

const TIMED: &str = "
    select extract(epoch from finished_at - run_at)::double precision as late, attempts, dispatches
      from jobs
     where id = $1 and finished_at is not null";

/// Whether a message of which nothing was heard has arrived is decided when its time has come, and not by the minute.
pub async fn a_job_that_was_put_off_starts_when_it_is_due(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    for kind in ["accept_then_timeout", "no_status"] {
        desk.company.phone.fault(json!({"target": "whatsapp.messages", "kind": kind, "times": 1})).await;
    }
    desk.send("no vazio").await.expect(201);
    let database = stack.database().await;
    let put_off = "select id from jobs where company_id = $1 and queue = 'delivery' and finished_at is null and lane = id::text";
    let put_off = eventually("the job put off", || async {
        Some(database.query_opt(put_off, &[&desk.company.id]).await.expect("the database answers")?.get::<_, Uuid>(0))
    })
    .await;
    desk.until("no vazio", &["failed"]).await;
    let row = database.query_one(TIMED, &[&put_off]).await.expect("it is done");
    let late: f64 = row.get("late");
    assert!((0.0..2.0).contains(&late), "{late} seconds late");
}

/// Its timer comes five times, and whoever waits for it is killed.
pub async fn a_timed_job_is_started_on_time_and_once(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    desk.send("já enviada").await.expect(201);
    let sent = desk.until("já enviada", &["read"]).await;
    let due = |millis: i64| jiff::Timestamp::now() + jiff::SignedDuration::from_millis(millis);
    let database = stack.database().await;
    for (is_killed, latest) in [(false, 1.0), (true, 8.0)] {
        let (at, timed) = (due(2_900), due(2_900));
        let timed = job(&sent, "qualquer", Some(timed));
        assert!(record(&stack, &desk.company, std::slice::from_ref(&timed)).await.is_empty());
        let url = queue_url(&stack, "timer").await;
        for _ in 0..5 {
            let body = json!({"id": timed["id"], "at": at}).to_string();
            sqs(&stack, "SendMessage", json!({"QueueUrl": url, "MessageBody": body, "DelaySeconds": 2})).await;
        }
        if is_killed {
            tokio::time::sleep(std::time::Duration::from_millis(2_400)).await;
            kill(&stack, "StartTimedJobs").await;
        }
        let id: Uuid = text(&timed["id"]).parse().expect("an id");
        let row = eventually("the job done", || async { database.query_opt(TIMED, &[&id]).await.expect("an answer") }).await;
        let late: f64 = row.get("late");
        assert!((0.0..latest).contains(&late), "{late} seconds late");
        assert_eq!((row.get::<_, i32>("attempts"), row.get::<_, i32>("dispatches")), (1, 1));
        until_empty(&stack, "TimerQueue").await;
    }
    assert_eq!(desk.accepted().await, ["já enviada"]);
}

/// Jobs in a flood, and the most of them that are on their way at the same time.
const FLOOD: usize = 400;
const AT_ONCE: i64 = 10;

pub async fn a_flood_of_jobs_leaves_room_for_other_companies_and_flows_off(stack: Arc<Stack>) {
    let (flooded, other) = (Desk::open(&stack).await, Desk::open(&stack).await);
    flooded.send("já enviada").await.expect(201);
    let sent = flooded.until("já enviada", &["read"]).await;
    let jobs: Vec<Value> = (0..FLOOD).map(|_| job(&sent, &Uuid::now_v7().to_string(), None)).collect();
    let at_once = record(&stack, &flooded.company, &jobs).await;
    assert_eq!(i64::try_from(at_once.len()).expect("a number"), AT_ONCE);
    dispatch(&stack, &flooded.company).await;
    other.send("no meio da enchente").await.expect(201);
    let database = stack.database().await;
    let counts = "select count(*) filter (where finished_at is null and dispatched_at is not null), count(*) filter (where finished_at is null)
                    from jobs where company_id = $1 and not failed";
    // The dispatcher fires once: what follows is sent by those that finish.
    eventually("the flood flowed off", || async {
        let row = database.query_one(counts, &[&flooded.company.id]).await.expect("counts");
        let (on_their_way, left): (i64, i64) = (row.get(0), row.get(1));
        assert!(on_their_way <= AT_ONCE, "{on_their_way} on their way");
        (left == 0).then_some(())
    })
    .await;
    until_all_done(&stack, &other.company).await;
    let before = "select count(*) from jobs where company_id = $1 and finished_at < (
                      select max(finished_at) from jobs where company_id = $2 and kind = 'deliver_message')";
    let before = database.query_one(before, &[&flooded.company.id, &other.company.id]).await.expect("a count");
    let before = usize::try_from(before.get::<_, i64>(0)).expect("a number");
    assert!(before < FLOOD / 2, "{before} jobs of the flood came first");
}

/// Companies and jobs that wait for later.
const WAITING: &str = "
    insert into jobs (id, company_id, kind, queue, lane, payload, run_at)
    select gen_random_uuid(), company, 'x', 'delivery', 'x', '{}', now() + interval '1 day' * (1 + number % 30)
      from (select gen_random_uuid() as company from generate_series(1, 50)) companies, generate_series(1, 600) number";

const DUE: &str = "
    insert into jobs (id, company_id, kind, queue, lane, payload, run_at)
    values (gen_random_uuid(), $1, 'x', 'delivery', 'y', '{}', now() - interval '1 second')";

const DUE_OF_ONE: &str = "
    insert into jobs (id, company_id, kind, queue, lane, payload, run_at)
    select gen_random_uuid(), $1, 'x', 'delivery', 'flood ' || number, '{}', now() - interval '1 minute' from generate_series(1, 5000) number";

/// What this transaction has read of `jobs`: by whole tables, and row by row.
const READ: &str = "select seq_tup_read, coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables where relname = 'jobs'";

pub async fn what_is_due_is_found_whatever_else_waits(stack: Arc<Stack>) {
    let mut database = stack.database().await;
    let transaction = database.transaction().await.expect("a transaction");
    transaction.execute(WAITING, &[]).await.expect("jobs for later");
    transaction.execute(DUE_OF_ONE, &[&Uuid::now_v7()]).await.expect("more than one company's share");
    let company = Uuid::now_v7();
    transaction.execute(DUE, &[&company]).await.expect("a job that is due");
    transaction.batch_execute("analyze jobs").await.expect("statistics");
    let read = || async {
        let row = transaction.query_one(READ, &[]).await.expect("figures");
        (row.get::<_, i64>(0), row.get::<_, i64>(1))
    };
    let before = read().await;
    let taken = transaction.query("select lane from app.take_due_jobs(500)", &[]).await.expect("jobs");
    transaction.query_one("select app.oldest_due_job()", &[]).await.expect("an age");
    let after = read().await;
    assert!(taken.iter().any(|row| row.get::<_, &str>(0) == "y"));
    assert_eq!(after.0, before.0, "whole tables are read");
    assert!(after.1 - before.1 < 1_000, "{} rows read for {} jobs", after.1 - before.1, taken.len());
}

/// Runs last of all: whatever was broken before, no job was given up by its queue.
pub async fn no_message_has_ended_in_a_dead_letter_queue(stack: Arc<Stack>) {
    let state = stack.control("GET", "/state", None).await;
    let queues: Vec<&str> =
        state["queues"].as_array().expect("queues").iter().filter_map(|queue| queue["queue"].as_str()).collect();
    assert!(queues.contains(&"ExportQueue"), "{queues:?}");
    for queue in queues {
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

/// A job that finds its message delivered. Its account is nobody's, and so within its limit.
fn job(delivered: &Value, lane: &str, run_at: Option<jiff::Timestamp>) -> Value {
    let payload = json!({"message_id": delivered["id"], "channel_account_id": Uuid::now_v7()});
    let (id, kind) = (Uuid::now_v7(), "deliver_message");
    json!({"id": id, "kind": kind, "queue": "delivery", "lane": lane, "payload": payload, "run_at": run_at})
}

/// Leaves jobs behind as a transaction of the company's system does; those of them that it is to send.
async fn record(stack: &Stack, company: &Company, jobs: &[Value]) -> Vec<Uuid> {
    let mut database = stack.database().await;
    let transaction = database.transaction().await.expect("a transaction");
    transaction.query_one("select app.enter_system($1)", &[&company.id]).await.expect("the company is entered");
    let record = "select sent from app.record('[]', $1, '[]', '[]')";
    let sent = transaction.query_one(record, &[&json!(jobs)]).await.expect("the jobs are added").get(0);
    transaction.commit().await.expect("they are committed");
    sent
}

async fn queue_url(stack: &Stack, name: &str) -> String {
    let name = if name == "timer" { "balcao-local-timer".to_owned() } else { format!("balcao-local-{name}.fifo") };
    let found = sqs(stack, "GetQueueUrl", json!({"QueueName": name})).await;
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
