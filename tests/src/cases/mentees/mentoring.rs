//! Who is mentored by whom, and who sees it.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use tests::{
    Company, Stack, Wanted,
    company::{Person, text},
    each,
};
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use super::{begun, change, months, problems, rows, say, tell};
use crate::cases::contract::privileges::Inside;

async fn client(person: &Person, name: &str) -> String {
    text(&person.api.post("/clients", json!({"name": name})).await.expect(201)["id"]).to_owned()
}

pub async fn a_client_is_mentored_by_somebody_of_the_staff_once_at_a_time(stack: Arc<Stack>) {
    let (company, other) = (stack.company(Wanted::default()).await, stack.company(Wanted::default()).await);
    let (admin, agent) = (&company.admin, &company.agents[0]);
    let mine = client(agent, "Ana").await;
    let theirs = client(&other.admin, "Bia").await;
    for (mentee, field, code) in [
        (json!({"client_id": theirs}), "client_id", "not_found"),
        (json!({"client_id": Uuid::now_v7()}), "client_id", "not_found"),
        (json!({"client_id": mine, "mentor_id": company.students[0].id}), "mentor_id", "not_active_staff"),
        (json!({"client_id": mine, "mentor_id": other.agents[0].id}), "mentor_id", "not_active_staff"),
        (json!({"client_id": mine, "entry_month": "2026-13"}), "entry_month", "invalid_type"),
        (json!({"client_id": mine, "target_revenue": "-1"}), "target_revenue", "invalid_type"),
        (json!({"client_id": mine, "status": "gone"}), "status", "unknown_value"),
    ] {
        let refused = admin.api.post("/mentees", mentee.clone()).await.expect(422);
        assert_eq!(problems(&refused), [(field, code)], "{mentee}");
    }
    assert_eq!(rows(admin, "/mentees").await, [Value::Null; 0]);
    // Agents mentor themselves.
    let for_another = json!({"client_id": mine, "mentor_id": admin.id});
    assert_eq!(agent.api.post("/mentees", for_another).await.problem(403), "not_mentor");
    let begun = json!({"client_id": mine, "target_revenue": "30000", "target_sales": 12, "goals": "Vender mais"});
    let begun = agent.api.post("/mentees", begun).await.expect(201);
    assert_eq!(
        (&begun["mentor_id"], &begun["target_revenue"], &begun["client_name"]),
        (&json!(agent.id), &json!("30000.00"), &json!("Ana"))
    );
    let again = admin.api.post("/mentees", json!({"client_id": mine})).await.expect(409);
    assert_eq!((&again["code"], &again["current"]), (&json!("already_mentored"), &begun));
    // What has ended is history; it does not go on beside what came after it.
    let id = text(&begun["id"]);
    change(agent, id, json!({"status": "ended"})).await.expect(200);
    let second = agent.api.post("/mentees", json!({"client_id": mine})).await.expect(201);
    assert_eq!(change(agent, id, json!({"status": "active"})).await.problem(409), "already_mentored");
    change(agent, text(&second["id"]), json!({"status": "ended"})).await.expect(200);
    change(agent, id, json!({"status": "active"})).await.expect(200);
    assert_eq!(rows(admin, &format!("/mentees?client_id={mine}")).await.len(), 2);
    assert_eq!(rows(admin, "/mentees?search=ana&status=active").await.len(), 1);
    assert_eq!(rows(admin, "/mentees?search=%25").await, [Value::Null; 0]);
}

pub async fn of_many_who_begin_at_once_one_does(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 3, ..Wanted::default() }).await;
    let mine = client(&company.admin, "Ana").await;
    let people: Vec<&Person> = [&company.admin, &company.supervisor].into_iter().chain(&company.agents).collect();
    let begin = async |number: usize| people[number % people.len()].api.post("/mentees", json!({"client_id": mine})).await;
    let answers = each(0..10, begin).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(answers.iter().all(|answer| answer.status == 201 || answer.body["code"] == "already_mentored"), "{answers:?}");
    assert_eq!(rows(&company.admin, "/mentees").await.len(), 1);
}

pub async fn agents_change_what_they_mentor_and_see_what_their_company_lets_them(stack: Arc<Stack>) {
    for (agent_visibility, sees) in [("own", false), ("department", true)] {
        let company = stack.company(Wanted { agent_visibility, ..Wanted::default() }).await;
        let [mentor, other] = [&company.agents[0], &company.agents[1]];
        let id = begun(mentor, &[(1, "1000")]).await;
        let seen = other.api.get(&format!("/mentees/{id}")).await;
        assert_eq!(seen.status, if sees { 200 } else { 404 }, "{agent_visibility}");
        let (refused, code) = if sees { (403, "not_mentor") } else { (404, "not_found") };
        assert_eq!(change(other, &id, json!({"goals": "x"})).await.problem(refused), code);
        for path in [format!("/mentees/{id}/evolution"), format!("/mentees/{id}/feedback")] {
            assert_eq!(other.api.get(&path).await.status, if sees { 200 } else { 404 }, "{path}");
        }
        assert_eq!(tell(other, &id, (2026, 1), "2000").await.status, if sees { 200 } else { 404 });
        assert_eq!(say(other, &id, json!({"overall": 9})).await.status, if sees { 201 } else { 404 });
        assert_eq!(rows(other, "/mentees").await.len(), usize::from(sees));
        assert_eq!(other.api.get("/mentees/dashboard").await.expect(200)["overview"]["active"], json!(i32::from(sees)));
        assert_eq!(other.api.get("/mentees/nps").await.expect(200)["months"].as_array().map(Vec::len), Some(12));
        // Whom they mentor is theirs to change, and a supervisor's to give.
        change(mentor, &id, json!({"goals": "Vender mais"})).await.expect(200);
        assert_eq!(change(mentor, &id, json!({"mentor_id": other.id})).await.problem(403), "not_mentor");
        let refused = change(&company.supervisor, &id, json!({"mentor_id": company.students[0].id})).await.expect(422);
        assert_eq!(problems(&refused), [("mentor_id", "not_active_staff")]);
        change(&company.supervisor, &id, json!({"mentor_id": other.id})).await.expect(200);
        change(other, &id, json!({"goals": "Vender muito mais"})).await.expect(200);
        assert_eq!(change(mentor, &id, json!({"goals": "x"})).await.status, if sees { 403 } else { 404 });
    }
}

async fn mentored(company: &Company, student: &Person) -> String {
    let mentee =
        json!({"client_id": student.id, "mentor_id": company.agents[0].id, "entry_month": "2026-01", "goals": "Vender mais"});
    text(&company.admin.api.post("/mentees", mentee).await.expect(201)["id"]).to_owned()
}

pub async fn students_see_and_tell_their_own_alone(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 2, ..Wanted::default() }).await;
    let [me, other] = [&company.students[0], &company.students[1]];
    for (path, body) in [
        ("/me/mentoring/evolution", json!({"year": 2026, "month": 1, "revenue": "1"})),
        ("/me/mentoring/feedback", json!({"overall": 1})),
    ] {
        assert_eq!(me.api.get("/me/mentoring").await.problem(404), "not_found");
        assert_eq!(me.api.post(path, body).await.problem(404), "not_found");
    }
    let (mine, theirs) = (mentored(&company, me).await, mentored(&company, other).await);
    for (month, revenue) in [(1, "1000"), (2, "1500")] {
        let told = json!({"year": 2026, "month": month, "revenue": revenue});
        me.api.post("/me/mentoring/evolution", told).await.expect(200);
    }
    me.api.post("/me/mentoring/feedback", json!({"overall": 9, "text": "Gosto muito"})).await.expect(201);
    let seen = me.api.get("/me/mentoring").await.expect(200);
    assert_eq!(
        (&seen["id"], &seen["goals"], &seen["mentor_id"]),
        (&json!(mine), &json!("Vender mais"), &json!(company.agents[0].id))
    );
    assert_eq!(seen["mentor_name"], company.agents[0].api.get("/users/me").await.expect(200)["name"]);
    assert_eq!((&seen["evolution"][1]["growth"]["month"], &seen["feedback"][0]["text"]), (&json!(50.0), &json!("Gosto muito")));
    assert_eq!(months(&company.agents[0], &mine).await, *seen["evolution"].as_array().expect("months"));
    let empty = other.api.get("/me/mentoring").await.expect(200);
    assert_eq!((&empty["id"], &empty["evolution"], &empty["feedback"]), (&json!(theirs), &json!([]), &json!([])));
    // Staff's side is not theirs.
    for path in [format!("/mentees/{mine}"), "/mentees".to_owned(), "/mentees/dashboard".to_owned(), "/tasks".to_owned()] {
        assert_eq!(me.api.get(&path).await.problem(403), "forbidden");
    }
    trespasses(&stack, &company, (me, &mine), &theirs).await;
    // What has ended is read, and nothing is added.
    change(&company.admin, &mine, json!({"status": "ended"})).await.expect(200);
    me.api.get("/me/mentoring").await.expect(200);
    assert_eq!(me.api.post("/me/mentoring/feedback", json!({"overall": 1})).await.problem(409), "mentoring_ended");
    let told = json!({"year": 2026, "month": 1, "revenue": "1"});
    assert_eq!(me.api.post("/me/mentoring/evolution", told).await.problem(409), "mentoring_ended");
}

/// Whatever SQL a student's transaction is made to run.
async fn trespasses(stack: &Stack, company: &Company, (me, mine): (&Person, &str), theirs: &str) {
    let inside = Inside::enter(stack, company, me, "student").await;
    let [mine, theirs]: [Uuid; 2] = [mine, theirs].map(|id| id.parse().expect("an id"));
    inside.changes(1, "select from mentees", &[]).await;
    inside.changes(0, "select from mentees where id = $1", &[&theirs]).await;
    inside.changes(2, "select from mentee_evolutions", &[]).await;
    inside.changes(1, "select from mentee_feedback", &[]).await;
    inside
        .changes(1, "select from app.mentee_signals(array[$1, $2]::uuid[], now() - interval '30 days')", &[&mine, &theirs])
        .await;
    let tell = "insert into mentee_evolutions (id, mentee_id, month, revenue) values (gen_random_uuid(), $1, '2026-03-01', 1)";
    inside.changes(1, tell, &[&mine]).await;
    inside.is_refused(tell, &[&theirs]).await;
    let say = "insert into mentee_feedback (id, mentee_id, date, overall) values (gen_random_uuid(), $1, '2026-03-01', 9)";
    inside.changes(1, say, &[&mine]).await;
    inside.is_refused(say, &[&theirs]).await;
    inside.changes(0, "update mentee_evolutions set revenue = 1 where mentee_id = $1", &[&theirs]).await;
    for sql in [
        "update mentees set goals = 'x'",
        "update mentee_evolutions set entered_by = app.user_id()",
        "update mentee_feedback set overall = 10",
        "delete from mentee_evolutions",
        "select from mentee_evolution_revisions",
        "select from tasks",
        "insert into mentees (id, client_id, mentor_id, entry_month) values (gen_random_uuid(), app.client_id(), app.user_id(), '2026-01-01')",
    ] {
        inside.is_refused(sql, &[]).await;
    }
    // A month to come is refused whoever asks.
    let to_come = "insert into mentee_evolutions (id, mentee_id, month, revenue) values (gen_random_uuid(), $1, '2099-01-01', 1)";
    assert_eq!(inside.affects(to_come, &[&mine]).await, Err(SqlState::CHECK_VIOLATION));
}

pub async fn changes_are_told_to_those_who_see_the_mentee(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agent_visibility: "own", ..Wanted::default() }).await;
    let [mentor, blind, student] = [&company.agents[0], &company.agents[1], &company.students[0]];
    let (mut seeing, mut leading, mut not_seeing, mut own) =
        (mentor.socket().await, company.supervisor.socket().await, blind.socket().await, student.socket().await);
    let (head, blind_head) = (mentor.head().await, blind.head().await);
    let id = mentored(&company, student).await;
    let told = json!({"year": 2026, "month": 1, "revenue": "1000"});
    student.api.post("/me/mentoring/evolution", told).await.expect(200);
    student.api.post("/me/mentoring/feedback", json!({"overall": 9})).await.expect(201);
    change(mentor, &id, json!({"goals": "x"})).await.expect(200);
    let kinds = ["mentee.created", "mentee_evolution.saved", "mentee_feedback.added", "mentee.updated"];
    for kind in kinds {
        for socket in [&mut seeing, &mut leading] {
            let data = socket.of_type(kind).await["data"].clone();
            assert_eq!(data.get("mentee_id").unwrap_or(&data["mentee"]["id"]), &json!(id), "{kind}");
        }
    }
    let of = |events: Vec<Value>| {
        let kinds = events.iter().map(|event| text(&event["type"]).to_owned());
        kinds.filter(|kind| kind.starts_with("mentee")).collect::<Vec<_>>()
    };
    assert_eq!(of(mentor.told_after(&head).await), kinds);
    assert_eq!(of(blind.events_after(&blind_head).await), [""; 0]);
    for socket in [&mut not_seeing, &mut own] {
        let heard: Vec<Value> = socket.drain().await.into_iter().filter(|frame| frame.to_string().contains(&id)).collect();
        assert_eq!(heard, [Value::Null; 0]);
    }
    // Given to somebody else, it is told to both.
    company
        .supervisor
        .api
        .call(reqwest::Method::PUT, &format!("/mentees/{id}"), Some(json!({"mentor_id": blind.id})))
        .await
        .expect(200);
    for socket in [&mut seeing, &mut not_seeing] {
        assert_eq!(socket.of_type("mentee.updated").await["data"]["mentee"]["mentor_id"], json!(blind.id));
    }
}

const ROWS: [(&str, &str); 4] = [
    (
        "mentees",
        "select to_jsonb(rows) - array['version', 'updated_at', 'moved_from'] from mentees rows where company_id = $1 order by id",
    ),
    ("mentee_evolutions", "select to_jsonb(rows) from mentee_evolutions rows where company_id = $1 order by id"),
    ("mentee_feedback", "select to_jsonb(rows) from mentee_feedback rows where company_id = $1 order by id"),
    ("tasks", "select to_jsonb(rows) - 'moved_from' from tasks rows where company_id = $1 order by id"),
];

async fn all_rows(stack: &Stack, company: &Company) -> BTreeMap<&'static str, Vec<Value>> {
    let database = stack.database().await;
    let mut all = BTreeMap::new();
    for (table, sql) in ROWS {
        let rows = database.query(sql, &[&company.id]).await.expect("rows");
        all.insert(table, rows.iter().map(|row| row.get(0)).collect());
    }
    all
}

pub async fn two_mentees_who_are_one_client_lose_nothing_and_part_as_they_were(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let admin = &company.admin;
    let (one, two) = (begun(admin, &[(1, "1000"), (2, "1500")]).await, begun(admin, &[(1, "70"), (3, "90")]).await);
    change(admin, &two, json!({"status": "paused"})).await.expect(200);
    for id in [&one, &two] {
        say(admin, id, json!({"overall": 2, "text": "Não gostei"})).await.expect(201);
        admin.api.post("/tasks", json!({"title": "Ligar", "mentee_id": id})).await.expect(201);
    }
    let client_of = async |id: &str| text(&admin.api.get(&format!("/mentees/{id}")).await.expect(200)["client_id"]).to_owned();
    let (stays, goes) = (client_of(&one).await, client_of(&two).await);
    let before = all_rows(&stack, &company).await;
    let merge = admin.api.post(&format!("/clients/{stays}/merge"), json!({"client_id": goes})).await.expect(201);
    let joined = all_rows(&stack, &company).await;
    let counts = |all: &BTreeMap<&str, Vec<Value>>| all.values().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(counts(&joined), counts(&before));
    for table in ["mentee_evolutions", "mentee_feedback"] {
        assert_eq!(joined[table], before[table], "{table}");
    }
    // Both are the one client's: one goes on, the other has ended with it, and all that was told of either is there.
    let ended = admin.api.get(&format!("/mentees/{two}")).await.expect(200);
    assert_eq!((&ended["status"], &ended["merged_into_id"], &ended["client_id"]), (&json!("ended"), &json!(one), &json!(stays)));
    assert_eq!((months(admin, &one).await.len(), months(admin, &two).await.len()), (2, 2));
    assert_eq!(rows(admin, &format!("/mentees?client_id={stays}")).await.len(), 2);
    assert_eq!(rows(admin, &format!("/tasks?client_id={stays}")).await.len(), 4);
    // The one that goes on is what counts: months of which both told would count twice.
    let dashboard = admin.api.get("/mentees/dashboard?period=60").await.expect(200);
    assert_eq!((&dashboard["overview"]["active"], &dashboard["overview"]["revenue"]), (&json!(1), &json!("2500.00")));
    admin.api.post(&format!("/client-merges/{}/undo", text(&merge["id"])), json!({})).await.expect(200);
    assert_eq!(all_rows(&stack, &company).await, before);
}
