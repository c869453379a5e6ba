//! One person in several companies.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Api, Company, Stack, Wanted, company::text};
use uuid::Uuid;

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await
}

async fn join(stack: &Stack, company: &Company, user_id: Uuid, role: &str, status: &str) {
    let sql = "insert into memberships (company_id, user_id, role, status) values ($1, $2, $3, $4)";
    stack.database().await.execute(sql, &[&company.id, &user_id, &role, &status]).await.expect("joins");
}

async fn select(api: &Api, company: &Company) -> tests::Answer {
    api.post(&format!("/auth/companies/{}/select", company.id), Value::Null).await
}

pub async fn a_person_of_two_companies_chooses_one(stack: Arc<Stack>) {
    let (home, second) = (company(&stack).await, company(&stack).await);
    join(&stack, &second, home.admin.id, "agent", "active").await;
    let mine = home.admin.api.get("/auth/companies").await.expect(200);
    let mine = mine["data"].as_array().or(mine.as_array()).cloned().unwrap_or_default();
    let active =
        |company: &Company| mine.iter().find(|row| row["id"] == company.id.to_string()).map(|row| row["is_active"] == true);
    assert_eq!((active(&home), active(&second), mine.len()), (Some(true), Some(false), 2));

    let selected = select(&home.admin.api, &second).await.expect(200);
    assert_eq!((text(&selected["role"]), &selected["company"]["id"]), ("agent", &json!(second.id.to_string())));
    let there = stack.api().with_token(text(&selected["access_token"]));
    assert_eq!(there.get("/users").await.expect(200)["pagination"]["total"], 4);
    // The role of the one company is worth nothing in the other.
    assert_eq!(there.post("/departments", json!({"name": "Vendas"})).await.problem(403), "forbidden");
    let login = json!({"email": home.admin.email, "password": home.password, "company_id": second.id});
    assert_eq!(stack.api().post("/auth/login", login).await.expect(200)["user"]["role"], "agent");
}

pub async fn only_ones_own_active_companies_can_be_chosen(stack: Arc<Stack>) {
    let (home, other, pending, left) =
        (company(&stack).await, company(&stack).await, company(&stack).await, company(&stack).await);
    join(&stack, &pending, home.admin.id, "agent", "pending_approval").await;
    join(&stack, &left, home.admin.id, "agent", "inactive").await;
    for company in [&other, &pending, &left] {
        assert_eq!(select(&home.admin.api, company).await.problem(404), "not_found");
    }
    let login = |company: &Company| json!({"email": home.admin.email, "password": home.password, "company_id": company.id});
    assert_eq!(stack.api().post("/auth/login", login(&other)).await.problem(403), "no_active_company");
    assert_eq!(stack.api().post("/auth/login", login(&pending)).await.problem(403), "pending_approval");
    assert_eq!(stack.api().post("/auth/login", login(&left)).await.problem(403), "no_active_company");
}

pub async fn the_session_chosen_from_goes_on(stack: Arc<Stack>) {
    let (home, second) = (company(&stack).await, company(&stack).await);
    join(&stack, &second, home.admin.id, "supervisor", "active").await;
    let selected = select(&home.admin.api, &second).await.expect(200);
    home.admin.api.get("/auth/me").await.expect(200);
    let there = stack.api().with_token(text(&selected["access_token"]));
    there.post("/auth/logout", Value::Null).await.expect(204);
    home.admin.api.get("/auth/me").await.expect(200);
    let tokens = json!({"refresh_token": selected["refresh_token"]});
    assert_eq!(stack.api().post("/auth/refresh", tokens).await.problem(401), "refresh_token_invalid");
}
