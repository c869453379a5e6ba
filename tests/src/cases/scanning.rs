//! Files and the virus scanner, on a cloud of its own: everybody else's files are judged by nobody.

use std::{ops::Deref, path::PathBuf, sync::Arc};

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer, Company, Stack, Wanted,
    company::{Person, text},
    desk::{MP4, PDF, PNG, media, post_form},
    eventually,
};
use tokio::sync::{Mutex, MutexGuard, OnceCell};
use uuid::Uuid;

use super::{
    desk::prepared::picture,
    faults::{dispatch, kill, let_leases_pass, start, stop, until_all_done},
    upload::is_stored,
};

const SCANNER: [&str; 2] = ["--parameter", "VirusScanUrl={sandbox}/scanner/v2/scan"];

fn binaries() -> PathBuf {
    std::env::current_exe().expect("a path").parent().expect("a folder").to_owned()
}

/// In the hands of one test after the other: each has scanners fail and workers killed.
struct Cloud {
    stack: Arc<Stack>,
    _turn: MutexGuard<'static, ()>,
}

impl Deref for Cloud {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        &self.stack
    }
}

/// It stops with the tests.
async fn cloud() -> Cloud {
    static CLOUD: OnceCell<Arc<Stack>> = OnceCell::const_new();
    static TURN: Mutex<()> = Mutex::const_new(());
    let turn = TURN.lock().await;
    let begin = async || {
        let options = [&SCANNER[..], &["--no-throttle"]].concat();
        Arc::new(Stack::start(&PathBuf::from(".local/tests-scanning"), &binaries(), &options).await.expect("a stack starts"))
    };
    let stack = Arc::clone(CLOUD.get_or_init(begin).await);
    heal(&stack).await;
    Cloud { stack, _turn: turn }
}

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 2, students: 1, agent_visibility: "own", ..Wanted::default() }).await
}

/// What every scanner takes for infected, with something of its own around it. In two, so that none takes this file for it.
fn infected(mark: &str) -> Vec<u8> {
    let eicar = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat();
    format!("{mark} {eicar}").into_bytes()
}

fn clean(mark: &str) -> Vec<u8> {
    format!("{mark} sem vírus").into_bytes()
}

fn mark() -> String {
    Uuid::now_v7().to_string()
}

async fn upload(person: &Person, query: &str, mime_type: &str, bytes: &[u8]) -> Value {
    let path = format!("/storage/upload?{query}");
    let file = person.api.send(Method::POST, &path, Some((mime_type, bytes.to_vec()))).await.expect(201);
    assert_eq!((&file["status"], &file["failure"]), (&json!("quarantined"), &Value::Null), "{file}");
    file
}

/// The id of a text that was uploaded.
async fn upload_text(person: &Person, bytes: &[u8]) -> String {
    text(&upload(person, "name=a.txt", "text/plain", bytes).await["id"]).to_owned()
}

async fn complete(person: &Person, file: &str) -> Answer {
    person.api.post(&format!("/storage/{file}/complete"), json!({})).await
}

async fn until_ready(person: &Person, file: &str) -> Value {
    eventually("the file let go", || async {
        let file = complete(person, file).await.expect(200);
        (file["status"] == "ready").then_some(file)
    })
    .await
}

async fn until_condemned(person: &Person, file: &str) {
    eventually("the file condemned", || async {
        let answer = complete(person, file).await;
        (answer.status != 200).then(|| assert_eq!(answer.problem(422), "infected"))
    })
    .await;
    assert_eq!(person.api.get(&format!("/storage/download/{file}")).await.problem(410), "file_refused");
}

async fn is_quarantined(person: &Person, file: &str) {
    assert_eq!(complete(person, file).await.expect(200)["status"], "quarantined");
    assert_eq!(person.api.get(&format!("/storage/download/{file}")).await.problem(409), "file_quarantined");
}

/// The scanner fails so, for files that hold this.
async fn fault(stack: &Stack, mark: &str, mut fault: Value) {
    fault["target"] = json!("scanner");
    fault["contains"] = json!(mark);
    stack.control("POST", "/sandbox/faults", Some(fault)).await;
}

async fn heal(stack: &Stack) {
    stack.control("DELETE", "/sandbox/faults", None).await;
}

/// What the scanner was asked about files that hold this, once that is so often.
async fn scans(stack: &Stack, mark: &str, count: usize) -> usize {
    let path = format!("/sandbox/calls?target=scanner&contains={mark}&count={count}&wait_ms=20000");
    stack.control("GET", &path, None).await.as_array().map_or(0, Vec::len)
}

/// What waits to be tried again is.
async fn hurry(stack: &Stack, company: &Company) {
    dispatch(stack, company).await;
    let_leases_pass(stack, company, "PreparationQueue").await;
}

async fn key(stack: &Stack, file: &str) -> String {
    let key = "select storage_key from files where id = $1::text::uuid";
    stack.database().await.query_one(key, &[&file]).await.expect("its row").get(0)
}

/// All that is due in this company goes now.
async fn sweep(stack: &Stack, company: &Company) {
    let due = "update object_removals set due_at = now() - interval '1 minute' where company_id = $1";
    stack.database().await.execute(due, &[&company.id]).await.expect("they are due");
    stack.control("POST", "/fire/SweepExpired", None).await;
}

/// What somebody was told of this file, in order.
async fn told(person: &Person, head: &str, file: &str) -> Vec<(String, Value)> {
    let events = person.events_after(head).await.into_iter().filter(|event| event["type"] == "file.checked");
    let of_file = events.map(|event| event["data"]["file"].clone()).filter(|told| told["id"] == file);
    of_file.map(|file| (text(&file["status"]).to_owned(), file["failure"].clone())).collect()
}

pub async fn uploads_are_let_go_or_condemned(_: Arc<Stack>) {
    let stack = cloud().await;
    let (company, other) = (company(&stack).await, company(&stack).await);
    let student = &company.students[0];
    for person in [&company.agents[0], student] {
        let mut socket = person.socket().await;
        for (bytes, is_clean) in [(clean("um"), true), (infected("dois"), false)] {
            let direct = upload_text(person, &bytes).await;
            let announced = person.announce("b.txt", "text/plain", bytes.len()).await.expect(201);
            assert!(post_form(&announced["upload"], &announced["upload"]["fields"], &bytes).await < 300);
            let presigned = text(&announced["file"]["id"]).to_owned();
            complete(person, &presigned).await.expect(200);
            for file in [direct, presigned] {
                let object = key(&stack, &file).await;
                let of_file = |frame: &Value| frame["type"] == "file.checked" && frame["data"]["file"]["id"] == file.as_str();
                let told = socket.frame("what became of it", of_file).await["data"]["file"].clone();
                if is_clean {
                    assert_eq!((&told["status"], &told["failure"]), (&json!("ready"), &Value::Null));
                    assert_eq!(until_ready(person, &file).await, told);
                    assert_eq!(person.download(&file).await.0, bytes);
                } else {
                    assert_eq!((&told["status"], &told["failure"]), (&json!("failed"), &json!("infected")));
                    until_condemned(person, &file).await;
                    sweep(&stack, &company).await;
                    assert!(!is_stored(&stack, &object), "{object}");
                }
                other.admin.api.get(&format!("/storage/download/{file}")).await.expect(404);
                company.agents[1].api.get(&format!("/storage/download/{file}")).await.expect(404);
            }
        }
    }
    until_all_done(&stack, &company).await;
}

pub async fn nobody_uses_what_waits_for_the_scanner(_: Arc<Stack>) {
    let stack = cloud().await;
    let (company, other) = (company(&stack).await, company(&stack).await);
    let agent = &company.agents[0];
    let (client, id) = company.served().await;
    until_all_done(&stack, &company).await;
    stop(&stack, "sqs").await;
    let shown = picture(900, 600, image::ImageFormat::Png);
    let image = upload(agent, "name=a.png", "image/png", &shown).await["id"].clone();
    let document = upload(agent, "name=a.pdf&purpose=document", "application/pdf", PDF).await["id"].clone();
    let face = upload(agent, "name=b.png&purpose=avatar", "image/png", PNG).await["id"].clone();
    let table = upload(&company.supervisor, "name=a.csv&purpose=document", "text/csv", b"nome;telefone\nAna;11987654321\n").await
        ["id"]
        .clone();
    let client_id = text(&agent.conversation(&id).await["client_id"]).to_owned();
    let message = json!({"conversation_id": id, "client_message_id": "f", "kind": "image", "file_id": image});
    let mut planned = message.clone();
    planned["due_at"] = json!((jiff::Timestamp::now() + jiff::SignedDuration::from_secs(60)).to_string());
    let reply = json!({"scope": "personal", "shortcut": "foto", "title": "Foto", "text": "Olha", "file_ids": [image]});
    let begin = json!({"phone": client, "message": {"kind": "image", "file_id": image}});
    let uses = [
        (agent, "/messages", message),
        (agent, "/scheduled-messages", planned),
        (agent, "/whatsapp/messages/send", json!({"phone": client, "kind": "image", "file_id": image})),
        (agent, "/conversations", begin),
        (agent, "/quick-replies", reply),
        (agent, &format!("/clients/{client_id}/files"), json!({"file_id": document})),
        (&company.supervisor, "/clients/import", json!({"file_id": table})),
    ];
    for (person, path, body) in &uses[..] {
        assert_eq!(person.api.post(path, body.clone()).await.problem(409), "file_quarantined", "{path}");
    }
    let avatar = json!({"avatar_file_id": face});
    assert_eq!(agent.api.call(Method::PATCH, "/users/me", Some(avatar.clone())).await.problem(409), "file_quarantined");
    for (file, person) in [(&image, agent), (&document, agent), (&face, agent), (&table, &company.supervisor)] {
        is_quarantined(person, text(file)).await;
        person.api.get(&format!("/storage/download/{}?size=thumb", text(file))).await.expect(409);
        other.admin.api.get(&format!("/storage/download/{}", text(file))).await.expect(404);
    }
    // One that is not wanted any more goes at once.
    let unwanted = upload_text(agent, &clean("nada")).await;
    agent.api.call(Method::DELETE, &format!("/storage/{unwanted}"), None).await.expect(204);
    start(&stack, "sqs").await;
    dispatch(&stack, &company).await;
    until_all_done(&stack, &company).await;
    for (person, path, body) in &uses[..] {
        let answer = person.api.post(path, body.clone()).await;
        assert!((200..300).contains(&answer.status), "{path}: {}", answer.body);
    }
    agent.api.call(Method::PATCH, "/users/me", Some(avatar)).await.expect(200);
    // What is made of a picture is made of one that was let go.
    let answer = agent.api.get(&format!("/storage/download/{}?size=thumb", text(&image))).await;
    let smaller = reqwest::get(answer.header("location").expect("a redirect")).await.expect("the bucket answers");
    assert_ne!(smaller.bytes().await.expect("a body"), shown);
    company.phone.sent_at_least(3).await;
    agent.api.get(&format!("/storage/download/{unwanted}")).await.expect(404);
}

pub async fn what_clients_send_is_judged_before_it_is_read(_: Arc<Stack>) {
    let stack = cloud().await;
    let company = company(&stack).await;
    let (client, id) = company.served().await;
    let agent = &company.agents[0];
    let mut socket = agent.socket().await;
    socket.follow(&id).await;
    let of_message = |socket_frame: &Value, status: &str| {
        socket_frame["type"] == "message.updated" && socket_frame["data"]["message"]["file"]["status"] == status
    };
    company.phone.receive(&client, media("video/mp4", MP4, json!({}))).await;
    let waits = socket.frame("it waits", |frame| of_message(frame, "quarantined")).await["data"]["message"].clone();
    let there = socket.frame("it is there", |frame| of_message(frame, "ready")).await["data"]["message"].clone();
    assert_eq!((&waits["id"], &waits["file"]["id"]), (&there["id"], &there["file"]["id"]));
    assert_eq!(agent.download(text(&there["file"]["id"])).await.0, MP4);

    let mark = mark();
    fault(&stack, &mark, json!({"kind": "error", "status": 503})).await;
    company.phone.receive(&client, media("text/plain", &infected(&mark), json!({"filename": "a.txt"}))).await;
    let waits = socket.frame("it waits", |frame| of_message(frame, "quarantined")).await["data"]["message"].clone();
    scans(&stack, &mark, 1).await;
    let file = text(&waits["file"]["id"]);
    for person in [agent, &company.admin] {
        assert_eq!(person.api.get(&format!("/storage/download/{file}")).await.problem(409), "file_quarantined");
    }
    let forward = format!("/messages/{}/forward", text(&waits["id"]));
    let to = json!({"conversation_ids": [id]});
    assert_eq!(agent.api.post(&forward, to.clone()).await.problem(409), "file_quarantined");
    let object = key(&stack, file).await;
    heal(&stack).await;
    hurry(&stack, &company).await;
    let gone = socket.frame("it is condemned", |frame| of_message(frame, "failed")).await["data"]["message"].clone();
    assert_eq!((&gone["id"], &gone["file"]["failure"]), (&waits["id"], &json!("infected")));
    let thread = agent.thread(&id).await;
    let shown = thread.iter().find(|message| message["id"] == waits["id"]).expect("the message");
    assert_eq!(shown["file"]["status"], "failed");
    assert_eq!(agent.api.get(&format!("/storage/download/{file}")).await.problem(410), "file_refused");
    assert_eq!(agent.api.post(&forward, to).await.problem(409), "not_forwardable");
    sweep(&stack, &company).await;
    assert!(!is_stored(&stack, &object));
    until_all_done(&stack, &company).await;
}

pub async fn a_scanner_that_says_nothing_is_asked_again(_: Arc<Stack>) {
    let stack = cloud().await;
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let mark = mark();
    let faults = [
        json!({"kind": "refuse"}),
        json!({"kind": "error", "status": 500}),
        json!({"kind": "error", "status": 413, "message": "File size limit exceeded"}),
        json!({"kind": "error", "status": 200, "body": "<html>Welcome to nginx</html>"}),
        json!({"kind": "error", "status": 406, "body": "<html>Not Acceptable</html>"}),
        json!({"kind": "error", "status": 302, "body": "[{\"Status\":\"OK\"}]"}),
        json!({"kind": "timeout"}),
    ];
    for fault in &faults {
        let mut once = fault.clone();
        once["times"] = json!(1);
        self::fault(&stack, &mark, once).await;
    }
    let file = upload_text(agent, &clean(&mark)).await;
    let attempts = "select attempts, last_error from jobs where company_id = $1 and kind = 'scan_file' and leased_until is null";
    let database = stack.database().await;
    for number in 1..=faults.len() {
        let reason: String = eventually("an attempt that failed", || async {
            let row = database.query_one(attempts, &[&company.id]).await.ok()?;
            (row.get::<_, i32>(0) == i32::try_from(number).ok()?).then(|| row.get::<_, Option<String>>(1)).flatten()
        })
        .await;
        assert!(reason.starts_with("the scanner ") && !reason.contains("http://"), "{reason}");
        is_quarantined(agent, &file).await;
        if number == faults.len() {
            stop(&stack, "sandbox").await;
        }
        hurry(&stack, &company).await;
    }
    eventually("it is down", || async {
        let row = database.query_one(attempts, &[&company.id]).await.ok()?;
        (row.get::<_, i32>(0) == 8).then_some(())
    })
    .await;
    is_quarantined(agent, &file).await;
    start(&stack, "sandbox").await;
    hurry(&stack, &company).await;
    until_ready(agent, &file).await;
    assert_eq!(scans(&stack, &mark, 8).await, 8, "one for each fault, and one that was answered");
}

pub async fn what_nobody_could_judge_waits_until_its_job_is_done_again(_: Arc<Stack>) {
    let stack = cloud().await;
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let (good, bad) = (mark(), mark());
    for mark in [&good, &bad] {
        fault(&stack, mark, json!({"kind": "error", "status": 503})).await;
    }
    let (clean, infected) = (upload_text(agent, &clean(&good)).await, upload_text(agent, &infected(&bad)).await);
    let last = "update jobs set attempts = 9 where company_id = $1 and last_error is not null and leased_until is null";
    let database = stack.database().await;
    eventually("an attempt of each", || async {
        (database.execute(last, &[&company.id]).await.expect("an answer") == 2).then_some(())
    })
    .await;
    hurry(&stack, &company).await;
    let failed = eventually("both given up", || async {
        let failed = company.admin.api.get("/jobs/failed?kind=scan_file").await.expect(200);
        failed["data"].as_array().filter(|rows| rows.len() == 2).cloned()
    })
    .await;
    for file in [&clean, &infected] {
        is_quarantined(agent, file).await;
    }
    heal(&stack).await;
    for job in &failed {
        company.admin.api.post(&format!("/jobs/{}/retry", text(&job["id"])), json!({})).await.expect(200);
    }
    until_ready(agent, &clean).await;
    until_condemned(agent, &infected).await;
}

pub async fn a_worker_killed_while_a_file_is_judged_has_it_judged_again(_: Arc<Stack>) {
    let stack = cloud().await;
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let head = agent.head().await;
    for is_clean in [true, false] {
        let mark = mark();
        fault(&stack, &mark, json!({"kind": "timeout", "ms": 6000, "times": 1})).await;
        let file = upload_text(agent, &if is_clean { clean(&mark) } else { infected(&mark) }).await;
        scans(&stack, &mark, 1).await;
        kill(&stack, "PrepareFile").await;
        is_quarantined(agent, &file).await;
        hurry(&stack, &company).await;
        let wanted = if is_clean {
            until_ready(agent, &file).await;
            ("ready".to_owned(), Value::Null)
        } else {
            until_condemned(agent, &file).await;
            ("failed".to_owned(), json!("infected"))
        };
        assert_eq!(scans(&stack, &mark, 2).await, 2);
        until_all_done(&stack, &company).await;
        assert_eq!(told(agent, &head, &file).await, [wanted]);
    }
}

/// The copy is a lane of its own, so that both are at it at once.
const COPY_JOB: &str = "
    insert into jobs (id, company_id, kind, queue, lane, payload, run_at)
    select gen_random_uuid(), company_id, kind, queue, 'copy', payload, now()
      from jobs where company_id = $1 and payload ->> 'file_id' = $2";

pub async fn of_two_workers_one_lets_a_file_go_or_condemns_it(_: Arc<Stack>) {
    let stack = cloud().await;
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let head = agent.head().await;
    for is_clean in [true, false] {
        let mark = mark();
        fault(&stack, &mark, json!({"kind": "timeout", "ms": 3000, "times": 2})).await;
        let file = upload_text(agent, &if is_clean { clean(&mark) } else { infected(&mark) }).await;
        stack.database().await.execute(COPY_JOB, &[&company.id, &file]).await.expect("a copy");
        dispatch(&stack, &company).await;
        assert_eq!(scans(&stack, &mark, 2).await, 2);
        is_quarantined(agent, &file).await;
        until_all_done(&stack, &company).await;
        if is_clean {
            until_ready(agent, &file).await;
        } else {
            until_condemned(agent, &file).await;
        }
        assert_eq!(told(agent, &head, &file).await.len(), 1);
        let failed = company.admin.api.get("/jobs/failed").await.expect(200);
        assert_eq!(failed["data"], json!([]));
    }
}

pub async fn what_goes_while_it_is_judged_does_not_come_back(_: Arc<Stack>) {
    let stack = cloud().await;
    let company = company(&stack).await;
    let (client, id) = company.served().await;
    let agent = &company.agents[0];
    let head = agent.head().await;
    for bytes in [clean, infected] {
        let mark = mark();
        fault(&stack, &mark, json!({"kind": "timeout", "ms": 3000})).await;
        let file = upload_text(agent, &bytes(&mark)).await;
        let object = key(&stack, &file).await;
        scans(&stack, &mark, 1).await;
        agent.api.call(Method::DELETE, &format!("/storage/{file}"), None).await.expect(204);
        until_all_done(&stack, &company).await;
        agent.api.get(&format!("/storage/download/{file}")).await.expect(404);
        assert!(told(agent, &head, &file).await.is_empty());
        sweep(&stack, &company).await;
        assert!(!is_stored(&stack, &object));
    }
    // A client takes back what they have sent.
    let mark = mark();
    fault(&stack, &mark, json!({"kind": "timeout", "ms": 3000})).await;
    let received = company.phone.receive(&client, media("text/plain", &clean(&mark), json!({"filename": "a.txt"}))).await;
    scans(&stack, &mark, 1).await;
    let file = text(&agent.thread(&id).await.pop().expect("a message")["file"]["id"]).to_owned();
    let revoke = json!({"type": "revoke", "revoke": {"original_message_id": received["id"]}});
    assert_eq!(company.phone.receive(&client, json!({"message": revoke})).await["status"], 200);
    until_all_done(&stack, &company).await;
    company.admin.api.get(&format!("/storage/download/{file}")).await.expect(404);
    let status = "select status from files where id = $1::text::uuid";
    let status: String = stack.database().await.query_one(status, &[&file]).await.expect("its row").get(0);
    assert_eq!(status, "quarantined");
}

pub async fn the_same_content_is_judged_for_each_file_and_kept_once(_: Arc<Stack>) {
    let stack = cloud().await;
    let (company, other) = (company(&stack).await, company(&stack).await);
    let [one, two] = [&company.agents[0], &company.agents[1]];
    let (good, bad) = (mark(), mark());
    for mark in [&good, &bad] {
        fault(&stack, mark, json!({"kind": "timeout", "ms": 1500})).await;
    }
    let mut shared = Vec::new();
    for person in [one, two, one] {
        shared.push((person, upload_text(person, &clean(&good)).await));
    }
    let foreign = upload_text(&other.agents[0], &clean(&good)).await;
    let condemned = [(one, upload_text(one, &infected(&bad)).await), (two, upload_text(two, &infected(&bad)).await)];
    for (person, file) in &shared {
        until_ready(person, file).await;
    }
    until_ready(&other.agents[0], &foreign).await;
    let mut objects = Vec::new();
    for (person, file) in &condemned {
        until_condemned(person, file).await;
        objects.push(key(&stack, file).await);
    }
    until_all_done(&stack, &company).await;
    // Later files are asked about too, however well their content is known.
    heal(&stack).await;
    let late = upload_text(two, &clean(&good)).await;
    until_ready(two, &late).await;
    assert_eq!((scans(&stack, &good, 5).await, scans(&stack, &bad, 2).await), (5, 2));
    let kept = key(&stack, &late).await;
    sweep(&stack, &company).await;
    for (person, file) in shared.iter().map(|(person, file)| (*person, file)).chain([(two, &late)]) {
        assert_eq!(key(&stack, file).await, kept);
        assert_eq!(person.download(file).await.0, clean(&good));
    }
    assert!(objects.iter().all(|object| !is_stored(&stack, object)));
    assert_ne!(key(&stack, &foreign).await, kept);
    assert_eq!(other.agents[0].download(&foreign).await.0, clean(&good));
}

/// The scanner is switched off with the next start.
pub async fn without_a_scanner_what_still_waits_is_let_go(_: Arc<Stack>) {
    let directory = std::env::current_dir().expect("a folder").join(".local/tests-unscanned");
    let _ = std::fs::remove_dir_all(&directory);
    let stack = Stack::start_kept(&directory, &binaries(), &SCANNER).await.expect("a stack starts");
    let company = company(&stack).await;
    let agent = &company.agents[0];
    stop(&stack, "sqs").await;
    let file = upload_text(agent, &clean("espera")).await;
    is_quarantined(agent, &file).await;
    let token = agent.api.token.clone().expect("a token");
    stack.kill().await;
    let stack = Stack::start_kept(&directory, &binaries(), &[]).await.expect("it starts again");
    dispatch(&stack, &company).await;
    let agent = Person { api: stack.api().with_token(token), ..agent.clone() };
    until_ready(&agent, &file).await;
    assert_eq!(agent.download(&file).await.0, clean("espera"));
    let at_once = agent.api.send(Method::POST, "/storage/upload?name=a.txt", Some(("text/plain", clean("logo")))).await;
    assert_eq!(at_once.expect(201)["status"], "ready");
    until_all_done(&stack, &company).await;
    assert_eq!(stack.control("GET", "/sandbox/calls?target=scanner", None).await, json!([]));
    stack.stop().await;
}
