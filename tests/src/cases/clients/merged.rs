//! Clients made one by hand, and two again.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use tests::{
    Answer, Company, Stack, Wanted,
    company::{Person, text},
    eventually,
    sandbox::fresh_number,
};

/// A company and two clients who have written.
struct Scene {
    company: Company,
    numbers: [String; 2],
    clients: [String; 2],
    conversations: [String; 2],
}

async fn scene(stack: &Stack) -> Scene {
    let company = stack.company(Wanted { agents: 2, students: 1, ..Wanted::default() }).await;
    let numbers = [fresh_number(), fresh_number()];
    let (mut clients, mut conversations) = (Vec::new(), Vec::new());
    for (number, words) in numbers.iter().zip(["a1", "b1"]) {
        drop(company.phone.receive_text(number, words).await);
        let row = company.admin.conversation_of(number).await;
        clients.push(text(&row["client_id"]).to_owned());
        conversations.push(text(&row["id"]).to_owned());
    }
    let [clients, conversations] = [clients, conversations].map(|two| two.try_into().expect("two"));
    Scene { company, numbers, clients, conversations }
}

async fn merge(person: &Person, stays: &str, goes: &str) -> Answer {
    person.api.post(&format!("/clients/{stays}/merge"), json!({"client_id": goes})).await
}

async fn undo(person: &Person, merge: &Value) -> Answer {
    person.api.post(&format!("/client-merges/{}/undo", text(&merge["id"])), json!({})).await
}

async fn client(person: &Person, id: &str) -> Value {
    person.api.get(&format!("/clients/{id}")).await.expect(200)
}

/// What the client wrote in a conversation, in order.
async fn said(person: &Person, conversation: &str) -> Vec<String> {
    let thread = person.thread(conversation).await;
    let numbers: Vec<i64> = thread.iter().filter_map(|message| message["inbound_number"].as_i64()).collect();
    assert!(numbers.iter().copied().eq(1..=i64::try_from(numbers.len()).unwrap_or_default()), "{numbers:?}");
    let of_client = thread.iter().filter(|message| message["sender_type"] == "client");
    of_client.map(|message| text(&message["body"]).to_owned()).collect()
}

/// Without what every change counts.
fn lasting(mut row: Value) -> Value {
    for field in ["version", "revision", "close_reason"] {
        row.as_object_mut().expect("a row").remove(field);
    }
    row
}

pub async fn two_clients_are_one_with_everything_and_two_again_as_they_were(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let Scene { company, clients: [ana, bia], conversations: [first, second], .. } = &scene;
    let (supervisor, agents) = (&company.supervisor, &company.agents);
    agents[0].take_over(first).await;
    agents[1].take_over(second).await;
    let due = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let plan = json!({"conversation_id": second, "body": "Lembrete", "due_at": due.to_string()});
    let plan = agents[1].api.post("/scheduled-messages", plan).await.expect(201);
    let known = json!({"document": "529.982.247-25", "email": "bia@exemplo.com.br", "tags": ["vip"], "metadata": {"turma": "B"}});
    let call = |person: &Person, id: &str, change: Value| {
        let (api, path) = (person.api.clone(), format!("/clients/{id}"));
        async move { api.call(reqwest::Method::PUT, &path, Some(change)).await.expect(200) }
    };
    drop(call(supervisor, bia, known).await);
    drop(call(supervisor, ana, json!({"tags": ["2026"]})).await);
    let before = [client(supervisor, ana).await, client(supervisor, bia).await];
    let threads = [supervisor.thread(first).await, supervisor.thread(second).await];
    let rows = [supervisor.conversation(first).await, supervisor.conversation(second).await];
    let head = supervisor.head().await;
    let merged = merge(supervisor, ana, bia).await.expect(201);
    assert_eq!(
        (&merged["client_id"], &merged["merged_client_id"], &merged["by_user_id"]),
        (&json!(ana), &json!(bia), &json!(supervisor.id))
    );
    let told = supervisor.told_after(&head).await;
    assert!(told.iter().any(|event| event["type"] == "client.merged" && event["data"]["merge_id"] == merged["id"]), "{told:?}");
    let one = client(supervisor, bia).await;
    assert_eq!((&one["id"], &one["document"], &one["tags"]), (&json!(ana), &json!("52998224725"), &json!(["2026", "vip"])));
    assert_eq!(one["phones"].as_array().map(Vec::len), Some(2));
    assert_eq!(said(supervisor, first).await, ["a1", "b1"]);
    assert_eq!(supervisor.conversation(second).await["merged_into_id"], json!(first));
    let head = supervisor.head().await;
    let undone = undo(supervisor, &merged).await.expect(200);
    assert!(undone["undone_at"].is_string());
    let told = supervisor.told_after(&head).await;
    assert!(told.iter().any(|event| event["type"] == "client.unmerged"), "{told:?}");
    for (id, before) in [ana, bia].into_iter().zip(before) {
        assert_eq!(lasting(client(supervisor, id).await), lasting(before));
    }
    for (id, before) in [first, second].into_iter().zip(rows) {
        let now = supervisor.conversation(id).await;
        for field in
            ["client", "client_id", "status", "assignee_id", "unread", "started_at", "ended_at", "window_expires_at", "tags"]
        {
            assert_eq!(now[field]["id"], before[field]["id"], "{field}");
            if field != "client" {
                assert_eq!(now[field], before[field], "{field}");
            }
        }
    }
    let ids = |thread: &[Value]| thread.iter().map(|message| message["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&supervisor.thread(second).await), ids(&threads[1]));
    let now = supervisor.thread(first).await;
    assert!(ids(&threads[0]).iter().all(|id| ids(&now).contains(id)) && said(supervisor, first).await == ["a1"]);
    let plans = agents[1].api.get(&format!("/scheduled-messages?conversation_id={second}")).await.expect(200);
    assert_eq!(plans["data"][0]["id"], plan["id"], "what was planned is said where it was planned");
}

pub async fn what_comes_after_a_merge_stays_with_the_number_it_came_by(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let Scene { company, numbers: [one, two], clients: [ana, bia], conversations: [first, second] } = &scene;
    let supervisor = &company.supervisor;
    let merged = merge(supervisor, ana, bia).await.expect(201);
    for (number, words) in [(one, "a2"), (two, "b2"), (two, "b3"), (one, "a3")] {
        drop(company.phone.receive_text(number, words).await);
    }
    assert_eq!(said(supervisor, first).await.len(), 6);
    supervisor.api.post(&format!("/conversations/{first}/read"), json!({})).await.expect(200);
    drop(company.phone.receive_text(two, "b4").await);
    undo(supervisor, &merged).await.expect(200);
    assert_eq!(said(supervisor, first).await, ["a1", "a2", "a3"]);
    assert_eq!(said(supervisor, second).await, ["b1", "b2", "b3", "b4"]);
    let [left, right] = [supervisor.conversation(first).await, supervisor.conversation(second).await];
    assert_eq!((&left["unread"], &right["unread"]), (&json!(0), &json!(1)));
    assert_eq!((text(&left["last_message_preview"]), text(&right["last_message_preview"])), ("a3", "b4"));
    assert_eq!((text(&left["status"]), text(&right["status"])), ("pending", "pending"));
    for (number, id, words) in [(one, first, "a5"), (two, second, "b5")] {
        drop(company.phone.receive_text(number, words).await);
        assert_eq!(said(supervisor, id).await.last().map(String::as_str), Some(words));
    }
}

/// The conversations were closed meanwhile, and the client of the one that is gone has begun another.
pub async fn a_conversation_begun_after_a_merge_goes_with_who_began_it(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let Scene { company, numbers: [one, two], clients: [ana, bia], conversations: [first, second] } = &scene;
    let supervisor = &company.supervisor;
    let path = format!("/companies/{}", company.id);
    company.admin.api.call(reqwest::Method::PUT, &path, Some(json!({"reopen_window": 0}))).await.expect(200);
    let merged = merge(supervisor, ana, bia).await.expect(201);
    supervisor.api.post(&format!("/conversations/{first}/close"), json!({})).await.expect(200);
    drop(company.phone.receive_text(two, "b2").await);
    let third = company.admin.api.get("/conversations?status=pending").await.expect(200)["data"][0].clone();
    assert_eq!(third["client_id"], json!(ana));
    drop(company.phone.receive_text(one, "a2").await);
    undo(supervisor, &merged).await.expect(200);
    let of = async |client: &str| {
        let all = company.admin.api.get("/conversations").await.expect(200)["data"].as_array().cloned().unwrap_or_default();
        let mut words = Vec::new();
        for row in all.iter().filter(|row| row["client_id"] == client) {
            words.extend(said(supervisor, text(&row["id"])).await);
        }
        words.sort();
        words
    };
    assert_eq!(of(ana).await, ["a1", "a2"]);
    assert_eq!(of(bia).await, ["b1", "b2"]);
    assert_eq!(said(supervisor, second).await.first().map(String::as_str), Some("b1"));
    // Nothing is left unread where nobody looks.
    let open = company.admin.api.get("/conversations?status=pending").await.expect(200);
    let unread: i64 = open["data"].as_array().into_iter().flatten().filter_map(|row| row["unread"].as_i64()).sum();
    assert_eq!(unread, 2, "{open}");
}

/// It was begun by staff, so its client has written nothing in it.
pub async fn a_window_stays_open_where_the_client_wrote_in_another_conversation(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let Scene { company, numbers: [_, two], clients: [ana, bia], conversations: [_, second] } = &scene;
    let path = format!("/companies/{}", company.id);
    company.admin.api.call(reqwest::Method::PUT, &path, Some(json!({"reopen_window": 0}))).await.expect(200);
    company.agents[0].take_over(second).await;
    company.agents[0].close(second).await;
    let begun = company.agents[0].api.post("/conversations", json!({"phone": two})).await.expect(201);
    assert!(begun["window_expires_at"].is_string(), "{begun}");
    let merged = merge(&company.supervisor, ana, bia).await.expect(201);
    undo(&company.supervisor, &merged).await.expect(200);
    let id = text(&begun["id"]);
    let now = company.supervisor.conversation(id).await;
    assert_eq!((&now["client_id"], &now["window_expires_at"]), (&json!(bia), &begun["window_expires_at"]));
}

pub async fn of_merges_and_undoings_at_once_one_wins(stack: Arc<Stack>) {
    for _ in 0..3 {
        let scene = scene(&stack).await;
        let Scene { company, clients: [ana, bia], conversations, .. } = &scene;
        let (supervisor, admin) = (&company.supervisor, &company.admin);
        let answers =
            join_all([merge(supervisor, ana, bia), merge(admin, bia, ana), merge(supervisor, ana, bia), merge(admin, bia, ana)])
                .await;
        let won: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(won.len(), 1);
        assert!(
            answers.iter().all(|answer| [201, 404, 422].contains(&answer.status)),
            "{:?}",
            answers.iter().map(|one| one.status).collect::<Vec<_>>()
        );
        let merged = won[0].body.clone();
        let undone = join_all((0..4).map(|at| undo(if at % 2 == 0 { supervisor } else { admin }, &merged))).await;
        let mut statuses: Vec<u16> = undone.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409, 409]);
        assert!(undone.iter().filter(|answer| answer.status == 409).all(|answer| answer.body["code"] == "merge_undone"));
        for (id, words) in conversations.iter().zip(["a1", "b1"]) {
            assert_eq!(said(supervisor, id).await, [words]);
        }
    }
}

pub async fn messages_that_come_while_clients_are_joined_and_parted_are_where_they_belong(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let Scene { company, numbers: [one, two], clients: [ana, bia], conversations: [first, second] } = &scene;
    let supervisor = &company.supervisor;
    let mut expected = [vec!["a1".to_owned()], vec!["b1".to_owned()]];
    for round in 0..5 {
        let [a, b] = ["a", "b"].map(|who| format!("{who}-{round}"));
        let writing = join(company.phone.receive_text(one, &a), company.phone.receive_text(two, &b));
        let (merged, _) = join(merge(supervisor, ana, bia), writing).await;
        let merged = merged.expect(201);
        let [c, d] = ["c", "d"].map(|who| format!("{who}-{round}"));
        let writing = join(company.phone.receive_text(one, &c), company.phone.receive_text(two, &d));
        let (undone, _) = join(undo(supervisor, &merged), writing).await;
        drop(undone.expect(200));
        expected[0].extend([a, c]);
        expected[1].extend([b, d]);
    }
    for (id, expected) in [first, second].into_iter().zip(&mut expected) {
        let mut words = said(supervisor, id).await;
        words.sort();
        expected.sort();
        assert_eq!(&words, expected);
    }
}

/// Any order of messages, merges and undoings: at the end everybody has what they wrote, once, and nothing is open twice.
pub async fn any_order_of_merges_and_undoings_leaves_everybody_with_what_they_wrote(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let supervisor = &company.supervisor;
    let numbers: Vec<String> = (0..3).map(|_| fresh_number()).collect();
    let mut written: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut clients = Vec::new();
    for (at, number) in numbers.iter().enumerate() {
        let words = format!("{at}:primeira");
        drop(company.phone.receive_text(number, &words).await);
        clients.push(text(&company.admin.conversation_of(number).await["client_id"]).to_owned());
        written.entry(at).or_default().push(words);
    }
    let mut seed = uuid::Uuid::new_v4().as_u128();
    let shown = seed;
    let mut next = |most: u128| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((seed >> 33) % most).unwrap_or_default()
    };
    let mut merges: Vec<Value> = Vec::new();
    for step in 0..40 {
        match next(7) {
            0..=2 => {
                let at = next(3);
                let words = format!("{at}:{step}");
                drop(company.phone.receive_text(&numbers[at], &words).await);
                written.entry(at).or_default().push(words);
            }
            3 | 4 => {
                let answer = merge(supervisor, &clients[next(3)], &clients[next(3)]).await;
                assert!([201, 404, 422].contains(&answer.status), "seed {shown}: {} {}", answer.status, answer.body);
                if answer.status == 201 {
                    merges.push(answer.body);
                }
            }
            5 => {
                let open = company.admin.api.get("/conversations?category=pending").await.expect(200)["data"].clone();
                if let Some(row) = open.as_array().and_then(|open| open.get(next(3))) {
                    supervisor.api.post(&format!("/conversations/{}/close", text(&row["id"])), json!({})).await.expect(200);
                }
            }
            _ if merges.is_empty() => {}
            _ => {
                let at = next(u128::try_from(merges.len()).unwrap_or(1));
                let answer = undo(supervisor, &merges[at]).await;
                assert!([200, 409].contains(&answer.status), "seed {shown}: {} {}", answer.status, answer.body);
                if answer.status == 200 {
                    drop(merges.remove(at));
                }
            }
        }
    }
    while let Some(last) = merges.pop() {
        let answer = undo(supervisor, &last).await;
        assert_eq!(answer.status, 200, "seed {shown}: {}", answer.body);
    }
    let all = company.admin.api.get("/conversations?limit=100").await.expect(200)["data"].as_array().cloned().unwrap_or_default();
    for (at, client) in clients.iter().enumerate() {
        let mut words = Vec::new();
        let mut open = 0;
        for row in all.iter().filter(|row| row["client_id"] == client.as_str()) {
            open += usize::from(row["ended_at"].is_null());
            let here = said(supervisor, text(&row["id"])).await;
            if !row["ended_at"].is_null() {
                assert_eq!(row["unread"], 0, "seed {shown}: {row}");
            }
            words.extend(here);
        }
        words.sort();
        let mut expected = written.remove(&at).unwrap_or_default();
        expected.sort();
        assert_eq!(words, expected, "seed {shown}");
        assert!(open <= 1, "seed {shown}");
    }
}

pub async fn the_bot_goes_on_with_both_and_with_each_again(stack: Arc<Stack>) {
    let company = stack.company(Wanted { bot: true, students: 0, ..Wanted::default() }).await;
    let numbers = [fresh_number(), fresh_number()];
    let mut rows = Vec::new();
    for number in &numbers {
        drop(company.phone.receive_text(number, "Oi").await);
        rows.push(company.admin.conversation_of(number).await);
    }
    let by_bot = async |row: &Value| {
        company.admin.thread(text(&row["id"])).await.into_iter().filter(|message| message["sender_type"] == "bot").count()
    };
    for row in &rows {
        eventually("the bot's first words", || async { (by_bot(row).await > 0).then_some(()) }).await;
    }
    let (ana, bia) = (text(&rows[0]["client_id"]), text(&rows[1]["client_id"]));
    let merged = merge(&company.supervisor, ana, bia).await.expect(201);
    undo(&company.supervisor, &merged).await.expect(200);
    for (number, row) in numbers.iter().zip(&rows) {
        assert_eq!(text(&company.admin.conversation(text(&row["id"])).await["status"]), "bot");
        let before = by_bot(row).await;
        drop(company.phone.receive_text(number, "1").await);
        eventually("an answer", || async { (by_bot(row).await > before).then_some(()) }).await;
    }
}

pub async fn a_merge_that_cannot_be_is_refused_and_changes_nothing(stack: Arc<Stack>) {
    let (scene, other) = (scene(&stack).await, scene(&stack).await);
    let Scene { company, clients: [ana, bia], .. } = &scene;
    let supervisor = &company.supervisor;
    merge(&company.agents[0], ana, bia).await.expect(403);
    let itself = merge(supervisor, ana, ana).await.expect(422);
    assert_eq!(text(&itself["errors"][0]["code"]), "same_client");
    for (stays, goes, status) in [(ana, &other.clients[0], 422), (&other.clients[0], ana, 404)] {
        merge(supervisor, stays, goes).await.expect(status);
    }
    let merged = merge(supervisor, ana, bia).await.expect(201);
    undo(&company.agents[0], &merged).await.expect(403);
    undo(&other.company.supervisor, &merged).await.expect(404);
    let carla = supervisor.api.post("/clients", json!({"name": "Carla"})).await.expect(201);
    let later = merge(supervisor, text(&carla["id"]), ana).await.expect(201);
    let refused = undo(supervisor, &merged).await.expect(409);
    assert_eq!((text(&refused["code"]), &refused["current"]["id"]), ("merged_again", &merged["id"]));
    undo(supervisor, &later).await.expect(200);
    let age = "update client_merges set at = at - interval '30 days' where id = $1::text::uuid";
    stack.database().await.execute(age, &[&text(&merged["id"])]).await.expect("an old merge");
    assert_eq!(text(&undo(supervisor, &merged).await.expect(409)["code"]), "merge_too_old");
    assert_eq!(client(supervisor, bia).await["id"], json!(ana));
}

pub async fn a_students_login_follows_and_comes_back(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let Scene { company, clients: [ana, _], .. } = &scene;
    let student = &company.students[0];
    let of_student = async || {
        let sql = "select client_id::text from memberships where company_id = $1 and user_id = $2";
        let row = stack.database().await.query_one(sql, &[&company.id, &student.id]).await.expect("a membership");
        row.get::<_, String>(0)
    };
    let own = of_student().await;
    let merged = merge(&company.supervisor, ana, &own).await.expect(201);
    assert_eq!(&of_student().await, ana);
    undo(&company.supervisor, &merged).await.expect(200);
    assert_eq!(of_student().await, own);
}
