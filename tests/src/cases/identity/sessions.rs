//! Who is signed in, logout, changed roles.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text};

use super::refreshing::refresh;
use crate::cases::contract::sample::log_in;

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, ..Wanted::default() }).await
}

pub async fn me_is_who_signed_in(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let me = company.agents[0].api.get("/auth/me").await.expect(200);
    assert_eq!((text(&me["role"]), text(&me["email"])), ("agent", company.agents[0].email.as_str()));
    assert_eq!(me["company"]["id"].as_str().or(me["company_id"].as_str()), Some(company.id.to_string().as_str()), "{me}");
    let permissions = |me: &Value| me["permissions"].as_array().cloned().unwrap_or_default();
    assert!(permissions(&me).contains(&json!("messages:send")));
    assert!(!permissions(&me).contains(&json!("integrations:manage")));
    let student = company.students[0].api.get("/auth/me").await.expect(200);
    assert!(!permissions(&student).contains(&json!("conversations:read")));
}

pub async fn logout_ends_the_session_at_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    for person in [&company.admin, &company.agents[0], &company.students[0]] {
        let socket = person.socket().await;
        person.api.post("/auth/logout", Value::Null).await.expect(204);
        assert_eq!(person.api.get("/auth/me").await.problem(401), "session_revoked");
        assert_eq!(person.api.post("/realtime/tickets", json!({})).await.problem(401), "session_revoked");
        assert_eq!(refresh(&stack, &person.refresh_token).await.problem(401), "refresh_token_invalid");
        socket.closed().await;
    }
}

pub async fn logout_ends_one_session_only(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let other = log_in(&stack, &company.admin, &company.password).await;
    company.admin.api.post("/auth/logout", Value::Null).await.expect(204);
    let other_api = stack.api().with_token(text(&other["access_token"]));
    other_api.get("/auth/me").await.expect(200);
    refresh(&stack, text(&other["refresh_token"])).await.expect(200);
    assert_eq!(company.admin.api.post("/auth/logout", Value::Null).await.problem(401), "session_revoked");
}

pub async fn a_changed_role_ends_the_old_claims(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let demote = "update memberships set role = 'agent' where company_id = $1 and user_id = $2";
    stack.database().await.execute(demote, &[&company.id, &company.supervisor.id]).await.expect("demotes");
    let refused = company.supervisor.api.post("/departments", json!({"name": "Vendas"})).await;
    assert_eq!(refused.problem(401), "session_revoked");
    let pair = refresh(&stack, &company.supervisor.refresh_token).await.expect(200);
    let api = stack.api().with_token(text(&pair["access_token"]));
    assert_eq!(api.get("/auth/me").await.expect(200)["role"], "agent");
    assert_eq!(api.post("/departments", json!({"name": "Vendas"})).await.problem(403), "forbidden");
}
