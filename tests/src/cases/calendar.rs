//! When a company works: hours, holidays, and who says so.

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Api, Company, Stack, Wanted, company::text};
use uuid::Uuid;

use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    use self as calendar;
    cases! {
        calendar::{
            a_company_that_said_nothing_is_always_open,
            a_department_has_the_companys_hours_until_it_has_its_own,
            a_calendar_of_an_old_version_is_not_overwritten,
            of_many_who_save_at_once_one_wins,
            hours_that_are_none_are_refused_and_change_nothing,
            holidays_are_the_nations_and_what_is_added,
            a_holiday_is_added_and_removed_once,
            there_is_an_end_to_holidays,
            another_companys_calendar_is_not_to_be_seen,
            everybody_is_told_of_new_hours,
        };
    }
}

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { departments: vec![("Vendas", vec![1])], ..Wanted::default() }).await
}

async fn department(company: &Company) -> String {
    let departments = company.admin.api.get("/departments").await.expect(200);
    text(&departments["data"][0]["id"]).to_owned()
}

async fn put(api: &Api, body: Value) -> Answer {
    api.call(Method::PUT, "/calendar", Some(body)).await
}

async fn put_if_match(api: &Api, body: Value, version: i32) -> Answer {
    put(&api.with_header("if-match", &version.to_string()), body).await
}

async fn delete(api: &Api, path: &str) -> Answer {
    api.call(Method::DELETE, path, None).await
}

fn usual() -> Value {
    let day = json!([{"from": "08:00", "to": "12:00"}, {"from": "13:30", "to": "18:00"}]);
    json!({"monday": day, "tuesday": day, "wednesday": day, "thursday": day, "friday": day, "saturday": [], "sunday": []})
}

pub async fn a_company_that_said_nothing_is_always_open(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let calendar = company.agents[0].api.get("/calendar").await.expect(200);
    assert_eq!((&calendar["is_own"], &calendar["is_open"], &calendar["version"]), (&json!(false), &json!(true), &json!(0)));
    assert_eq!(calendar["week"]["sunday"], json!([{"from": "00:00", "to": "24:00"}]));
    assert_eq!(calendar["time_zone"], "America/Sao_Paulo");
    let closed = put(&company.admin.api, json!({"week": {}})).await.expect(200);
    assert_eq!((&closed["is_open"], &closed["next_open_at"], &closed["version"]), (&json!(false), &Value::Null, &json!(1)));
    let open = put(&company.admin.api, json!({"week": null})).await.expect(200);
    assert_eq!((&open["is_own"], &open["is_open"], &open["version"]), (&json!(false), &json!(true), &json!(2)));
    let again = put(&company.admin.api, json!({"week": null})).await.expect(200);
    assert_eq!(again["version"], 2, "nothing changed");
    let stale = put_if_match(&company.admin.api, json!({"week": usual()}), 1).await.expect(409);
    assert_eq!(stale["current"]["version"], 2, "who read it before it was taken away does not bring it back");
}

pub async fn a_department_has_the_companys_hours_until_it_has_its_own(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (api, id) = (&company.supervisor.api, department(&company).await);
    put(api, json!({"week": usual(), "time_zone": "America/Manaus"})).await.expect(200);
    let path = format!("/calendar?department_id={id}");
    let inherited = api.get(&path).await.expect(200);
    assert_eq!(
        (&inherited["is_own"], &inherited["week"], &inherited["time_zone"]),
        (&json!(false), &usual(), &json!("America/Manaus"))
    );
    let night = json!({"friday": [{"from": "22:00", "to": "24:00"}], "saturday": [{"from": "00:00", "to": "06:00"}]});
    let own = put(api, json!({"department_id": id, "week": night, "keeps_optional_holidays": false})).await.expect(200);
    assert_eq!(
        (&own["is_own"], &own["week"]["saturday"][0]["to"], &own["keeps_optional_holidays"]),
        (&json!(true), &json!("06:00"), &json!(false))
    );
    assert_eq!(own["time_zone"], "America/Manaus", "hours of its own are on the company's clock");
    assert_eq!(api.get("/calendar").await.expect(200)["week"], usual(), "the company's stays");
    put(api, json!({"department_id": id, "week": null})).await.expect(200);
    assert_eq!(api.get(&path).await.expect(200)["is_own"], false);
    let nobodys = Uuid::now_v7();
    api.get(&format!("/calendar?department_id={nobodys}")).await.expect(404);
    put(api, json!({"department_id": nobodys, "week": usual()})).await.expect(404);
}

pub async fn a_calendar_of_an_old_version_is_not_overwritten(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = &company.admin.api;
    let first = put(api, json!({"week": usual()})).await.expect(200);
    assert_eq!(first["version"], 1);
    let again = put(api, json!({"week": usual()})).await.expect(200);
    assert_eq!(again["version"], 1, "nothing changed");
    put_if_match(api, json!({"week": {}}), 1).await.expect(200);
    let stale = put_if_match(api, json!({"week": usual()}), 1).await.expect(409);
    assert_eq!(stale["current"]["version"], 2);
}

pub async fn of_many_who_save_at_once_one_wins(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let weeks = (0..12).map(|hour| json!({"week": {"monday": [{"from": "00:00", "to": format!("{:02}:00", hour + 1)}]}}));
    let api = &company.admin.api;
    let answers = join_all(weeks.map(|week| put_if_match(api, week, 0))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[409; 11][..]));
    assert_eq!(api.get("/calendar").await.expect(200)["version"], 1);
}

pub async fn hours_that_are_none_are_refused_and_change_nothing(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = &company.admin.api;
    let monday = |intervals: Value| json!({"week": {"monday": intervals}});
    for (body, field, code) in [
        (monday(json!([{"from": "12:00", "to": "08:00"}])), "week.monday[0]", "inverted"),
        (monday(json!([{"from": "08:00", "to": "08:00"}])), "week.monday[0]", "inverted"),
        (monday(json!([{"from": "13:00", "to": "18:00"}, {"from": "08:00", "to": "13:01"}])), "week.monday[0]", "overlapping"),
        (json!({"week": usual(), "time_zone": "America/Lisboa"}), "time_zone", "unknown_time_zone"),
    ] {
        let refused = put(api, body.clone()).await.expect(422);
        assert_eq!((&refused["errors"][0]["field"], &refused["errors"][0]["code"]), (&json!(field), &json!(code)), "{body}");
    }
    for body in [
        monday(json!([{"from": "8:00", "to": "12:00"}])),
        monday(json!([{"from": "08:00", "to": "24:01"}])),
        json!({"week": {"feriado": []}}),
    ] {
        put(api, body).await.expect(422);
    }
    assert_eq!(api.get("/calendar").await.expect(200)["version"], 0);
    put(&company.agents[0].api, json!({"week": usual()})).await.expect(403);
}

pub async fn holidays_are_the_nations_and_what_is_added(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (api, id) = (&company.supervisor.api, department(&company).await);
    put(api, json!({"week": usual(), "keeps_optional_holidays": false})).await.expect(200);
    let add = async |body: Value| api.post("/calendar/holidays", body).await.expect(201);
    add(json!({"date": "2020-07-09", "name": "Revolução", "yearly": true})).await;
    add(json!({"date": "2028-02-29", "name": "Dia raro", "yearly": true})).await;
    add(json!({"date": "2027-03-05", "name": "Mudança", "department_id": id})).await;
    let list = async |query: &str| {
        let listed = api.get(&format!("/calendar/holidays?{query}")).await.expect(200);
        let named = |day: &Value| (text(&day["date"]).to_owned(), text(&day["scope"]).to_owned(), day["is_kept"] == true);
        listed["data"].as_array().expect("days").iter().map(named).collect::<Vec<_>>()
    };
    let of_company = list("year=2027").await;
    let has =
        |days: &[(String, String, bool)], date: &str, scope: &str, kept: bool| days.contains(&(date.into(), scope.into(), kept));
    assert!(has(&of_company, "2027-03-26", "national", true) && has(&of_company, "2027-02-09", "optional", false));
    assert!(has(&of_company, "2027-07-09", "company", true) && !has(&of_company, "2027-03-05", "department", true));
    assert!(!of_company.iter().any(|(date, ..)| date.ends_with("02-29")) && of_company.is_sorted());
    assert!(has(&list(&format!("year=2027&department_id={id}")).await, "2027-03-05", "department", true));
    assert!(has(&list("year=2032").await, "2032-02-29", "company", true));
    assert!(!has(&list("year=2019").await, "2019-07-09", "company", true), "not before it was one");
    for query in ["year=1969", "year=3000", "year=x"] {
        api.get(&format!("/calendar/holidays?{query}")).await.expect(422);
    }
}

pub async fn a_holiday_is_added_and_removed_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = &company.admin.api;
    let body = json!({"date": "2027-01-25", "name": "Aniversário de São Paulo", "yearly": true});
    let answers = join_all((0..8).map(|_| api.post("/calendar/holidays", body.clone()))).await;
    let added: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert!(added.len() == 1 && answers.iter().filter(|answer| answer.status == 409).count() == 7);
    let path = format!("/calendar/holidays/{}", text(&added[0].body["id"]));
    let removals = join_all((0..4).map(|_| delete(api, &path))).await;
    assert_eq!(removals.iter().filter(|answer| answer.status == 204).count(), 1);
    delete(api, &path).await.expect(404);
    for date in ["2027-02-30", "1960-01-01", "2300-01-01", "amanhã"] {
        api.post("/calendar/holidays", json!({"date": date, "name": "x"})).await.expect(422);
    }
    api.post("/calendar/holidays", json!({"date": "2027-01-26", "name": "x", "department_id": Uuid::now_v7()})).await.expect(422);
    company.agents[0].api.post("/calendar/holidays", body).await.expect(403);
}

pub async fn there_is_an_end_to_holidays(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let full = "
        insert into holidays (id, company_id, date, name, yearly)
        select gen_random_uuid(), $1, date '2000-01-01' + day, 'x', false from generate_series(1, 400) day";
    stack.database().await.execute(full, &[&company.id]).await.expect("holidays");
    let add = |body: Value| company.admin.api.post("/calendar/holidays", body);
    let refused = add(json!({"date": "2027-01-25", "name": "Um a mais"})).await.expect(409);
    assert_eq!(refused["code"], "too_many_holidays");
    add(json!({"date": "2027-01-25", "name": "Do departamento", "department_id": department(&company).await})).await.expect(201);
    let calendar = company.agents[0].api.get("/calendar").await.expect(200);
    assert_eq!(calendar["is_open"], true);
}

pub async fn another_companys_calendar_is_not_to_be_seen(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let theirs = department(&other).await;
    let holiday = other.admin.api.post("/calendar/holidays", json!({"date": "2027-01-25", "name": "Deles"})).await.expect(201);
    let api = &company.admin.api;
    api.get(&format!("/calendar?department_id={theirs}")).await.expect(404);
    put(api, json!({"department_id": theirs, "week": {}})).await.expect(404);
    api.get(&format!("/calendar/holidays?department_id={theirs}")).await.expect(404);
    delete(api, &format!("/calendar/holidays/{}", text(&holiday["id"]))).await.expect(404);
    api.post("/calendar/holidays", json!({"date": "2027-01-25", "name": "Nosso"})).await.expect(201);
    let named = api.get("/calendar/holidays?year=2027").await.expect(200);
    assert!(!named.to_string().contains("Deles"));
}

pub async fn everybody_is_told_of_new_hours(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut socket = company.agents[0].socket().await;
    put(&company.admin.api, json!({"week": usual()})).await.expect(200);
    let told = socket.of_type("calendar.updated").await;
    assert_eq!(told["data"], json!({"department_id": null}));
    company.admin.api.post("/calendar/holidays", json!({"date": "2027-01-25", "name": "Cidade"})).await.expect(201);
    socket.of_type("calendar.updated").await;
}
