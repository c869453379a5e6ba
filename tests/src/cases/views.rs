//! Filters of the inbox that people keep.

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::Person, company::text, eventually};
use uuid::Uuid;

use super::contract::sample;
use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    use self as views;
    cases! {
        views::{
            a_view_counts_what_the_inbox_lists_with_its_filters,
            a_view_keeps_what_the_inbox_may_be_asked_for_and_nothing_else,
            views_come_in_the_order_that_people_give_them,
            only_supervisors_write_what_is_everybodys,
            what_is_ones_own_nobody_else_sees_or_is_told_of,
            of_many_who_take_a_name_at_once_one_gets_it,
            of_many_who_fill_their_list_at_once_none_goes_over_its_limit,
            a_view_of_a_department_that_goes_asks_for_the_one_that_it_went_to,
            nobody_but_staff_has_views,
            a_view_of_leads_counts_what_their_list_shows,
            views_of_leads_and_of_the_inbox_are_apart,
        };
    }
}

async fn make(person: &Person, name: &str, filters: Value) -> Value {
    person.api.post("/views", json!({"name": name, "filters": filters})).await.expect(201)
}

async fn for_all(person: &Person, name: &str, filters: Value) -> Value {
    person.api.post("/views", json!({"name": name, "filters": filters, "is_shared": true})).await.expect(201)
}

async fn list(person: &Person) -> Vec<Value> {
    person.api.get("/views").await.expect(200)["data"].as_array().cloned().unwrap_or_default()
}

async fn names(person: &Person) -> Vec<String> {
    list(person).await.iter().map(|view| text(&view["name"]).to_owned()).collect()
}

fn path_of(view: &Value) -> String {
    format!("/views/{}", text(&view["id"]))
}

/// Departments of one agent each, with conversations that wait, are held, and are closed.
async fn busy(stack: &Stack) -> Company {
    let departments = vec![("Atendimento", vec![1]), ("Financeiro", vec![2])];
    let company = stack.company(Wanted { departments, ..Wanted::default() }).await;
    for number in 0..6 {
        let id = sample::conversation(stack, &company).await;
        company.supervisor.transfer(&id, json!({"to_department_id": company.departments[number % 2].1})).await;
        if number > 1 {
            company.agents[number % 2].take_over(&id).await;
        }
        if number > 3 {
            company.agents[number % 2].close(&id).await;
        }
    }
    company
}

pub async fn a_view_counts_what_the_inbox_lists_with_its_filters(stack: Arc<Stack>) {
    let company = busy(&stack).await;
    let (first, second) = (company.departments[0].1, company.departments[1].1);
    let agent = &company.agents[0];
    let database = stack.database().await;
    let tag = "update conversations set tags = '{vip}', priority = 'high' where company_id = $1 and department_id = $2";
    database.execute(tag, &[&company.id, &first]).await.expect("tags");
    let cases = [
        json!({}),
        json!({"category": ["open"]}),
        json!({"status": ["closed", "waiting"]}),
        json!({"assignee": ["me"]}),
        json!({"assignee": ["none"]}),
        json!({"assignee": ["me", "none"]}),
        json!({"assignee": [company.agents[1].id]}),
        json!({"handled_by": ["me"]}),
        json!({"department": [first]}),
        json!({"department": [first, second]}),
        json!({"department": [Uuid::now_v7()]}),
        json!({"channel": ["whatsapp"]}),
        json!({"channel": [company.channel_account_id]}),
        json!({"channel": ["widget"]}),
        json!({"tag": ["vip"]}),
        json!({"priority": ["high", "urgent"]}),
        json!({"unread": true}),
        json!({"unread": false}),
        json!({"search": "oi"}),
        json!({"search": "nada parecido"}),
        json!({"from": "2026-01-01T00:00:00Z"}),
        json!({"to": "2026-01-01T00:00:00Z"}),
        json!({"category": ["active"], "assignee": ["me"], "department": [first], "tag": ["vip"], "unread": false}),
    ];
    for (number, filters) in cases.iter().enumerate() {
        for_all(&company.supervisor, &format!("Visão {number}"), filters.clone()).await;
    }
    // The same view shows each of them what they see.
    let mut totals = Vec::new();
    for person in [agent, &company.agents[1], &company.supervisor] {
        let views = list(person).await;
        assert_eq!(views.len(), cases.len());
        let mut total = 0;
        for (view, filters) in views.iter().zip(&cases) {
            assert_eq!(&view["filters"], filters);
            let path = format!("/conversations?limit=100&{}", as_query(filters));
            let listed = person.api.get(&path).await.expect(200)["data"].as_array().map(Vec::len);
            // What is searched for is counted by nobody.
            let expected = listed.filter(|_| filters.get("search").is_none()).map(|rows| rows as u64);
            assert_eq!(view["count"].as_u64(), expected, "{filters}");
            total += listed.unwrap_or_default();
        }
        totals.push(total);
    }
    assert!(totals[2] > totals[0] && totals[0] > 10, "{totals:?}");
}

/// Filters as a query has them.
fn as_query(filters: &Value) -> String {
    let words = |value: &Value| match value {
        Value::Array(values) => values.iter().map(|value| text(value).to_owned()).collect::<Vec<_>>().join(","),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let pairs = filters.as_object().into_iter().flatten().map(|(name, value)| format!("{name}={}", words(value)));
    pairs.collect::<Vec<_>>().join("&")
}

async fn of_leads(person: &Person, name: &str, filters: &Value) -> tests::Answer {
    person.api.post("/views", json!({"name": name, "kind": "leads", "filters": filters})).await
}

pub async fn a_view_of_leads_counts_what_their_list_shows(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (agent, supervisor) = (&company.agents[0], &company.supervisor);
    for number in 0..9 {
        let closer = (number % 4 > 0).then_some(if number % 4 == 1 { agent.id } else { supervisor.id });
        let tags = if number % 2 == 0 { vec!["bolsista"] } else { vec![] };
        let lead = json!({"name": format!("Lead {number}"), "closer_id": closer, "tags": tags, "potential_value": number * 100, "origin": "google"});
        supervisor.api.post("/leads", lead).await.expect(201);
    }
    let pipeline = &supervisor.api.get("/pipelines").await.expect(200)["data"][0];
    let cases = [
        json!({}),
        json!({"status": ["open"]}),
        json!({"status": ["won", "lost"]}),
        json!({"status": ["new", "contacted"]}),
        json!({"closer": ["me"]}),
        json!({"closer": ["none", "me"]}),
        json!({"closer": [agent.id]}),
        json!({"pipeline_id": pipeline["id"], "stage_id": pipeline["stages"][0]["id"]}),
        json!({"tag": "bolsista", "value_min": "400"}),
        json!({"origin": "google", "campaign": "nenhuma"}),
        json!({"temperature": ["cold", "warm"]}),
        json!({"search": "Lead 3"}),
        json!({"from": "2026-01-01", "to": "2999-12-31"}),
        json!({"inactive_days": 1}),
        json!({"deleted": true}),
    ];
    for (number, filters) in cases.iter().enumerate() {
        let view = json!({"name": format!("Visão {number}"), "kind": "leads", "filters": filters, "is_shared": true});
        supervisor.api.post("/views", view).await.expect(201);
    }
    let mut counted = Vec::new();
    for person in [agent, supervisor] {
        let views = person.api.get("/views?kind=leads").await.expect(200);
        for (view, filters) in views["data"].as_array().expect("views").iter().zip(&cases) {
            assert_eq!(&view["filters"], filters);
            let listed = person.api.get(&format!("/leads?limit=100&{}", as_query(filters))).await.expect(200);
            let expected = if filters.get("search").is_some() { &Value::Null } else { &listed["totals"]["count"] };
            assert_eq!(&view["count"], expected, "{filters}");
            counted.push(view["count"].as_u64().unwrap_or_default());
        }
    }
    assert_eq!(counted.len(), 2 * cases.len());
    assert!(counted[cases.len()] == 9 && counted[..cases.len()] != counted[cases.len()..], "{counted:?}");
}

pub async fn views_of_leads_and_of_the_inbox_are_apart(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    for (filters, field, code) in [
        (json!({"assignee": ["me"]}), "filters.assignee", "unknown_field"),
        (json!({"page": 2}), "filters.page", "unknown_field"),
        (json!({"closer": "me"}), "filters.closer", "invalid_type"),
        (json!({"temperature": ["tepid"]}), "filters.temperature[0]", "unknown_value"),
        (json!({"score_min": 101}), "filters.score_min", "too_large"),
        (json!({"status": vec!["open"; 21]}), "filters", "too_long"),
    ] {
        let refused = of_leads(agent, "x", &filters).await.expect(422);
        let problem = &refused["errors"][0];
        assert_eq!((text(&problem["field"]), text(&problem["code"])), (field, code), "{filters}");
    }
    // The same names, each of its list.
    let inbox = make(agent, "Minhas", json!({"assignee": ["me"]})).await;
    let leads = of_leads(agent, "Minhas", &json!({"closer": ["me"]})).await.expect(201);
    let second = of_leads(agent, "Quentes", &json!({"temperature": ["hot"]})).await.expect(201);
    assert_eq!((&inbox["kind"], &leads["kind"], &leads["position"]), (&json!("conversations"), &json!("leads"), &json!(1)));
    assert_eq!(of_leads(agent, "minhas", &json!({})).await.problem(409), "name_taken");
    assert_eq!(names(agent).await, ["Minhas"]);
    let put = async |path: &str, body: Value| agent.api.call(Method::PUT, path, Some(body)).await;
    let order = json!({"kind": "leads", "view_ids": [second["id"], leads["id"]]});
    put("/views/order", order.clone()).await.expect(200);
    let listed = agent.api.get("/views?kind=leads").await.expect(200);
    assert_eq!((&listed["data"][0]["id"], &listed["data"][1]["id"]), (&second["id"], &leads["id"]));
    assert_eq!(put("/views/order", json!({"view_ids": order["view_ids"]})).await.problem(409), "others_there");
    // Filters are read as those of the kind that is named, which is the view's.
    let refused = put(&path_of(&leads), json!({"filters": {"assignee": ["me"]}})).await.expect(422);
    assert_eq!((&refused["errors"][0]["field"], &refused["errors"][0]["code"]), (&json!("kind"), &json!("kind_stays")));
    put(&path_of(&leads), json!({"name": "Meus leads"})).await.expect(200);
    let changed = put(&path_of(&leads), json!({"kind": "leads", "filters": {"closer": ["me", "none"]}})).await.expect(200);
    assert_eq!((&changed["name"], &changed["filters"]), (&json!("Meus leads"), &json!({"closer": ["me", "none"]})));
    let refused = put(&path_of(&inbox), json!({"kind": "leads", "filters": {}})).await.expect(422);
    assert_eq!(refused["errors"][0]["code"], "kind_stays");
    // Each has room for fifty.
    let tries = (0..52).map(|number| async move { of_leads(agent, &format!("Visão {number}"), &json!({})).await.status });
    let made = join_all(tries).await.into_iter().filter(|status| *status == 201).count();
    assert_eq!(made, 48);
    make(agent, "Outra", json!({})).await;
}

pub async fn a_view_keeps_what_the_inbox_may_be_asked_for_and_nothing_else(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    for (filters, field, code) in [
        (json!({"category": ["resolved"]}), "filters.category", "unknown_value"),
        (json!({"category": "open"}), "filters.category", "invalid_type"),
        (json!({"status": ["open"], "category": ["closed"]}), "filters.status", "different_values"),
        (json!({"assignee": ["you"]}), "filters.assignee", "unknown_user"),
        (json!({"departments": []}), "filters.departments", "unknown_field"),
        (json!({"cursor": "x"}), "filters.cursor", "unknown_field"),
        (json!({"search": "x".repeat(101)}), "filters.search", "too_long"),
        (json!({"tag": vec!["x"; 21]}), "filters", "too_long"),
        (json!({"tag": ["x".repeat(4000)]}), "filters", "too_long"),
        (json!({"from": "0000-01-01T00:00:00Z"}), "filters.from", "too_small"),
    ] {
        let refused = agent.api.post("/views", json!({"name": "x", "filters": filters})).await.expect(422);
        let problem = &refused["errors"][0];
        assert_eq!((text(&problem["field"]), text(&problem["code"])), (field, code), "{filters}");
    }
    assert_eq!(list(agent).await, [] as [Value; 0]);
    let view = make(agent, "Minhas", json!({"assignee": ["me"]})).await;
    let refused = agent.api.call(Method::PUT, &path_of(&view), Some(json!({"filters": {"category": ["resolved"]}}))).await;
    assert_eq!(refused.expect(422)["errors"][0]["field"], "filters.category");
    let changed = agent.api.call(Method::PUT, &path_of(&view), Some(json!({"filters": {"unread": true}}))).await.expect(200);
    assert_eq!((&changed["filters"], &changed["version"]), (&json!({"unread": true}), &json!(2)));
    // A filter that is not known any more is no reason to show no view.
    let id: Uuid = text(&view["id"]).parse().expect("an id");
    let age = r#"update views set filters = '{"mood": ["good"]}' where id = $1"#;
    stack.database().await.execute(age, &[&id]).await.expect("an old filter");
    assert_eq!(list(agent).await[0]["count"], Value::Null);
}

pub async fn views_come_in_the_order_that_people_give_them(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (agent, supervisor) = (&company.agents[0], &company.supervisor);
    let mut mine = Vec::new();
    for name in ["a", "b", "c"] {
        for_all(supervisor, &format!("todos {name}"), json!({})).await;
        mine.push(make(agent, name, json!({})).await["id"].clone());
    }
    assert_eq!(names(agent).await, ["a", "b", "c", "todos a", "todos b", "todos c"]);
    let order = async |ids: &[&Value], is_shared: bool| {
        agent.api.call(Method::PUT, "/views/order", Some(json!({"view_ids": ids, "is_shared": is_shared}))).await
    };
    let ordered = order(&[&mine[2], &mine[0], &mine[1]], false).await.expect(200);
    let ordered: Vec<_> = ordered["data"].as_array().expect("views").iter().map(|view| text(&view["name"])).collect();
    assert_eq!(ordered, ["c", "a", "b"]);
    assert_eq!(names(agent).await, ["c", "a", "b", "todos a", "todos b", "todos c"]);
    make(agent, "d", json!({})).await;
    assert_eq!(names(agent).await, ["c", "a", "b", "d", "todos a", "todos b", "todos c"]);
    // Nothing is left out, named twice or another's.
    for ids in [vec![&mine[0]], vec![&mine[0], &mine[0], &mine[1], &mine[2]], vec![]] {
        assert_eq!(order(&ids, false).await.problem(409), "others_there");
    }
    assert_eq!(order(&[], true).await.problem(403), "supervisors_only");
    assert_eq!(names(agent).await, ["c", "a", "b", "d", "todos a", "todos b", "todos c"]);
}

pub async fn only_supervisors_write_what_is_everybodys(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let view = for_all(&company.supervisor, "Abertas", json!({"category": ["open"]})).await;
    let refused = agent.api.post("/views", json!({"name": "x", "filters": {}, "is_shared": true})).await;
    assert_eq!(refused.problem(403), "supervisors_only");
    let refused = agent.api.call(Method::PUT, &path_of(&view), Some(json!({"name": "x"}))).await;
    assert_eq!(refused.problem(403), "supervisors_only");
    assert_eq!(agent.api.call(Method::DELETE, &path_of(&view), None).await.problem(403), "supervisors_only");
    company.admin.api.call(Method::PUT, &path_of(&view), Some(json!({"name": "Em aberto"}))).await.expect(200);
    assert_eq!(names(agent).await, ["Em aberto"]);
    company.admin.api.call(Method::DELETE, &path_of(&view), None).await.expect(204);
    assert_eq!(list(agent).await, [] as [Value; 0]);
}

pub async fn what_is_ones_own_nobody_else_sees_or_is_told_of(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let owner = &company.agents[0];
    let (heads, mine) = (join_all([owner.head(), company.admin.head(), company.agents[1].head()]).await, "Só minha");
    let view = make(owner, mine, json!({})).await;
    let is_told = |events: &[Value]| events.iter().any(|event| text(&event["type"]) == "view.created");
    eventually("its owner is told", || async { is_told(&owner.events_after(&heads[0]).await).then_some(()) }).await;
    for (other, head) in [(&company.admin, &heads[1]), (&company.agents[1], &heads[2])] {
        assert!(!json!(other.events_after(head).await).to_string().contains(mine));
        assert_eq!(list(other).await, [] as [Value; 0]);
        other.api.call(Method::PUT, &path_of(&view), Some(json!({"name": "x"}))).await.expect(404);
        other.api.call(Method::DELETE, &path_of(&view), None).await.expect(404);
        // Theirs may have the same name.
        make(other, mine, json!({})).await;
    }
}

pub async fn of_many_who_take_a_name_at_once_one_gets_it(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let takers = [&company.admin, &company.supervisor];
    let tries = (0..16).map(|number| {
        let name = ["Abertas", "ABERTAS", "abertás"][number % 3];
        takers[number % 2].api.post("/views", json!({"name": name, "filters": {}, "is_shared": true}))
    });
    let answers = join_all(tries).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    let [won] = &won[..] else { panic!("{won:?}") };
    for answer in lost {
        let lost = answer.expect(409);
        assert_eq!((text(&lost["code"]), &lost["current"]["id"]), ("name_taken", &won.body["id"]));
    }
    let other = for_all(&company.admin, "Outra", json!({})).await;
    let taken = company.admin.api.call(Method::PATCH, &path_of(&other), Some(json!({"name": "abertas"}))).await.expect(409);
    assert_eq!(text(&taken["code"]), "name_taken");
}

pub async fn of_many_who_fill_their_list_at_once_none_goes_over_its_limit(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    for number in 0..44 {
        make(agent, &format!("Visão {number}"), json!({})).await;
    }
    let tries = (44..56).map(|number| agent.api.post("/views", json!({"name": format!("Visão {number}"), "filters": {}})));
    let answers = join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 6, "{answers:?}");
    assert!(answers.iter().all(|answer| answer.status == 201 || answer.body["code"] == "too_many"), "{answers:?}");
    let mut positions: Vec<_> = list(agent).await.iter().map(|view| view["position"].as_i64().expect("a number")).collect();
    positions.sort_unstable();
    assert_eq!(positions, (1..=50).collect::<Vec<_>>());
    make(&company.agents[1], "Visão 1", json!({})).await;
}

pub async fn a_view_of_a_department_that_goes_asks_for_the_one_that_it_went_to(stack: Arc<Stack>) {
    let company = busy(&stack).await;
    let (first, second) = (company.departments[0].1, company.departments[1].1);
    let (agent, supervisor) = (&company.agents[1], &company.supervisor);
    for_all(supervisor, "Uma", json!({"department": [first], "category": ["open", "waiting"]})).await;
    make(agent, "Duas", json!({"department": [first, second]})).await;
    make(agent, "Outra", json!({"tag": [first]})).await;
    company.admin.api.call(Method::DELETE, &format!("/departments/{first}?move_to={second}"), None).await.expect(204);
    let views = list(agent).await;
    let filters: Vec<_> = views.iter().map(|view| &view["filters"]).collect();
    let uma = json!({"department": [second], "category": ["open", "waiting"]});
    assert_eq!(filters, [&json!({"department": [second]}), &json!({"tag": [first]}), &uma]);
    assert_eq!(list(supervisor).await[0]["count"], json!(4));
    // One that went nowhere is asked for in vain.
    let department = company.admin.api.post("/departments", json!({"name": "Vazio"})).await.expect(201);
    let id = text(&department["id"]);
    let view = for_all(supervisor, "Vazio", json!({"department": [id]})).await;
    company.admin.api.call(Method::DELETE, &format!("/departments/{id}"), None).await.expect(204);
    let views = list(supervisor).await;
    let left = views.iter().find(|other| other["id"] == view["id"]).expect("it is there");
    assert_eq!((&left["filters"], &left["count"]), (&json!({"department": [id]}), &json!(0)));
}

pub async fn nobody_but_staff_has_views(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let view = for_all(&company.supervisor, "Abertas", json!({})).await;
    let student = &company.students[0].api;
    student.get("/views").await.expect(403);
    student.call(Method::DELETE, &path_of(&view), None).await.expect(403);
    let may = "select has_any_column_privilege('app_student', 'views', 'select')";
    assert!(!stack.database().await.query_one(may, &[]).await.expect("an answer").get::<_, bool>(0));
    let other = stack.company(Wanted::default()).await;
    assert_eq!(list(&other.admin).await, [] as [Value; 0]);
    other.admin.api.call(Method::PUT, &path_of(&view), Some(json!({"name": "x"}))).await.expect(404);
    let order = json!({"is_shared": true, "view_ids": [view["id"]]});
    assert_eq!(other.admin.api.call(Method::PUT, "/views/order", Some(order)).await.problem(409), "others_there");
    for_all(&other.admin, "Abertas", json!({})).await;
}
