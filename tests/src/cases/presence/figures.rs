//! Figures of days: what they are, who sees them, and what days there are.

use std::sync::Arc;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text};

use super::{days_ago, execute, today};
use crate::cases::contract::privileges::Inside;

/// An interval of somebody's, as the ledger has it.
const SPELL: &str = "
    insert into presence_intervals (company_id, user_id, started_at, ended_at, state, reason, cause, end_cause)
    values ($1, $2, $3::text::timestamptz, $4::text::timestamptz, $5, $6, 'connect', 'disconnect')";

async fn team(company: &Company, query: &str) -> Value {
    company.supervisor.api.get(&format!("/productivity/team?{query}")).await.expect(200)
}

pub async fn days_that_are_none_are_refused(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    for path in ["/productivity/me", "/productivity/team", "/productivity/export"] {
        for query in [
            "from=2026-02-30",
            "from=ontem",
            "from=2026-03-02&to=2026-03-01",
            "from=2024-01-01&to=2026-01-01",
            "from=-9999-01-01&to=9999-12-31",
            "from=9999-12-31&to=9999-12-31",
            "from=2026-03-01T00:00:00Z",
            "by=hour",
        ] {
            company.supervisor.api.get(&format!("{path}?{query}")).await.expect(422);
        }
    }
    let timeline = format!("/productivity/users/{}/timeline", company.agents[0].id);
    for query in ["from=2026-01-01&to=2026-02-01", "from=2026-03-02&to=2026-03-01", "to=amanh%C3%A3"] {
        company.supervisor.api.get(&format!("{timeline}?{query}")).await.expect(422);
    }
    company.supervisor.api.get("/productivity/team?department_id=vendas").await.expect(422);
    let empty = team(&company, "from=2025-01-01&to=2026-01-01&by=month&department_id=").await;
    assert_eq!(empty["data"].as_array().map(Vec::len), Some(13 * 4), "{}", empty["data"][0]);
    assert_eq!(empty["data"][0]["online_seconds"], 0);
}

pub async fn a_zone_nobody_knows_is_no_failure(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let zone = |zone: &str| Some(json!({"time_zone": zone}));
    let path = format!("/companies/{}", company.id);
    company.admin.api.call(Method::PUT, &path, zone("Marte/Olimpo")).await.expect(422);
    execute(&stack, "update companies set time_zone = 'Marte/Olimpo' where id = $1", &[&company.id]).await;
    let shown = team(&company, "").await;
    assert_eq!(text(&shown["from"]), today().to_string(), "as in São Paulo");
    company.agents[0].api.get("/productivity/me").await.expect(200);
}

pub async fn what_people_do_in_conversations_is_counted(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (agent, idle) = (&company.agents[0], &company.agents[1]);
    let (_tab, _other) = (agent.socket().await, idle.socket().await);
    let (client, id) = company.served().await;
    agent.say(&id, "Bom dia!").await;
    agent.say(&id, "Como posso ajudar?").await;
    company.phone.receive_text(&client, "Quanto custa?").await;
    let one = "update presence_intervals set started_at = started_at - interval '10 minutes' where user_id = any ($1)";
    execute(&stack, one, &[&vec![agent.id, idle.id]]).await;
    let shown = team(&company, &format!("from={}&by=total", days_ago(1))).await;
    let of = |person: uuid::Uuid| {
        let rows = shown["data"].as_array().into_iter().flatten();
        rows.clone().find(|row| row["user_id"] == person.to_string()).cloned().expect("a row")
    };
    let (worked, idled) = (of(agent.id), of(idle.id));
    let count = |name: &str| worked[name].as_i64().expect(name);
    assert_eq!((count("messages"), count("conversations"), count("first_answers")), (2, 1, 1), "{worked}");
    assert!((0..60).contains(&count("first_answer_seconds")), "{worked}");
    // Since the first act until now: not the ten minutes before.
    assert!((0..60).contains(&count("active_seconds")) && count("online_seconds") >= 600, "{worked}");
    assert_eq!(count("idle_seconds"), count("online_seconds") - count("active_seconds"));
    assert_eq!((idled["active_seconds"].as_i64(), idled["messages"].as_i64()), (Some(0), Some(0)));
    let all = shown["departments"].as_array().and_then(|rows| rows.last()).expect("all");
    assert_eq!((&all["department_id"], &all["messages"]), (&Value::Null, &json!(2)));
    // The company's own greeting is nobody's answer.
    execute(&stack, "update companies set takeover_text = 'Olá!' where id = $1", &[&company.id]).await;
    let other = tests::sandbox::fresh_number();
    company.phone.receive_text(&other, "Oi").await;
    let other = company.admin.conversation_id_of(&other).await;
    idle.take_over(&other).await;
    let shown = team(&company, "by=total").await;
    let rows = shown["data"].as_array().expect("rows");
    let greeted = rows.iter().find(|row| row["user_id"] == idle.id.to_string()).expect("a row");
    assert_eq!((&greeted["messages"], &greeted["conversations"], &greeted["first_answers"]), (&json!(0), &json!(1), &json!(0)));
}

pub async fn lateness_is_judged_by_the_calendar(stack: Arc<Stack>) {
    let company = stack.company(Wanted { departments: vec![("Vendas", vec![1])], ..Wanted::default() }).await;
    let [seller, other] = [&company.agents[0], &company.agents[1]];
    let hours = |from: &str| {
        let day = json!([{"from": from, "to": "18:00"}]);
        json!({"monday": day, "tuesday": day, "wednesday": day, "thursday": day, "friday": day, "saturday": day, "sunday": day})
    };
    let none = team(&company, "").await;
    assert_eq!(none["data"][0]["punctuality"]["shifts"], 0, "who said nothing has no shifts");
    let save = async |body: Value| drop(company.admin.api.call(Method::PUT, "/calendar", Some(body)).await.expect(200));
    save(json!({"week": hours("09:00"), "keeps_optional_holidays": false})).await;
    save(json!({"week": hours("10:00"), "department_id": company.departments[0].1, "keeps_optional_holidays": false})).await;
    // Two Wednesdays long gone that are no holidays.
    for (person, from, to) in [
        (seller, "2026-03-04T10:04:00-03", "2026-03-04T18:00:00-03"),
        (seller, "2026-03-11T10:06:00-03", "2026-03-11T18:00:00-03"),
        (other, "2026-03-04T09:30:00-03", "2026-03-04T10:00:00-03"),
    ] {
        let none: Option<String> = None;
        execute(&stack, SPELL, &[&company.id, &person.id, &from, &to, &"online", &none]).await;
    }
    for (by, rows) in [("week", 2), ("total", 1)] {
        let shown = team(&company, &format!("from=2026-03-04&to=2026-03-11&by={by}")).await;
        let of = |person: uuid::Uuid| -> Vec<Value> {
            let found = shown["data"].as_array().into_iter().flatten();
            found.filter(|row| row["user_id"] == person.to_string()).map(|row| row["punctuality"].clone()).collect()
        };
        let (sells, else_where) = (of(seller.id), of(other.id));
        assert_eq!(sells.len(), rows);
        let sum = |of: &[Value], name: &str| of.iter().map(|row| row[name].as_i64().expect(name)).sum::<i64>();
        assert_eq!(["shifts", "attended", "late", "late_seconds"].map(|name| sum(&sells, name)), [8, 2, 1, 360]);
        assert_eq!(["shifts", "attended", "late", "late_seconds"].map(|name| sum(&else_where, name)), [8, 1, 1, 1800]);
        if by == "total" {
            assert_eq!((&sells[0]["rate"], &else_where[0]["rate"]), (&json!(50.0), &json!(0.0)));
        }
    }
    let shown = team(&company, &format!("from=2026-03-04&to=2026-03-04&department_id={}", company.departments[0].1)).await;
    let people: Vec<&str> = shown["data"].as_array().into_iter().flatten().map(|row| text(&row["user_id"])).collect();
    assert_eq!(people, [seller.id.to_string()]);
    assert_eq!(
        shown["data"][0]["first_in"].as_str().and_then(|at| at.parse().ok()),
        Some("2026-03-04T13:04:00Z".parse::<Timestamp>().expect("a time"))
    );
}

pub async fn figures_are_for_who_leads_and_ones_own(stack: Arc<Stack>) {
    let (company, other) = (stack.company(Wanted::default()).await, stack.company(Wanted::default()).await);
    let (agent, colleague) = (&company.agents[0], &company.agents[1]);
    let none: Option<String> = None;
    for person in [agent, colleague] {
        let (from, to) = ("2026-03-04T12:00:00Z", "2026-03-04T13:00:00Z");
        execute(&stack, SPELL, &[&company.id, &person.id, &from, &to, &"online", &none]).await;
    }
    let mine = agent.api.get("/productivity/me?from=2026-03-04&to=2026-03-04").await.expect(200);
    assert_eq!((&mine["data"][0]["online_seconds"], mine["data"].as_array().map(Vec::len)), (&json!(3600), Some(1)));
    for path in ["/productivity/team", "/productivity/export"] {
        assert_eq!(agent.api.get(path).await.problem(403), "forbidden");
    }
    let elsewhere = other.supervisor.api.get("/productivity/team?from=2026-03-04&to=2026-03-04").await.expect(200);
    assert!(!elsewhere.to_string().contains(&agent.id.to_string()));
    // Behind the routes, too.
    let (ids, edges): (Vec<uuid::Uuid>, Vec<String>) =
        (vec![agent.id, colleague.id], vec!["2026-03-04T00:00:00Z".into(), "2026-03-05T00:00:00Z".into()]);
    let figures = "select from app.productivity($1, $2::text[]::timestamptz[], array[1])";
    let all = "select from presence_intervals";
    let within = Inside::enter(&stack, &company, agent, "agent").await;
    within.changes(1, figures, &[&ids, &edges]).await;
    within.changes(1, all, &[]).await;
    let change = "update presence_intervals set state = 'busy'";
    within.changes(0, change, &[]).await;
    within.is_refused("delete from presence_intervals", &[]).await;
    let leads = Inside::enter(&stack, &company, &company.supervisor, "supervisor").await;
    leads.changes(2, figures, &[&ids, &edges]).await;
    leads.changes(2, all, &[]).await;
    leads.is_refused("delete from presence_intervals", &[]).await;
    let stranger = Inside::enter(&stack, &other, &other.supervisor, "supervisor").await;
    stranger.changes(0, figures, &[&ids, &edges]).await;
    stranger.changes(0, all, &[]).await;
    let student = Inside::enter(&stack, &company, &company.students[0], "student").await;
    for sql in
        [all, "select from presence_corrections", "select from first_answers", "select from app.productivity('{}', '{}', '{}')"]
    {
        student.is_refused(sql, &[]).await;
    }
}

pub async fn the_panel_is_a_table_too(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let lunch = Some("lunch".to_owned());
    let agent = &company.agents[0];
    for (from, to, state, reason) in [
        ("2026-03-04T12:00:00Z", "2026-03-04T14:30:05Z", "online", None),
        ("2026-03-04T15:00:00Z", "2026-03-04T16:10:00Z", "break", lunch),
    ] {
        execute(&stack, SPELL, &[&company.id, &agent.id, &from, &to, &state, &reason]).await;
    }
    let file = async |query: &str| {
        let path = format!("/productivity/export?from=2026-03-04&to=2026-03-04{query}");
        let answer = company.supervisor.api.get(&path).await;
        assert_eq!(answer.status, 302, "{}", answer.body);
        reqwest::get(answer.header("location").expect("a place")).await.expect("a file").bytes().await.expect("bytes")
    };
    let csv = String::from_utf8(file("&format=csv").await.to_vec()).expect("a text");
    let lines: Vec<&str> = csv.trim_start_matches('\u{feff}').lines().collect();
    assert!(lines[0].starts_with("Nome;De;Até;Online;Ocupado;") && lines[0].contains("Almoço;Almoço (além do limite)"), "{csv}");
    assert_eq!(lines.len(), 1 + 4, "{csv}");
    let row = lines.iter().find(|line| line.contains("2:30:05")).expect("a row");
    assert!(row.contains(";1:10:00;0:10:00;") && row.contains("2026-03-04 09:00:00;2026-03-04 13:10:00"), "{row}");
    assert!(file("&format=xlsx").await.starts_with(b"PK\x03\x04"));
    company.supervisor.api.get("/productivity/export?format=pdf").await.expect(422);
}
