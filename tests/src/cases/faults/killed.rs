//! Functions killed in the middle: between commit and push, before and after the provider's answer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tests::{
    Stack, Wanted,
    company::text,
    desk::{PDF, post_form},
    eventually, processes_of,
    sandbox::fresh_number,
};

use crate::cases::{desk::prepared::picture, upload::is_stored};

use super::{
    Desk, conversations, dispatch, feed_after, feed_head, kill, let_leases_pass, start, stop, until_all_done, until_blocked,
};

pub async fn send_message_killed_after_its_commit_sends_once(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    let head = feed_head(&desk.company).await;
    stop(&stack, "sqs").await;
    let sending = desk.begin_sending("uma vez");
    committed(&stack, "select from messages where company_id = $1 and client_message_id = 'uma vez'", &desk).await;
    kill(&stack, "SendMessage").await;
    assert!(sending.await.expect("an answer").status >= 500);
    start(&stack, "sqs").await;

    let first = desk.send("uma vez").await.expect(201);
    let second = desk.send("uma vez").await.expect(201);
    assert_eq!(first["id"], second["id"]);
    assert_eq!(desk.told(&head, "uma vez").await, 1);
    tests::soon().await;
    assert_eq!(desk.accepted().await, [""; 0]);
    dispatch(&stack, &desk.company).await;
    desk.until("uma vez", &["read"]).await;
    dispatch(&stack, &desk.company).await;
    until_all_done(&stack, &desk.company).await;
    assert_eq!(desk.accepted().await, ["uma vez"]);
}

pub async fn a_webhook_killed_after_its_commit_is_stored_once_and_its_job_is_done(stack: Arc<Stack>) {
    let company = stack.company(Wanted { bot: true, ..Wanted::default() }).await;
    let head = feed_head(&company).await;
    stop(&stack, "sqs").await;
    let phone = company.phone.clone();
    let receiving = tokio::spawn(async move { phone.receive(&fresh_number(), json!({"text": "Oi"})).await });
    eventually("the message committed", || async {
        let count = "select count(*) from messages where company_id = $1 and body = 'Oi'";
        (stack.database().await.query_one(count, &[&company.id]).await.expect("a count").get::<_, i64>(0) == 1).then_some(())
    })
    .await;
    kill(&stack, "ReceiveWhatsappWebhook").await;
    let received = receiving.await.expect("the sandbox answers");
    assert_eq!(received["status"], 500, "{received}");
    start(&stack, "sqs").await;

    let path = format!("/sandbox/whatsapp/deliveries?phone_number_id={}", company.phone.number_id);
    eventually("the webhook accepted at the second try", || async {
        let deliveries = stack.control("GET", &path, None).await;
        let attempts = deliveries[0]["attempts"].as_array().cloned().unwrap_or_default();
        attempts.last().is_some_and(|attempt| attempt["status"] == 200).then_some(())
    })
    .await;
    assert_eq!(conversations(&company).await.len(), 1);
    let created = |event: &&Value| event["type"] == "message.created" && event["data"]["message"]["body"] == "Oi";
    assert_eq!(feed_after(&company, &head).await.iter().filter(created).count(), 1);
    dispatch(&stack, &company).await;
    company.phone.sent_at_least(1).await;
    dispatch(&stack, &company).await;
    until_all_done(&stack, &company).await;
    assert_eq!(company.phone.sent().await.len(), 1);
}

pub async fn a_webhook_killed_while_it_joins_two_clients_joins_them_once(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let client = fresh_number();
    company.phone.receive(&client, json!({"user_id": "BR.K1", "text": "um"})).await;
    company.phone.receive("", json!({"from": null, "user_id": "BR.K2", "text": "dois"})).await;
    let head = feed_head(&company).await;
    let database = stack.database().await;
    database.batch_execute("begin").await.expect("a transaction");
    let hold = "select from messages where company_id = $1 and body = 'dois' for update";
    database.query_one(hold, &[&company.id]).await.expect("the message is held");
    let phone = company.phone.clone();
    let number = client.clone();
    let proof = json!({"user_id": "BR.K2", "text": "três"});
    let receiving = tokio::spawn(async move { phone.receive(&number, proof).await });
    until_blocked(&stack, 1).await;
    kill(&stack, "ReceiveWhatsappWebhook").await;
    database.batch_execute("rollback").await.expect("the message is let go");
    let received = receiving.await.expect("the sandbox answers");
    assert_eq!(received["status"], 500, "{received}");
    let counts = "
        select (select count(*) from client_merges where company_id = $1),
               (select count(*) from conversations where company_id = $1 and ended_at is null),
               (select count(*) from messages where company_id = $1 and sender_type = 'client')";
    eventually("the webhook taken at the second try", || async {
        let row = database.query_one(counts, &[&company.id]).await.expect("counts");
        let found = [0, 1, 2].map(|index| row.get::<_, i64>(index));
        assert!([[0, 2, 2], [1, 1, 3]].contains(&found), "half done: {found:?}");
        (found == [1, 1, 3]).then_some(())
    })
    .await;
    let merged = |event: &&Value| event["type"] == "client.merged";
    assert_eq!(feed_after(&company, &head).await.iter().filter(merged).count(), 1);
}

/// The provider has the message, we do not know it, and no status comes.
pub async fn a_worker_killed_after_the_providers_answer_never_sends_again(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    send_and_kill_the_worker(&stack, &desk).await;
    let unknown = desk.with_body("sem resposta").await;
    assert_eq!(unknown[0]["status"], "sending");
    desk.send("adiante").await.expect(201);
    let_leases_pass(&stack, &desk.company, "DeliveryQueue").await;
    desk.until("adiante", &["read"]).await;
    let failed = eventually("the outcome given up", || async {
        dispatch(&stack, &desk.company).await;
        let found = desk.with_body("sem resposta").await.remove(0);
        (found["status"] == "failed").then_some(found)
    })
    .await;
    assert_eq!(failed["error_code"], "outcome_unknown");
    until_all_done(&stack, &desk.company).await;
    assert_eq!(desk.accepted().await, ["sem resposta", "adiante"]);
}

pub async fn a_status_that_names_our_id_resolves_an_unknown_outcome(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    let wamid = send_and_kill_the_worker(&stack, &desk).await;
    let status = json!({"phone_number_id": desk.company.phone.number_id, "id": wamid, "status": "delivered"});
    desk.company.phone.post("/whatsapp/status", status).await;
    assert_eq!(desk.until("sem resposta", &["delivered"]).await["error_code"], Value::Null);
    let_leases_pass(&stack, &desk.company, "DeliveryQueue").await;
    until_all_done(&stack, &desk.company).await;
    let status = json!({"phone_number_id": desk.company.phone.number_id, "id": wamid, "status": "read"});
    desk.company.phone.post("/whatsapp/status", status).await;
    desk.until("sem resposta", &["read"]).await;
    assert_eq!(desk.accepted().await, ["sem resposta"]);
}

/// A proof that comes after the message was given up wins.
pub async fn a_status_after_the_outcome_was_given_up_still_counts(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    let wamid = send_and_kill_the_worker(&stack, &desk).await;
    let_leases_pass(&stack, &desk.company, "DeliveryQueue").await;
    eventually("the outcome given up", || async {
        dispatch(&stack, &desk.company).await;
        (desk.with_body("sem resposta").await[0]["status"] == "failed").then_some(())
    })
    .await;
    let status = json!({"phone_number_id": desk.company.phone.number_id, "id": wamid, "status": "sent"});
    desk.company.phone.post("/whatsapp/status", status).await;
    desk.until("sem resposta", &["sent"]).await;
    assert_eq!(desk.accepted().await, ["sem resposta"]);
}

/// The copy that was checked and not recorded goes; the upload is there for the next try, and what that keeps stays.
pub async fn a_check_killed_before_its_record_is_done_again_and_leaves_nothing_behind(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let announced = agent.announce("a.pdf", "application/pdf", PDF.len()).await.expect(201);
    post_form(&announced["upload"], &announced["upload"]["fields"], PDF).await;
    let id = text(&announced["file"]["id"]).to_owned();
    let complete = format!("/storage/{id}/complete");
    let database = stack.database().await;
    database.batch_execute("begin").await.expect("a transaction");
    let file: uuid::Uuid = id.parse().expect("an id");
    database.query_one("select from files where id = $1 for update", &[&file]).await.expect("the file is held");
    let (api, path) = (agent.api.clone(), complete.clone());
    let completing = tokio::spawn(async move { api.post(&path, json!({})).await });
    until_blocked(&stack, 1).await;
    kill(&stack, "CompleteUpload").await;
    database.batch_execute("rollback").await.expect("the file is let go");
    assert!(completing.await.expect("an answer").status >= 500);
    assert_eq!(agent.api.get(&format!("/storage/download/{id}")).await.problem(409), "not_ready");

    let forgotten = "select storage_key from object_removals where company_id = $1";
    let forgotten: String = database.query_one(forgotten, &[&company.id]).await.expect("one copy").get(0);
    assert!(is_stored(&stack, &forgotten));
    agent.api.post(&complete, json!({})).await.expect(200);
    let due = "update object_removals set due_at = now() where company_id = $1";
    assert_eq!(database.execute(due, &[&company.id]).await.expect("they are due"), 2, "the forgotten copy and the upload");
    stack.control("POST", "/fire/SweepExpired", None).await;
    assert!(!is_stored(&stack, &forgotten) && !is_stored(&stack, &format!("upload/{}/{id}", company.id)));
    let left = "select count(*) from object_removals where company_id = $1";
    assert_eq!(database.query_one(left, &[&company.id]).await.expect("a count").get::<_, i64>(0), 0);
    assert_eq!(agent.download(&id).await.0, PDF);
}

/// A file's row is changed when the one who holds this lock lets go of it.
const WAIT_BEFORE_RECORDING: &str = "
    create function wait_before_recording() returns trigger language plpgsql as $$
    begin
        perform pg_advisory_xact_lock(4711);
        return new;
    end
    $$;
    grant execute on function wait_before_recording to app_staff, app_system;
    create trigger wait_before_recording before update on files for each row execute function wait_before_recording()";

/// The object is there and no file is made of it: both go, the row with those that nobody completed.
pub async fn an_upload_killed_before_its_record_leaves_nothing_behind(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let database = stack.database().await;
    database.batch_execute(WAIT_BEFORE_RECORDING).await.expect("what is recorded waits");
    database.batch_execute("select pg_advisory_lock(4711)").await.expect("the lock");
    let api = agent.api.clone();
    let upload = async move {
        api.send(reqwest::Method::POST, "/storage/upload?name=a.pdf", Some(("application/pdf", PDF.to_vec()))).await
    };
    let uploading = tokio::spawn(upload);
    until_blocked(&stack, 1).await;
    kill(&stack, "UploadFile").await;
    database.batch_execute("select pg_advisory_unlock(4711)").await.expect("it is let go");
    database.batch_execute("drop function wait_before_recording cascade").await.expect("nothing waits any more");
    assert!(uploading.await.expect("an answer").status >= 500);

    let forgotten = "select storage_key from object_removals where company_id = $1";
    let forgotten: String = database.query_one(forgotten, &[&company.id]).await.expect("one copy").get(0);
    assert!(is_stored(&stack, &forgotten));
    let row = "select id::text, status from files where company_id = $1";
    let row = database.query_one(row, &[&company.id]).await.expect("its row");
    let (id, status): (String, String) = (row.get(0), row.get(1));
    assert_eq!(status, "pending");
    assert_eq!(agent.api.get(&format!("/storage/download/{id}")).await.problem(409), "not_ready");
    // Sent again it is another file, and what nobody completed goes after its day.
    let again = agent.api.send(reqwest::Method::POST, "/storage/upload?name=a.pdf", Some(("application/pdf", PDF.to_vec())));
    let kept = text(&again.await.expect(201)["id"]).to_owned();
    for later in [
        "update files set created_at = now() - interval '25 hours' where company_id = $1 and status = 'pending'",
        "update object_removals set due_at = now() where company_id = $1",
    ] {
        database.execute(later, &[&company.id]).await.expect("time passes");
    }
    stack.control("POST", "/fire/SweepExpired", None).await;
    assert!(!is_stored(&stack, &forgotten));
    agent.api.get(&format!("/storage/download/{id}")).await.expect(404);
    let left =
        "select (select count(*) from files where company_id = $1), (select count(*) from object_removals where company_id = $1)";
    let left = database.query_one(left, &[&company.id]).await.expect("counts");
    assert_eq!((left.get::<_, i64>(0), left.get::<_, i64>(1)), (1, 0));
    assert_eq!(agent.download(&kept).await.0, PDF);
}

/// What the killed worker made goes, and what the next one makes stays until its file goes.
pub async fn a_worker_killed_before_a_picture_is_recorded_leaves_one_behind_and_no_more(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let database = stack.database().await;
    database.batch_execute(WAIT_BEFORE_RECORDING).await.expect("what is recorded waits");
    stop(&stack, "sqs").await;
    let id = agent.upload("a.png", "image/png", &picture(1200, 600, image::ImageFormat::Png)).await;
    database.batch_execute("select pg_advisory_lock(4711)").await.expect("the lock");
    start(&stack, "sqs").await;
    dispatch(&stack, &company).await;
    until_blocked(&stack, 1).await;
    kill(&stack, "PrepareFile").await;
    database.batch_execute("select pg_advisory_unlock(4711)").await.expect("it is let go");
    database.batch_execute("drop function wait_before_recording cascade").await.expect("nothing waits any more");
    let named = "select storage_key from object_removals where company_id = $1 and storage_key like 'company/%'";
    let keys = async || {
        let rows = database.query(named, &[&company.id]).await.expect("keys");
        rows.iter().map(|row| row.get(0)).collect::<Vec<String>>()
    };
    let forgotten = keys().await.into_iter().filter(|key| is_stored(&stack, key)).collect::<Vec<_>>();
    assert_eq!(forgotten.len(), 2, "a small and a large one");
    let_leases_pass(&stack, &company, "PreparationQueue").await;
    dispatch(&stack, &company).await;
    until_all_done(&stack, &company).await;

    let due = "update object_removals set due_at = now() where company_id = $1";
    database.execute(due, &[&company.id]).await.expect("they are due");
    stack.control("POST", "/fire/SweepExpired", None).await;
    assert!(forgotten.iter().all(|key| !is_stored(&stack, key)) && keys().await.is_empty());
    let made = "select thumb_key, poster_key from files where company_id = $1";
    let made = database.query_one(made, &[&company.id]).await.expect("a file");
    let made: [String; 2] = [made.get(0), made.get(1)];
    assert!(made.iter().all(|key| is_stored(&stack, key)));
    // Whatever is written into the list of what goes.
    let list = "insert into object_removals (storage_key, company_id, due_at) select unnest($2::text[]), $1, now()";
    database.execute(list, &[&company.id, &made.as_slice()]).await.expect("they are named");
    stack.control("POST", "/fire/SweepExpired", None).await;
    assert!(made.iter().all(|key| is_stored(&stack, key)));
    database.execute("delete from object_removals where company_id = $1", &[&company.id]).await.expect("forgotten");
    // With their file they go.
    agent.api.call(reqwest::Method::DELETE, &format!("/storage/{id}"), None).await.expect(204);
    database.execute(due, &[&company.id]).await.expect("they are due");
    stack.control("POST", "/fire/SweepExpired", None).await;
    assert!(made.iter().all(|key| !is_stored(&stack, key)) && keys().await.is_empty());
}

pub async fn a_worker_killed_before_the_call_sends_when_it_is_done_again(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    stop(&stack, "sqs").await;
    desk.send("primeira").await.expect(201);
    desk.send("segunda").await.expect(201);
    let database = stack.database().await;
    database.batch_execute("begin").await.expect("a transaction");
    let hold = "select from messages where company_id = $1 and body = 'primeira' for update";
    database.query_one(hold, &[&desk.company.id]).await.expect("the message is held");
    start(&stack, "sqs").await;
    dispatch(&stack, &desk.company).await;
    until_blocked(&stack, 1).await;
    kill(&stack, "DeliverMessage").await;
    database.batch_execute("rollback").await.expect("the message is let go");
    let_leases_pass(&stack, &desk.company, "DeliveryQueue").await;
    desk.until("primeira", &["read"]).await;
    desk.until("segunda", &["read"]).await;
    until_all_done(&stack, &desk.company).await;
    assert_eq!(desk.accepted().await, ["primeira", "segunda"]);
}

/// A job whose worker never comes back to say so has had its attempts all the same.
pub async fn a_worker_killed_at_its_last_attempt_fails_the_message_and_its_lane_goes_on(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    let mut socket = desk.company.agents[0].socket().await;
    socket.follow(&desk.conversation).await;
    stop(&stack, "sqs").await;
    desk.send("fatal").await.expect(201);
    desk.send("seguinte").await.expect(201);
    let database = stack.database().await;
    let last = "update jobs set attempts = 9 from messages
                 where messages.company_id = $1 and messages.body = 'fatal' and jobs.payload ->> 'message_id' = messages.id::text
                returning jobs.id";
    let job: uuid::Uuid = database.query_one(last, &[&desk.company.id]).await.expect("the job").get(0);
    database.batch_execute("begin").await.expect("a transaction");
    let hold = "select from messages where company_id = $1 and body = 'fatal' for update";
    database.query_one(hold, &[&desk.company.id]).await.expect("the message is held");
    start(&stack, "sqs").await;
    dispatch(&stack, &desk.company).await;
    until_blocked(&stack, 1).await;
    kill(&stack, "DeliverMessage").await;
    database.batch_execute("rollback").await.expect("the message is let go");
    let_leases_pass(&stack, &desk.company, "DeliveryQueue").await;
    desk.until("seguinte", &["read"]).await;
    let failed = desk.until("fatal", &["failed"]).await;
    assert_eq!(failed["error_code"], "not_sent");
    let told =
        socket.frame("the failure", |frame| frame["type"] == "message.status" && frame["data"]["status"] == "failed").await;
    assert_eq!(told["data"]["message_id"], failed["id"]);
    let state = "select failed and last_error is not null from jobs where id = $1";
    assert!(database.query_one(state, &[&job]).await.expect("the job").get::<_, bool>(0));
    assert_eq!(desk.accepted().await, ["seguinte"]);
}

/// A process that stops dead keeps its rows until its time-out, and no longer.
pub async fn a_function_over_its_time_out_is_killed_and_its_locks_go(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    kill(&stack, "SendMessage").await;
    let database = stack.database().await;
    database.batch_execute("begin; lock table messages in access exclusive mode").await.expect("messages are held");
    let sending = desk.begin_sending("parada");
    until_blocked(&stack, 1).await;
    signal_processes(&stack, "send_message", "STOP");
    database.batch_execute("rollback").await.expect("messages are let go");
    let stopped = sending.await.expect("an answer").status;
    assert!([500, 503].contains(&stopped), "{stopped}");
    desk.send("parada").await.expect(201);
    desk.until("parada", &["read"]).await;
    assert_eq!(desk.accepted().await, ["parada"]);
}

/// Sends `sem resposta`, kills the worker while it waits for the provider's answer, and answers the provider's id.
async fn send_and_kill_the_worker(stack: &Stack, desk: &Desk) -> String {
    for fault in [json!({"kind": "accept_then_timeout"}), json!({"kind": "no_status"})] {
        let mut fault = fault;
        fault["target"] = json!("whatsapp.messages");
        fault["times"] = json!(1);
        desk.company.phone.fault(fault).await;
    }
    desk.send("sem resposta").await.expect(201);
    let sent = desk.company.phone.sent_at_least(1).await;
    kill(stack, "DeliverMessage").await;
    text(&sent[0]["id"]).to_owned()
}

/// Listeners whose worker was killed are told by another one, five seconds later at most.
pub async fn a_crowd_whose_worker_is_killed_is_told_soon(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, ..Wanted::default() }).await;
    let mut tabs = futures_util::future::join_all((0..24).map(|_| company.agents[0].socket())).await;
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    for socket in &mut tabs {
        socket.of_type("conversation.created").await;
    }
    signal_processes(&stack, "push_events", "STOP");
    company.phone.receive_text(&client, "De novo").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    kill(&stack, "PushEvents").await;
    let killed = Instant::now();
    let is_told = |frame: &Value| frame["data"]["conversation"]["last_message_preview"] == "De novo";
    for socket in &mut tabs {
        socket.frame("the second message", is_told).await;
    }
    assert!(killed.elapsed() <= Duration::from_secs(5), "{:?}", killed.elapsed());
}

async fn committed(stack: &Stack, sql: &str, desk: &Desk) {
    eventually("the row committed", || async {
        let rows = stack.database().await.query(sql, &[&desk.company.id]).await.expect("rows");
        (rows.len() == 1).then_some(())
    })
    .await;
}

/// Sends a signal to all processes of a function.
fn signal_processes(stack: &Stack, function: &str, signal: &str) {
    let processes = processes_of(stack, function);
    let ids: Vec<_> = processes.iter().filter_map(|process| process.file_name()).collect();
    assert!(!ids.is_empty(), "no process is {function}");
    let sent = std::process::Command::new("kill").arg(format!("-{signal}")).args(ids).status().expect("kill runs");
    assert!(sent.success());
}
