//! POST /companies, and what is seen of companies.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text};

use crate::cases::contract::sample::conversation;

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, ..Wanted::default() }).await
}

pub async fn a_further_company_is_its_founders_and_empty(stack: Arc<Stack>) {
    let home = company(&stack).await;
    conversation(&stack, &home).await;
    let agent = &home.agents[0];
    let made =
        agent.api.post("/companies", json!({"name": "Mentoria da Bruna", "time_zone": "America/Manaus"})).await.expect(201);
    assert_eq!((text(&made["slug"]).starts_with("mentoria-da-bruna"), text(&made["time_zone"])), (true, "America/Manaus"));
    let list = agent.api.get("/companies").await.expect(200);
    let roles: Vec<(&str, &Value)> =
        list["data"].as_array().expect("companies").iter().map(|row| (text(&row["role"]), &row["is_active"])).collect();
    assert!(
        roles.contains(&("admin", &json!(false))) && roles.contains(&("agent", &json!(true))) && roles.len() == 2,
        "{roles:?}"
    );
    let selected = agent.api.post(&format!("/auth/companies/{}/select", text(&made["id"])), json!({})).await.expect(200);
    let there = stack.api().with_token(text(&selected["access_token"]));
    assert_eq!(there.get("/users").await.expect(200)["pagination"]["total"], 1);
    for path in ["/conversations", "/departments", "/integrations/config", "/team/invites"] {
        assert_eq!(there.get(path).await.expect(200)["data"], json!([]), "{path}");
    }
    // A login of both: leaving it leaves both.
    there.post("/auth/logout", Value::Null).await.expect(204);
    assert_eq!(agent.api.get("/auth/me").await.problem(401), "session_revoked");
    let audited =
        "select count(*) from audit_log where company_id = $1::text::uuid and action = 'create_company' and user_id = $2";
    let row = stack.database().await.query_one(audited, &[&text(&made["id"]), &agent.id]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 1);
}

pub async fn names_may_be_alike_and_slugs_are_not(stack: Arc<Stack>) {
    let (one, other) = (company(&stack).await, company(&stack).await);
    let name = format!("Curso {}", one.slug);
    let calls = [&one.admin, &other.admin, &other.supervisor, &one.agents[0]]
        .map(|person| person.api.post("/companies", json!({"name": name})));
    let made: Vec<Value> = join_all(calls).await.into_iter().map(|answer| answer.expect(201)).collect();
    let mut slugs: Vec<&str> = made.iter().map(|row| text(&row["slug"])).collect();
    slugs.sort_unstable();
    slugs.dedup();
    assert_eq!(slugs.len(), 4);
    for wrong in [
        json!({"name": ""}),
        json!({"name": "A\u{200b}B"}),
        json!({"name": "A", "time_zone": "Mars/Base"}),
        json!({"name": "A", "slug": "x"}),
    ] {
        assert_eq!(one.admin.api.post("/companies", wrong.clone()).await.problem(422), "invalid", "{wrong}");
    }
}

pub async fn a_person_founds_only_so_many(stack: Arc<Stack>) {
    let home = company(&stack).await;
    let student = &home.students[0].api;
    let calls = (0..24).map(|number| student.post("/companies", json!({"name": format!("Empresa {number}")})));
    let answers = join_all(calls).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 20);
    assert!(answers.into_iter().filter(|answer| answer.status != 201).all(|answer| answer.problem(409) == "too_many_companies"));
}

pub async fn another_company_is_not_shown_from_this_one(stack: Arc<Stack>) {
    let (home, other) = (company(&stack).await, company(&stack).await);
    let join = "insert into memberships (company_id, user_id, role) values ($1, $2, 'admin')";
    stack.database().await.execute(join, &[&other.id, &home.admin.id]).await.expect("joins");
    let path = format!("/companies/{}", other.id);
    let api = &home.admin.api;
    assert_eq!(api.get(&path).await.problem(404), "not_found");
    assert_eq!(api.get(&format!("{path}/members")).await.problem(404), "not_found");
    assert_eq!(api.call(reqwest::Method::PATCH, &path, Some(json!({"name": "Minha"}))).await.problem(404), "not_found");
    let remove = format!("{path}/members/{}", home.agents[0].id);
    assert_eq!(api.call(reqwest::Method::DELETE, &remove, None).await.problem(404), "not_found");
    home.agents[0].api.get("/auth/me").await.expect(200);
    let own = format!("/companies/{}", home.id);
    assert_eq!(home.students[0].api.get(&own).await.expect(200)["id"], json!(home.id));
    let members = home.agents[0].api.get(&format!("{own}/members?role=student")).await.expect(200);
    assert_eq!((&members["pagination"]["total"], text(&members["data"][0]["role"])), (&json!(1), "student"));
}
