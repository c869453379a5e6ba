//! A person's logins on their devices: seen, ended one by one or all others, over when nobody uses them.

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer, Api, Company, Stack, Wanted,
    company::{Person, text},
    forge,
};
use uuid::Uuid;

use super::refreshing::refresh;
use crate::cases::contract::sample::log_in;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0";

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 1, ..Wanted::default() }).await
}

/// Another login of a person's, with a device of its own.
async fn with_device(stack: &Stack, company: &Company, person: &Person, user_agent: &str) -> Person {
    let login = json!({"email": person.email, "password": company.password});
    let device = stack.api().with_header("user-agent", user_agent);
    let login = device.post("/auth/login", login).await.expect(200);
    let api = device.with_token(text(&login["access_token"]));
    Person { api, refresh_token: text(&login["refresh_token"]).to_owned(), ..person.clone() }
}

async fn logins(api: &Api) -> Vec<Value> {
    api.get("/auth/sessions").await.expect(200)["data"].as_array().cloned().expect("rows")
}

async fn end(api: &Api, id: &Value) -> Answer {
    api.call(Method::DELETE, &format!("/auth/sessions/{}", text(id)), None).await
}

async fn is_over(stack: &Stack, person: &Person) {
    assert_eq!(person.api.get("/auth/me").await.problem(401), "session_revoked");
    assert_eq!(refresh(stack, &person.refresh_token).await.problem(401), "refresh_token_invalid");
}

pub async fn devices_are_seen_with_their_place(stack: Arc<Stack>) {
    let company = company(&stack).await;
    for person in [&company.admin, &company.students[0]] {
        let before = logins(&person.api).await.len();
        let other = with_device(&stack, &company, person, FIREFOX).await;
        let seen = logins(&other.api).await;
        assert_eq!(seen.len(), before + 1, "{seen:?}");
        assert!(seen.iter().enumerate().all(|(place, login)| login["is_current"] == (place == 0)), "{seen:?}");
        assert_eq!(seen[0]["device"], json!({"kind": "computer", "browser": "Firefox", "system": "Linux"}));
        assert_eq!(seen[0]["user_agent"], FIREFOX);
        assert_eq!(seen[0]["ip"], other.api.address.to_string());
        assert_eq!(seen[0]["company_names"].as_array().map(Vec::len), Some(1));
        let mine = logins(&person.api).await;
        assert!(mine[0]["is_current"] == true && mine[0]["id"] != seen[0]["id"]);
        assert!(mine.iter().any(|login| login["id"] == seen[0]["id"] && login["is_current"] == false));
    }
    // One login, whatever companies it has entered.
    let second = self::company(&stack).await;
    let join = "insert into memberships (company_id, user_id, role) values ($1, $2, 'agent')";
    stack.database().await.execute(join, &[&second.id, &company.admin.id]).await.expect("joins");
    let before = logins(&company.admin.api).await;
    let select = format!("/auth/companies/{}/select", second.id);
    let selected = company.admin.api.post(&select, Value::Null).await.expect(200);
    let there = stack.api().with_token(text(&selected["access_token"]));
    let seen = logins(&there).await;
    assert_eq!((seen.len(), &seen[0]["id"]), (before.len(), &before[0]["id"]));
    assert_eq!(seen[0]["company_names"].as_array().map(Vec::len), Some(1), "both have the same name");
}

pub async fn one_of_them_is_ended_at_once_everywhere(stack: Arc<Stack>) {
    let (company, second) = (company(&stack).await, company(&stack).await);
    let join = "insert into memberships (company_id, user_id, role) values ($1, $2, 'agent')";
    stack.database().await.execute(join, &[&second.id, &company.admin.id]).await.expect("joins");
    let lost = with_device(&stack, &company, &company.admin, FIREFOX).await;
    let selected = lost.api.post(&format!("/auth/companies/{}/select", second.id), Value::Null).await.expect(200);
    let api = stack.api().with_token(text(&selected["access_token"]));
    let lost_there = Person { api, refresh_token: text(&selected["refresh_token"]).to_owned(), ..lost.clone() };
    let sockets = [lost.socket().await, lost_there.socket().await];
    let id = logins(&lost.api).await[0]["id"].clone();
    // It is nobody else's to end.
    for stranger in [&company.supervisor, &company.students[0], &second.admin] {
        assert_eq!(end(&stranger.api, &id).await.problem(404), "not_found");
    }
    assert_eq!(end(&company.admin.api, &json!(Uuid::nil())).await.problem(404), "not_found");
    let ends = join_all((0..6).map(|_| end(&company.admin.api, &id))).await;
    assert_eq!(ends.iter().filter(|answer| answer.status == 204).count(), 1);
    assert!(ends.iter().all(|answer| [204, 404].contains(&answer.status)));
    for person in [&lost, &lost_there] {
        is_over(&stack, person).await;
    }
    for socket in sockets {
        socket.closed().await;
    }
    company.admin.api.get("/auth/me").await.expect(200);
    for of in [&company, &second] {
        let told =
            "select count(*) from events where company_id = $1 and type = 'session.revoked' and data ->> 'reason' = 'revoked'";
        let row = stack.database().await.query_one(told, &[&of.id]).await.expect("a count");
        assert_eq!(row.get::<_, i64>(0), 1);
    }
    // One's own is a logout.
    let own = logins(&company.admin.api).await[0]["id"].clone();
    end(&company.admin.api, &own).await.expect(204);
    is_over(&stack, &company.admin).await;
}

pub async fn all_others_are_ended_and_this_one_goes_on(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(with_device(&stack, &company, &company.admin, FIREFOX).await);
    }
    let here = others[0].socket().await;
    let mine = company.admin.socket().await;
    let all = company.admin.api.call(Method::DELETE, "/auth/sessions", None).await;
    all.expect(204);
    for other in &others {
        is_over(&stack, other).await;
    }
    here.closed().await;
    assert_eq!(logins(&company.admin.api).await.len(), 1);
    refresh(&stack, &company.admin.refresh_token).await.expect(200);
    // Colleagues have nothing to do with it, and there is nothing left to end.
    company.supervisor.api.get("/auth/me").await.expect(200);
    company.admin.api.call(Method::DELETE, "/auth/sessions", None).await.expect(204);
    company.admin.api.post("/realtime/tickets", json!({})).await.expect(201);
    drop(mine);
}

fn session_of(person: &Person) -> Uuid {
    let claims = forge::claims_of(person.api.token.as_deref().unwrap_or_default());
    text(&claims["sid"]).parse().expect("a session")
}

async fn idle_for(stack: &Stack, person: &Person, minutes: i32) {
    let idle = "update sessions set last_seen_at = now() - make_interval(mins => $2) where id = $1";
    stack.database().await.execute(idle, &[&session_of(person), &minutes]).await.expect("time passes");
}

pub async fn what_nobody_uses_is_over_when_the_company_says(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let database = stack.database().await;
    let set = "update companies set idle_minutes = $2 where id = $1";
    for (minutes, idle) in [(30, 31), (480, 481)] {
        database.execute(set, &[&company.id, &Some(minutes)]).await.expect("it is set");
        let person = with_device(&stack, &company, &company.admin, FIREFOX).await;
        idle_for(&stack, &person, idle - 2).await;
        person.api.get("/auth/me").await.expect(200);
        // A refresh is a use, and so is what is done; what is looked at is not kept, and comes with a refresh every quarter of an hour.
        let pair = refresh(&stack, &person.refresh_token).await.expect(200);
        let person = Person { refresh_token: text(&pair["refresh_token"]).to_owned(), ..person };
        idle_for(&stack, &person, idle - 2).await;
        let name = format!("Setor {}", Uuid::new_v4().simple());
        person.api.post("/departments", json!({"name": name})).await.expect(201);
        let seen = "select last_seen_at > now() - interval '1 minute' from sessions where id = $1";
        assert!(database.query_one(seen, &[&session_of(&person)]).await.expect("a time").get::<_, bool>(0));
        let before = logins(&company.admin.api).await.len();
        idle_for(&stack, &person, idle).await;
        assert_eq!(logins(&company.admin.api).await.len(), before - 1);
        is_over(&stack, &person).await;
    }
    // A socket goes on by itself, whoever sits before it: the sweep closes it.
    let person = with_device(&stack, &company, &company.admin, FIREFOX).await;
    let (left, used) = (person.socket().await, company.supervisor.socket().await);
    idle_for(&stack, &person, 481).await;
    stack.control("POST", "/fire/SweepExpired", None).await;
    left.closed().await;
    is_over(&stack, &person).await;
    company.supervisor.api.get("/auth/me").await.expect(200);
    drop(used);
    let told = "select count(*) from events where company_id = $1 and type = 'session.revoked' and data ->> 'reason' = 'idle'";
    assert_eq!(database.query_one(told, &[&company.id]).await.expect("a count").get::<_, i64>(0), 1);
    // Other companies have their own rule, and none is none.
    idle_for(&stack, &other.admin, 2000).await;
    other.admin.api.get("/auth/me").await.expect(200);
    refresh(&stack, &other.admin.refresh_token).await.expect(200);
    let odd = database.execute(set, &[&company.id, &Some(5)]).await.expect_err("no such rule");
    assert!(odd.as_db_error().is_some());
}

/// Whatever is refreshed.
pub async fn a_login_ends_after_thirty_days(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let pair = refresh(&stack, &company.admin.refresh_token).await.expect(200);
    let end = "select bool_and(expires_at <= created_at + interval '30 days') from sessions where user_id = $1";
    let row = stack.database().await.query_one(end, &[&company.admin.id]).await.expect("an end");
    assert!(row.get::<_, bool>(0));
    let over = "update sessions set expires_at = now() where user_id = $1";
    stack.database().await.execute(over, &[&company.admin.id]).await.expect("time passes");
    assert_eq!(refresh(&stack, text(&pair["refresh_token"])).await.problem(401), "refresh_token_invalid");
    log_in(&stack, &company.admin, &company.password).await;
}
