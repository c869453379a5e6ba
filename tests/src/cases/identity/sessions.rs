//! Refresh, reuse, logout.

use std::sync::Arc;

use futures_util::future::join;
use serde_json::{Value, json};
use tests::{Answer, Company, Stack, Wanted, company::text, forge};
use uuid::Uuid;

use crate::cases::contract::sample::log_in;

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, ..Wanted::default() }).await
}

async fn refresh(stack: &Stack, token: &str) -> Answer {
    stack.api().post("/auth/refresh", json!({"refresh_token": token})).await
}

/// Lets the grace of a client that races itself pass for all rotated tokens of this session.
async fn let_grace_pass(stack: &Stack, access_token: &str) {
    let session: Uuid = text(&forge::claims_of(access_token)["sid"]).parse().expect("a session");
    let later = "update refresh_tokens set rotated_at = rotated_at - interval '11 seconds' where session_id = $1";
    stack.database().await.execute(later, &[&session]).await.expect("time passes");
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

pub async fn refreshing_rotates_the_token(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let first = company.admin.refresh_token.clone();
    let pair = refresh(&stack, &first).await.expect(200);
    assert_ne!(text(&pair["refresh_token"]), first);
    stack.api().with_token(text(&pair["access_token"])).get("/auth/me").await.expect(200);
    let alias = json!({"refresh_token": pair["refresh_token"]});
    let next = stack.api().post("/auth/refresh-token", alias).await.expect(200);
    assert_eq!(forge::claims_of(text(&next["access_token"]))["sid"], forge::claims_of(text(&pair["access_token"]))["sid"]);
}

pub async fn a_client_racing_itself_is_forgiven(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let first = company.admin.refresh_token.clone();
    let (one, other) = join(refresh(&stack, &first), refresh(&stack, &first)).await;
    let (one, other) = (one.expect(200), other.expect(200));
    assert_ne!(one["refresh_token"], other["refresh_token"]);
    for pair in [one, other] {
        stack.api().with_token(text(&pair["access_token"])).get("/auth/me").await.expect(200);
        refresh(&stack, text(&pair["refresh_token"])).await.expect(200);
    }
}

pub async fn a_reused_token_ends_its_family(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let thief = company.admin.refresh_token.clone();
    let elsewhere = log_in(&stack, &company.admin, &company.password).await;
    let pair = refresh(&stack, &thief).await.expect(200);
    let socket = company.admin.socket().await;
    let_grace_pass(&stack, text(&pair["access_token"])).await;

    assert_eq!(refresh(&stack, &thief).await.problem(401), "refresh_token_invalid");
    socket.closed().await;
    let owner = stack.api().with_token(text(&pair["access_token"]));
    assert_eq!(owner.get("/auth/me").await.problem(401), "session_revoked");
    assert_eq!(refresh(&stack, text(&pair["refresh_token"])).await.problem(401), "refresh_token_invalid");
    // The person's other devices go on, and hear of it.
    let other = stack.api().with_token(text(&elsewhere["access_token"]));
    other.get("/auth/me").await.expect(200);
    let audited = "select after from audit_log where company_id = $1 and action = 'refresh_session'";
    let row = stack.database().await.query_one(audited, &[&company.id]).await.expect("an audit row");
    assert_eq!(row.get::<_, Value>(0)["revoked"], "refresh_token_reused");
    let events = "select count(*) from events where company_id = $1 and type = 'session.revoked'";
    let row = stack.database().await.query_one(events, &[&company.id]).await.expect("the database answers");
    assert_eq!(row.get::<_, i64>(0), 1);
}

pub async fn unknown_and_expired_refresh_tokens_are_refused(stack: Arc<Stack>) {
    let company = company(&stack).await;
    assert_eq!(refresh(&stack, "ZXhhbXBsZQ").await.problem(401), "refresh_token_invalid");
    let database = stack.database().await;
    let sessions = "select id from sessions where user_id = $1";
    let expire = "update refresh_tokens set expires_at = now() - interval '1 second' where session_id in (select id from sessions where user_id = $1)";
    database.execute(expire, &[&company.admin.id]).await.expect("expires");
    assert_eq!(refresh(&stack, &company.admin.refresh_token).await.problem(401), "refresh_token_invalid");
    assert!(!database.query(sessions, &[&company.admin.id]).await.expect("answers").is_empty());
    // 30 days after its start a session is over, whatever was refreshed.
    let old = "update sessions set expires_at = now() - interval '1 second' where user_id = $1";
    database.execute(old, &[&company.supervisor.id]).await.expect("ages");
    assert_eq!(refresh(&stack, &company.supervisor.refresh_token).await.problem(401), "refresh_token_invalid");
    assert_eq!(company.supervisor.api.get("/auth/me").await.problem(401), "session_revoked");
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
