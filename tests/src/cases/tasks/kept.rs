//! Tasks as they are made, changed, listed and taken away.

use std::sync::Arc;

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, Wanted, company::text};
use uuid::Uuid;

use super::{change, client, complete, found, make, minutes, path_of, problems, titles};
use crate::cases::mentees;

pub async fn a_task_is_what_was_said_and_what_is_given_changes(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let [agent, colleague] = [&company.agents[0], &company.agents[1]];
    let bare = make(agent, json!({"title": "  Arrumar a sala "})).await;
    let expected =
        [("title", json!("Arrumar a sala")), ("kind", json!("generic")), ("owner_id", json!(agent.id)), ("due_at", Value::Null)];
    for (field, value) in expected {
        assert_eq!(bare[field], value, "{field}");
    }
    assert_eq!((&bare["created_by"], &bare["completed_at"], &bare["version"]), (&json!(agent.id), &Value::Null, &json!(1)));
    let (ana, due) = (client(agent).await, minutes(60));
    let full = json!({"kind": "call", "title": "Ligar", "notes": "De manhã", "owner_id": colleague.id, "due_at": due, "client_id": ana,
                      "time_zone": "America/Manaus", "recurrence": "weekly"});
    let full = make(agent, full).await;
    assert_eq!(
        (&full["owner_id"], &full["client_name"], &full["time_zone"]),
        (&json!(colleague.id), &json!("Ana"), &json!("America/Manaus"))
    );
    let changed =
        change(colleague, &full, json!({"due_at": null, "recurrence": null, "time_zone": null, "notes": ""})).await.expect(200);
    for field in ["due_at", "recurrence", "time_zone"] {
        assert_eq!(changed[field], Value::Null, "{field}");
    }
    assert_eq!((&changed["title"], &changed["client_id"], &changed["version"]), (&json!("Ligar"), &json!(ana), &json!(2)));
    agent.api.call(Method::DELETE, &path_of(&full), None).await.expect(204);
    agent.api.call(Method::DELETE, &path_of(&full), None).await.expect(404);
    assert_eq!(titles(agent, "").await, ["Arrumar a sala"]);
    // What was done is kept: it counts.
    complete(agent, &bare, json!({})).await.expect(200);
    assert_eq!(agent.api.call(Method::DELETE, &path_of(&bare), None).await.problem(409), "task_done");
    assert_eq!(change(agent, &bare, json!({"due_at": minutes(9)})).await.problem(409), "task_done");
}

pub async fn what_is_wrong_is_named_and_changes_nothing(stack: Arc<Stack>) {
    let (company, other) = (stack.company(Wanted::default()).await, stack.company(Wanted::default()).await);
    let agent = &company.agents[0];
    let (_, conversation) = company.served().await;
    let mentee = mentees::begun(agent, &[]).await;
    let (mine, theirs) = (client(agent).await, client(&other.admin).await);
    let nobody = Uuid::now_v7();
    let task = make(agent, json!({"title": "Ligar", "due_at": minutes(5)})).await;
    let both = [
        (json!({"title": ""}), "title", "required"),
        (json!({"title": "x".repeat(201)}), "title", "too_long"),
        (json!({"title": "x", "kind": "fax"}), "kind", "unknown_value"),
        (json!({"title": "x", "due_at": "amanhã"}), "due_at", "invalid_type"),
        (json!({"title": "x", "due_at": "1999-12-31T00:00:00Z"}), "due_at", "out_of_range"),
        (json!({"title": "x", "due_at": minutes(5), "recurrence": "hourly"}), "recurrence", "unknown_value"),
        (json!({"title": "x", "time_zone": "America/Lisboa"}), "time_zone", "unknown_time_zone"),
        (json!({"title": "x", "owner_id": company.students[0].id}), "owner_id", "not_active_staff"),
        (json!({"title": "x", "owner_id": other.agents[0].id}), "owner_id", "not_active_staff"),
        (json!({"title": "x", "client_id": theirs}), "client_id", "not_found"),
        (json!({"title": "x", "lead_id": nobody}), "lead_id", "not_found"),
        (json!({"title": "x", "mentee_id": nobody}), "mentee_id", "not_found"),
        (json!({"title": "x", "conversation_id": nobody}), "conversation_id", "not_found"),
        (json!({"title": "x", "conversation_id": conversation, "client_id": mine}), "client_id", "another_client"),
        (json!({"title": "x", "conversation_id": conversation, "mentee_id": mentee}), "mentee_id", "another_client"),
        (json!({"title": "x", "surprise": 1}), "surprise", "unknown_field"),
    ];
    for (wrong, field, code) in both {
        let made = agent.api.post("/tasks", wrong.clone()).await.expect(422);
        assert_eq!(problems(&made), [(field, code)], "made: {wrong}");
        let changed = change(agent, &task, wrong.clone()).await.expect(422);
        assert_eq!(problems(&changed), [(field, code)], "changed: {wrong}");
    }
    let timeless = agent.api.post("/tasks", json!({"title": "x", "recurrence": "daily"})).await.expect(422);
    assert_eq!(problems(&timeless), [("recurrence", "lacks_time")]);
    let timeless = change(agent, &task, json!({"recurrence": "daily", "due_at": null})).await.expect(422);
    assert_eq!(problems(&timeless), [("due_at", "lacks_time")]);
    let next = complete(agent, &task, json!({"next": {"title": "", "due_at": "x"}})).await.expect(422);
    assert_eq!(problems(&next)[0].0, "next.due_at");
    assert_eq!(found(agent, "").await, [task]);
    for query in
        ["owner=eu", "state=late", "day=tomorrow", "due_from=x", "due_to=1999-01-01T00:00:00Z", "kind=fax", "client_id=x"]
    {
        agent.api.get(&format!("/tasks?{query}")).await.expect(422);
    }
}

pub async fn lists_are_by_when_and_narrow(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let [agent, colleague] = [&company.agents[0], &company.agents[1]];
    let (_, conversation) = company.served().await;
    let mentee = mentees::begun(agent, &[]).await;
    let ana = client(agent).await;
    for task in [
        json!({"title": "sem data", "conversation_id": conversation}),
        json!({"title": "depois", "due_at": minutes(120), "client_id": ana, "kind": "call"}),
        json!({"title": "logo", "due_at": minutes(60), "mentee_id": mentee, "kind": "message"}),
        json!({"title": "atrasada", "due_at": minutes(-60), "client_id": ana, "owner_id": colleague.id}),
        json!({"title": "feita", "due_at": minutes(-30), "client_id": ana}),
    ] {
        make(agent, task).await;
    }
    let done = &found(agent, &format!("client_id={ana}&order=asc")).await[1];
    complete(agent, done, json!({})).await.expect(200);
    let me = agent.id;
    for (query, expected) in [
        ("", vec!["atrasada", "feita", "logo", "depois", "sem data"]),
        ("state=open", vec!["atrasada", "logo", "depois", "sem data"]),
        ("state=overdue", vec!["atrasada"]),
        ("state=done", vec!["feita"]),
        ("owner=me", vec!["feita", "logo", "depois", "sem data"]),
        ("owner=me&state=open&kind=call", vec!["depois"]),
        (&format!("owner={}", colleague.id), vec!["atrasada"]),
        (&format!("owner={me}&state=overdue"), vec![]),
        (&format!("client_id={ana}"), vec!["atrasada", "feita", "depois"]),
        (&format!("mentee_id={mentee}"), vec!["logo"]),
        (&format!("conversation_id={conversation}"), vec!["sem data"]),
        (&format!("due_from={}&due_to={}", minutes(-45), minutes(90)), vec!["feita", "logo"]),
        (&format!("due_from={}", minutes(90)), vec!["depois", "sem data"]),
        (&format!("lead_id={}", Uuid::nil()), vec![]),
    ] {
        assert_eq!(titles(agent, &format!("order=asc&{query}")).await, expected, "{query}");
        let backwards: Vec<&str> = expected.into_iter().rev().collect();
        assert_eq!(titles(agent, query).await, backwards, "{query}");
    }
    // Page by page, those without a time last.
    let (mut read, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = agent.api.get(&format!("/tasks?order=asc&limit=2&cursor={cursor}")).await.expect(200);
        read.extend(page["data"].as_array().expect("rows").iter().map(|task| text(&task["title"]).to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        next.clone_into(&mut cursor);
    }
    assert_eq!(read, ["atrasada", "feita", "logo", "depois", "sem data"]);
}

pub async fn today_is_where_the_company_is(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    let agent = &company.agents[0];
    for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Sao_Paulo"] {
        company
            .admin
            .api
            .call(Method::PUT, &format!("/companies/{}", company.id), Some(json!({"time_zone": zone})))
            .await
            .expect(200);
        let place = TimeZone::get(zone).expect("a zone");
        let midnight = place.to_datetime(Timestamp::now()).date().at(0, 0, 0, 0);
        let at = |seconds: i64| place.to_timestamp(midnight + seconds.seconds()).expect("a time").to_string();
        for (name, seconds) in [("ontem", -1), ("meia-noite", 0), ("noite", 86_399), ("amanhã", 86_400)] {
            make(agent, json!({"title": format!("{name} {zone}"), "due_at": at(seconds)})).await;
        }
        let today = titles(agent, "day=today&order=asc&limit=100").await;
        let here: Vec<&String> = today.iter().filter(|title| title.ends_with(zone)).collect();
        assert_eq!(here, [&format!("meia-noite {zone}"), &format!("noite {zone}")]);
    }
}
