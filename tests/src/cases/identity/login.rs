//! POST /auth/login

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Answer, Api, Company, Stack, Wanted, company::text};

use crate::cases::contract::sample;

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await
}

fn wrong(company: &Company) -> Value {
    json!({"email": company.admin.email, "password": "não é esta senha"})
}

fn right(company: &Company) -> Value {
    json!({"email": company.admin.email, "password": company.password})
}

/// Fails until locked out; answers after how many tries.
async fn fail_until_locked(api: &Api, body: &Value) -> usize {
    for tries in 0..12 {
        let answer = api.post("/auth/login", body.clone()).await;
        if answer.status == 429 {
            assert_locked(answer);
            return tries;
        }
        assert_eq!(answer.problem(401), "credentials_wrong");
    }
    panic!("twelve failures in a row");
}

fn assert_locked(answer: Answer) {
    let seconds: u32 = answer.header("retry-after").and_then(|seconds| seconds.parse().ok()).expect("seconds");
    assert!((1..=900).contains(&seconds), "{seconds}");
    assert_eq!(answer.problem(429), "too_many_failures");
}

pub async fn a_login_says_who_and_where(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let body = json!({"email": format!(" {} ", company.admin.email.to_uppercase()), "password": company.password});
    let login = stack.api().post("/auth/login", body).await.expect(200);
    assert_eq!(login["user"]["id"], company.admin.id.to_string());
    assert_eq!(login["company"]["id"], company.id.to_string());
    assert_eq!(login["expires_in"], 900);
    assert!(text(&login["refresh_token"]).len() >= 43, "256 bits");
    let session = "
        select ip, user_agent from sessions where user_id = $1 order by created_at desc limit 1";
    let row = stack.database().await.query_one(session, &[&company.admin.id]).await.expect("a session");
    assert!(row.get::<_, Option<String>>(0).is_some_and(|ip| ip.starts_with("10.")));
    let audited = "select count(*) from audit_log where company_id = $1 and user_id = $2 and action = 'start_session'";
    let row = stack.database().await.query_one(audited, &[&company.id, &company.admin.id]).await.expect("the database answers");
    assert!(row.get::<_, i64>(0) >= 2);
}

pub async fn wrong_unknown_and_inactive_are_told_alike(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let known = stack.api().post("/auth/login", wrong(&company)).await.expect(401);
    let body = json!({"email": "ninguem@nenhum-lugar.example", "password": "não é esta senha"});
    let mut unknown = stack.api().post("/auth/login", body).await.expect(401);
    unknown["request_id"] = known["request_id"].clone();
    assert_eq!(known, unknown);
    // A company keeps an admin.
    let stay = "update memberships set role = 'admin' where user_id = $1";
    stack.database().await.execute(stay, &[&company.supervisor.id]).await.expect("an admin stays");
    let leave = "update memberships set status = 'inactive' where user_id = $1";
    stack.database().await.execute(leave, &[&company.admin.id]).await.expect("leaves");
    let mut inactive = stack.api().post("/auth/login", right(&company)).await.expect(401);
    inactive["request_id"] = known["request_id"].clone();
    assert_eq!(known, inactive);
}

pub async fn five_failures_lock_the_account_for_that_address(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = stack.api();
    for _ in 1..=5 {
        assert_eq!(api.post("/auth/login", wrong(&company)).await.problem(401), "credentials_wrong");
    }
    // The sixth, with the right password.
    assert_locked(api.post("/auth/login", right(&company)).await);
    assert_locked(api.post("/auth/login", wrong(&company)).await);
    // Neither another address nor another account suffers.
    stack.api().post("/auth/login", right(&company)).await.expect(200);
    let colleague = json!({"email": company.supervisor.email, "password": company.password});
    api.post("/auth/login", colleague).await.expect(200);
}

pub async fn successes_do_not_count_as_failures(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = stack.api();
    for _ in 0..8 {
        api.post("/auth/login", right(&company)).await.expect(200);
    }
    assert_eq!(fail_until_locked(&api, &wrong(&company)).await, 5);
}

pub async fn many_tries_at_once_are_counted(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = stack.api();
    let answers = join_all((0..14).map(|_| api.post("/auth/login", wrong(&company)))).await;
    let judged = answers.iter().filter(|answer| answer.status == 401).count();
    assert_eq!(judged, 5, "so many passwords were looked at");
}

pub async fn an_inactive_member_cannot_enter(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let leave = "update memberships set status = 'inactive' where company_id = $1 and user_id = $2";
    stack.database().await.execute(leave, &[&company.id, &agent.id]).await.expect("leaves");
    let body = json!({"email": agent.email, "password": company.password});
    let api = stack.api();
    // As a wrong password, which counts.
    assert_eq!(fail_until_locked(&api, &body).await, 5);
    assert_eq!(agent.api.get("/auth/me").await.problem(401), "session_revoked");
    let refreshed = stack.api().post("/auth/refresh", json!({"refresh_token": agent.refresh_token})).await;
    assert_eq!(refreshed.problem(401), "refresh_token_invalid");
}

/// The address is the gateway's word, and one of IPv6 is its whole network's: nobody has but one.
pub async fn what_a_request_says_of_its_way_does_not_evade_the_guard(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut event = sample::read("login");
    event["body"] = json!(wrong(&company).to_string());
    let status = async |source: String, forwarded: String| {
        let mut event = event.clone();
        event["requestContext"]["http"]["sourceIp"] = json!(source);
        for name in ["x-forwarded-for", "forwarded", "x-real-ip", "cf-connecting-ip", "true-client-ip"] {
            event["headers"][name] = json!(forwarded);
        }
        stack.control("POST", "/invoke/Login", Some(event)).await["result"]["statusCode"].clone()
    };
    let unique = uuid::Uuid::new_v4().as_u128();
    let ipv4 = format!("100.{}.{}.{}", 64 + unique % 60, unique >> 8 & 255, unique >> 16 & 255);
    let network = format!("2001:db8:{:x}:{:x}", unique >> 24 & 0xffff, unique >> 40 & 0xffff);
    for number in 1..=6 {
        let expected = if number <= 5 { 401 } else { 429 };
        assert_eq!(status(ipv4.clone(), format!("198.51.100.{number}")).await, expected, "{number}");
        assert_eq!(status(format!("{network}:{number}::{number}"), "::1".into()).await, expected, "{number}");
    }
    // IPv4 that comes as IPv6 is what it is.
    assert_eq!(status(format!("::ffff:{ipv4}"), String::new()).await, 429);
    assert_eq!(status(network.replace("db8", "db9") + "::1", String::new()).await, 401);
}
