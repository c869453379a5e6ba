//! Browsers that are told while no page is open: whose they are, until when, and what their push services get.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer, Api, Company, Stack, Wanted,
    company::{Person, text},
    forge,
};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::cases::contract::privileges::Inside;

/// The browser of RFC 8291, Appendix A: its public key, its private one, and its secret.
const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const PRIVATE: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
/// What is carried to it there.
const CARRIED: &str = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI/c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A/yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj/Qulcy4a+fN";

const PATH: &str = "/notifications/web-push";
const TEST: &str = "/notifications/web-push/test";

/// A browser's id at the sandbox's push service.
pub fn fresh() -> String {
    Uuid::new_v4().simple().to_string()
}

fn endpoint(stack: &Stack, id: &str) -> String {
    format!("{}/push/{id}", stack.addresses.sandbox)
}

/// What a browser gives of itself.
fn browser(stack: &Stack, id: &str) -> Value {
    json!({"endpoint": endpoint(stack, id), "expirationTime": null, "keys": {"p256dh": P256DH, "auth": AUTH}})
}

/// Lets a browser be told.
pub async fn subscribe(stack: &Stack, api: &Api, id: &str) -> Value {
    api.post(PATH, browser(stack, id)).await.expect(200)
}

async fn unsubscribe(api: &Api, body: Value) {
    api.call(Method::DELETE, PATH, Some(body)).await.expect(204);
}

async fn is_subscribed(api: &Api) -> bool {
    api.get(PATH).await.expect(200)["subscribed"] == true
}

/// What the sandbox's push service has taken for a browser.
pub async fn received(stack: &Stack, id: &str) -> Vec<Value> {
    let pushes = stack.control("GET", &format!("/sandbox/push/received?id={id}"), None).await;
    pushes.as_array().cloned().unwrap_or_default()
}

async fn count(stack: &Stack, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> i64 {
    stack.database().await.query_one(sql, parameters).await.expect("a count").get(0)
}

/// Rows of a browser, whoever's.
async fn kept(stack: &Stack, id: &str) -> i64 {
    count(stack, "select count(*) from web_push_subscriptions where endpoint = $1", &[&endpoint(stack, id)]).await
}

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 2, students: 1, ..Wanted::default() }).await
}

/// Another login of somebody's.
async fn again(stack: &Stack, company: &Company, person: &Person) -> Person {
    Person::sign_in(stack, &person.email, &company.password).await.expect("a login")
}

/// What the browser reads, and who has proved to have sent it. `None` where there is no decoder, which `make test` has installed by then.
pub fn opened(push: &Value, token: Option<(&str, &str)>) -> Option<Value> {
    if !Path::new(".venv/installed").exists() {
        eprintln!("SKIPPED: what was sent was not opened: `make .venv/installed` installs the decoder");
        return None;
    }
    let (token, key) = token.unzip();
    let given = json!({"private": PRIVATE, "auth": AUTH, "body": push, "token": token, "key": key});
    let mut decoder = Command::new(".venv/bin/python")
        .arg("tests/push/browser.py")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the decoder starts");
    decoder.stdin.take().expect("its input").write_all(given.to_string().as_bytes()).expect("it reads");
    let output = decoder.wait_with_output().expect("it ends");
    assert!(output.status.success(), "the decoder does not open it, or .venv is older than its requirements");
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

pub async fn web_push_is_opened_by_the_browser_alone(stack: Arc<Stack>) {
    // The decoder opens what the standard carries.
    if let Some(opened) = opened(&json!(CARRIED), None) {
        assert_eq!(opened["plain"], "When I grow up, I want to be a watermelon");
    }
    let company = company(&stack).await;
    for person in [&company.admin, &company.students[0]] {
        let id = fresh();
        let state = person.api.get(PATH).await.expect(200);
        assert_eq!(state["subscribed"], false);
        assert_eq!(person.api.post(TEST, Value::Null).await.problem(404), "not_found");
        subscribe(&stack, &person.api, &id).await;
        assert_eq!(person.api.get(PATH).await.expect(200), json!({"public_key": state["public_key"], "subscribed": true}));
        assert_eq!(person.api.post(TEST, Value::Null).await.expect(200)["outcome"], "delivered");

        let pushes = received(&stack, &id).await;
        let [push] = pushes.as_slice() else { panic!("{pushes:?}") };
        let headers = &push["headers"];
        assert_eq!((&headers["ttl"], &headers["urgency"]), (&json!("300"), &json!("high")));
        assert_eq!(text(&headers["topic"]).len(), 32);
        assert_eq!(push["key"], state["public_key"], "the key that the browser subscribed with");
        let authorization = text(&headers["authorization"]).strip_prefix("vapid t=").expect("vapid");
        let (token, key) = authorization.split_once(", k=").expect("a token and a key");
        let Some(opened) = opened(&push["body"], Some((token, key))) else { continue };
        let claims = &opened["claims"];
        assert_eq!((&claims["aud"], &claims["sub"]), (&json!(stack.addresses.sandbox), &json!("mailto:suporte@balcao.example")));
        let left = claims["exp"].as_i64().expect("an end") - jiff::Timestamp::now().as_second();
        assert!((1..=86_400).contains(&left), "{left}");
        let notice: Value = serde_json::from_str(text(&opened["plain"])).expect("JSON");
        assert!(text(&notice["id"]).parse::<Uuid>().is_ok(), "{notice}");
        let rest = json!({"id": notice["id"], "type": "test", "title": "As notificações funcionam", "url": "/", "badge": 0, "sound": true});
        assert_eq!(notice, rest);
    }
}

pub async fn web_push_of_one_browser_again_is_kept_anew(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (person, id) = (&company.agents[0], fresh());
    let first = subscribe(&stack, &person.api, &id).await;
    assert_eq!(first["device"], Value::Null);
    // After another login, with a name and an end.
    let later = again(&stack, &company, person).await;
    let mut browser = browser(&stack, &id);
    browser["device"] = json!("Notebook da recepção");
    browser["expirationTime"] = json!(4_102_444_800_000_i64);
    let second = later.api.post(PATH, browser).await.expect(200);
    assert_eq!((&second["id"], &second["created_at"]), (&first["id"], &first["created_at"]));
    assert_eq!(second["device"], "Notebook da recepção");
    assert!(text(&second["refreshed_at"]) > text(&first["refreshed_at"]), "{second}");
    assert_eq!(kept(&stack, &id).await, 1);
    // It is the later session's now.
    assert_eq!((is_subscribed(&person.api).await, is_subscribed(&later.api).await), (false, true));
    person.api.post("/auth/logout", Value::Null).await.expect(204);
    assert_eq!(later.api.post(TEST, Value::Null).await.expect(200)["outcome"], "delivered");
    // By its address, or whatever the session has.
    unsubscribe(&later.api, json!({"endpoint": endpoint(&stack, &id)})).await;
    assert_eq!(kept(&stack, &id).await, 0);
    subscribe(&stack, &later.api, &id).await;
    unsubscribe(&later.api, json!({})).await;
    unsubscribe(&later.api, json!({})).await;
    assert_eq!((kept(&stack, &id).await, is_subscribed(&later.api).await), (0, false));
    // What has ended by itself is told nothing.
    let mut over = self::browser(&stack, &id);
    over["expirationTime"] = json!(1_000);
    later.api.post(PATH, over).await.expect(200);
    assert_eq!(later.api.post(TEST, Value::Null).await.problem(404), "not_found");
}

pub async fn web_push_is_whose_who_subscribed_last(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let id = fresh();
    let people = [&company.agents[0], &company.agents[1], &other.students[0], &other.admin];
    for (number, person) in people.iter().enumerate() {
        subscribe(&stack, &person.api, &id).await;
        assert_eq!(kept(&stack, &id).await, 1);
        for (other_number, somebody) in people.iter().enumerate() {
            assert_eq!(is_subscribed(&somebody.api).await, number == other_number, "{number} {other_number}");
            if number != other_number {
                assert_eq!(somebody.api.post(TEST, Value::Null).await.problem(404), "not_found");
                // Nobody takes it from its owner but by subscribing.
                unsubscribe(&somebody.api, json!({"endpoint": endpoint(&stack, &id)})).await;
                unsubscribe(&somebody.api, json!({})).await;
            }
        }
        assert_eq!(person.api.post(TEST, Value::Null).await.expect(200)["outcome"], "delivered");
    }
    assert_eq!(received(&stack, &id).await.len(), people.len());
    // Who writes past the function is stopped by the table.
    let insert = "
        insert into web_push_subscriptions (id, company_id, user_id, session_id, endpoint, endpoint_hash, p256dh, auth, server_key, refreshed_at)
        select gen_random_uuid(), $1, $2, sessions.id, endpoint, endpoint_hash, p256dh, auth, server_key, now()
          from web_push_subscriptions, (select id from sessions where user_id = $2 limit 1) sessions
         where endpoint = $3";
    let database = stack.database().await;
    let refused =
        database.execute(insert, &[&company.id, &company.admin.id, &endpoint(&stack, &id)]).await.expect_err("a second owner");
    let refused = refused.as_db_error().and_then(|error| error.constraint().map(str::to_owned));
    assert_eq!(refused.as_deref(), Some("web_push_subscriptions_one_person"));
}

pub async fn web_push_of_two_people_at_once_is_one_persons(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    for round in 0..30 {
        let id = fresh();
        let (one, two) =
            if round % 2 == 0 { (&company.admin, &company.agents[0]) } else { (&company.agents[0], &other.students[0]) };
        let both = [&one.api, &two.api, &one.api, &two.api];
        join_all(both.map(|api| subscribe(&stack, api, &id))).await;
        assert_eq!(kept(&stack, &id).await, 1);
        let whose = "select user_id from web_push_subscriptions where endpoint = $1";
        let row = stack.database().await.query_one(whose, &[&endpoint(&stack, &id)]).await.expect("its owner");
        assert!([one.id, two.id].contains(&row.get(0)));
        unsubscribe(&one.api, json!({})).await;
        unsubscribe(&two.api, json!({})).await;
    }
}

pub async fn web_push_of_one_person_in_two_companies_is_both(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let (person, id) = (&company.agents[0], fresh());
    let join = "insert into memberships (company_id, user_id, role, status) values ($1, $2, 'agent', 'active')";
    stack.database().await.execute(join, &[&other.id, &person.id]).await.expect("joins");
    let path = format!("/auth/companies/{}/select", other.id);
    let selected = person.api.post(&path, Value::Null).await.expect(200);
    let there = stack.api().with_token(text(&selected["access_token"]));
    subscribe(&stack, &person.api, &id).await;
    subscribe(&stack, &there, &id).await;
    assert_eq!((is_subscribed(&person.api).await, is_subscribed(&there).await, kept(&stack, &id).await), (true, true, 2));
    for api in [&person.api, &there] {
        assert_eq!(api.post(TEST, Value::Null).await.expect(200)["outcome"], "delivered");
    }
    // Of somebody else it is in neither any more, and a push service that has lost it has both forgotten.
    subscribe(&stack, &company.admin.api, &id).await;
    assert_eq!((is_subscribed(&person.api).await, is_subscribed(&there).await, kept(&stack, &id).await), (false, false, 1));
    // A login ends in all companies.
    subscribe(&stack, &person.api, &id).await;
    subscribe(&stack, &there, &id).await;
    there.post("/auth/logout", Value::Null).await.expect(204);
    assert_eq!(kept(&stack, &id).await, 0);
}

pub async fn web_push_is_for_twenty_browsers_of_a_person(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (person, ids) = (&company.agents[0], (0..21).map(|_| fresh()).collect::<Vec<_>>());
    subscribe(&stack, &company.agents[1].api, &fresh()).await;
    for id in &ids[..20] {
        subscribe(&stack, &person.api, id).await;
    }
    // The first one was kept anew: the second is the oldest.
    subscribe(&stack, &person.api, &ids[0]).await;
    subscribe(&stack, &person.api, &ids[20]).await;
    let of_person = "select count(*) from web_push_subscriptions where company_id = $1 and user_id = $2";
    assert_eq!(count(&stack, of_person, &[&company.id, &person.id]).await, 20);
    assert_eq!((kept(&stack, &ids[0]).await, kept(&stack, &ids[1]).await, kept(&stack, &ids[2]).await), (1, 0, 1));
    // However many come at once.
    join_all((0..12).map(|_| async { subscribe(&stack, &person.api, &fresh()).await })).await;
    assert_eq!(count(&stack, of_person, &[&company.id, &person.id]).await, 20);
    assert_eq!(count(&stack, of_person, &[&company.id, &company.agents[1].id]).await, 1);
}

pub async fn web_push_ends_with_its_session(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (agent, admin) = (&company.agents[0], &company.admin);
    // Another login goes on.
    let stays = again(&stack, &company, agent).await;
    let staying = fresh();
    subscribe(&stack, &stays.api, &staying).await;

    let left = again(&stack, &company, agent).await;
    let id = fresh();
    subscribe(&stack, &left.api, &id).await;
    left.api.post("/auth/logout", Value::Null).await.expect(204);
    assert_eq!(kept(&stack, &id).await, 0, "signed out");

    let revoked = again(&stack, &company, agent).await;
    subscribe(&stack, &revoked.api, &id).await;
    let sessions = revoked.api.get("/auth/sessions").await.expect(200);
    let sessions = sessions["data"].as_array().cloned().unwrap_or_default();
    let current = sessions.iter().find(|session| session["is_current"] == true).expect("the login");
    stays.api.call(Method::DELETE, &format!("/auth/sessions/{}", text(&current["id"])), None).await.expect(204);
    assert_eq!(kept(&stack, &id).await, 0, "ended from another login");
    assert_eq!(kept(&stack, &staying).await, 1);

    for person in [&stays, &company.students[0]] {
        subscribe(&stack, &person.api, &id).await;
        admin.api.post(&format!("/admin/deactivate-user/{}", person.id), json!({})).await.expect(200);
        assert_eq!(kept(&stack, &id).await, 0, "deactivated");
    }
    assert_eq!(kept(&stack, &staying).await, 0);

    // By the clock alone a session is over before anybody ends it: its browser is told nothing.
    subscribe(&stack, &admin.api, &id).await;
    let database = stack.database().await;
    let told = async || {
        database.batch_execute("begin").await.expect("begins");
        database.execute("select set_config('app.company_id', $1, true)", &[&company.id.to_string()]).await.expect("enters");
        let row = database.query_one("select count(*) from app.web_push_of($1)", &[&admin.id]).await.expect("a count");
        database.batch_execute("rollback").await.expect("ends");
        row.get::<_, i64>(0)
    };
    assert_eq!(told().await, 1);
    let claims = forge::claims_of(admin.api.token.as_deref().unwrap_or_default());
    let session: Uuid = text(&claims["sid"]).parse().expect("a session");
    database.execute("update sessions set expires_at = now() where id = $1", &[&session]).await.expect("ends");
    assert_eq!(told().await, 0);
}

pub async fn web_push_ends_however_late_it_was_asked_for(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut outcomes = [0, 0];
    for round in 0..25 {
        let person = again(&stack, &company, &company.agents[round % 2]).await;
        let id = fresh();
        let subscribing = person.api.post(PATH, browser(&stack, &id));
        let leaving = person.api.post("/auth/logout", Value::Null);
        let (subscribed, left): (Answer, Answer) = if round % 4 < 2 {
            join(subscribing, leaving).await
        } else {
            let (left, subscribed) = join(leaving, subscribing).await;
            (subscribed, left)
        };
        assert_eq!(left.status, 204, "{}", left.body);
        if subscribed.status == 200 {
            outcomes[0] += 1;
        } else {
            assert_eq!(subscribed.problem(401), "session_revoked");
            outcomes[1] += 1;
        }
        assert_eq!(kept(&stack, &id).await, 0, "round {round}");
    }
    println!("subscribed before the end {}, after it {}", outcomes[0], outcomes[1]);
}

pub async fn web_push_is_for_browsers_only(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let good = browser(&stack, &fresh());
    let beside = P256DH.replace("iw4", "iw8");
    for (pointer, value, field, code) in [
        ("/endpoint", json!("https://10.0.0.1/push/1"), "endpoint", "not_public"),
        ("/endpoint", json!("https://[fd00:ec2::254]/push/1"), "endpoint", "not_public"),
        ("/endpoint", json!("https://localhost/push/1"), "endpoint", "not_public"),
        ("/endpoint", json!("https://169.254.169.254/latest"), "endpoint", "not_public"),
        ("/endpoint", json!("http://push.exemplo.com.br/1"), "endpoint", "not_encrypted"),
        ("/endpoint", json!("https://ana:senha@push.exemplo.com.br/1"), "endpoint", "invalid_address"),
        ("/endpoint", json!("push"), "endpoint", "invalid_address"),
        ("/endpoint", json!("ftp://push.exemplo.com.br/1"), "endpoint", "invalid_address"),
        ("/endpoint", json!(""), "endpoint", "required"),
        ("/endpoint", json!(format!("https://push.exemplo.com.br/{}", "x".repeat(2000))), "endpoint", "too_long"),
        ("/endpoint", json!(7), "endpoint", "invalid_type"),
        ("/keys/p256dh", json!(beside), "keys.p256dh", "invalid_key"),
        ("/keys/p256dh", json!(format!("{}=", &P256DH[..86])), "keys.p256dh", "invalid_key"),
        ("/keys/p256dh", json!("A".repeat(87)), "keys.p256dh", "invalid_key"),
        ("/keys/p256dh", json!(P256DH.replace('-', "+")), "keys.p256dh", "invalid_key"),
        ("/keys/p256dh", json!(AUTH), "keys.p256dh", "too_short"),
        ("/keys/auth", json!(&AUTH[..20]), "keys.auth", "too_short"),
        ("/keys/auth", json!(format!("{AUTH}AA")), "keys.auth", "invalid_key"),
        ("/keys/auth", json!(AUTH.replace('_', "/")), "keys.auth", "invalid_key"),
        ("/keys", json!({"p256dh": P256DH}), "keys.auth", "required"),
        ("/expirationTime", json!(-1), "expiration_time", "too_small"),
        ("/expirationTime", json!("nunca"), "expiration_time", "invalid_type"),
        ("/device", json!("\u{200b}"), "device", "hidden_characters"),
        ("/device", json!("x".repeat(101)), "device", "too_long"),
        ("/user_id", json!(company.admin.id), "user_id", "unknown_field"),
    ] {
        let mut body = good.clone();
        match body.pointer_mut(pointer) {
            Some(place) => *place = value.clone(),
            None => body[&pointer[1..]] = value.clone(),
        }
        let refused = company.agents[0].api.post(PATH, body).await.expect(422);
        let problem = &refused["errors"][0];
        assert_eq!((text(&problem["field"]), text(&problem["code"])), (field, code), "{pointer} {value}: {refused}");
    }
    let nobodys = "select count(*) from web_push_subscriptions where company_id = $1";
    assert_eq!(count(&stack, nobodys, &[&company.id]).await, 0);
    assert_eq!(stack.api().post(PATH, good).await.problem(401), "token_missing");
    let long = json!({"endpoint": "x".repeat(2001)});
    company.agents[0].api.call(Method::DELETE, PATH, Some(long)).await.expect(422);
}

pub async fn web_push_services_are_believed(stack: Arc<Stack>) {
    let company = company(&stack).await;
    // In turns: one person tests twenty times in a minute.
    let turns = AtomicUsize::new(0);
    let fails = async |fault: Value, outcome: &str, reason: Value, retry_after: Value, stays: i64| {
        let (person, id) = (&company.agents[turns.fetch_add(1, Ordering::Relaxed) % 2], fresh());
        subscribe(&stack, &person.api, &id).await;
        let mut order = fault.clone();
        (order["target"], order["to"], order["times"]) = (json!("push"), json!(id), json!(1));
        stack.control("POST", "/sandbox/faults", Some(order)).await;
        let start = Instant::now();
        let test = person.api.post(TEST, Value::Null).await.expect(200);
        assert_eq!(test, json!({"outcome": outcome, "reason": reason, "retry_after": retry_after}), "{fault}");
        assert_eq!((kept(&stack, &id).await, received(&stack, &id).await.len()), (stays, 0), "{fault}");
        if stays == 1 {
            assert_eq!(person.api.post(TEST, Value::Null).await.expect(200)["outcome"], "delivered", "{fault}: it works again");
        } else {
            assert!(!is_subscribed(&person.api).await);
        }
        unsubscribe(&person.api, json!({})).await;
        start.elapsed()
    };
    let status = |status: u16| json!({"kind": "error", "status": status});
    fails(status(410), "gone", Value::Null, Value::Null, 0).await;
    fails(status(404), "gone", Value::Null, Value::Null, 0).await;
    fails(json!({"kind": "error", "status": 429, "retry_after": 120}), "busy", Value::Null, json!(120), 1).await;
    fails(status(429), "busy", Value::Null, json!(60), 1).await;
    fails(status(500), "busy", Value::Null, json!(60), 1).await;
    fails(json!({"kind": "error", "status": 503, "retry_after": 5}), "busy", Value::Null, json!(5), 1).await;
    fails(json!({"kind": "refuse"}), "busy", Value::Null, json!(60), 1).await;
    fails(status(413), "too_large", Value::Null, Value::Null, 1).await;
    fails(status(400), "refused", json!("400"), Value::Null, 1).await;
    fails(status(401), "refused", json!("401"), Value::Null, 1).await;
    fails(status(403), "refused", json!("403"), Value::Null, 1).await;
    let took = fails(json!({"kind": "timeout"}), "busy", Value::Null, json!(60), 1).await;
    assert!((Duration::from_secs(9)..Duration::from_secs(15)).contains(&took), "{took:?}");
}

pub async fn web_push_leads_out_of_our_networks(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (person, database) = (&company.agents[0], stack.database().await);
    let point = "update web_push_subscriptions set endpoint = $2 where user_id = $1";
    subscribe(&stack, &person.api, &fresh()).await;
    // Whatever a name stood for when it was given, and whoever wrote it.
    for (endpoint, outcome, reason) in [
        ("https://10.0.0.1/push/1", "refused", json!("not_public")),
        ("https://169.254.169.254/latest", "refused", json!("not_public")),
        ("http://8.8.8.8/push/1", "refused", json!("not_encrypted")),
        ("https://nao-existe.invalid/push/1", "busy", Value::Null),
        ("nada", "refused", json!("invalid_address")),
    ] {
        database.execute(point, &[&person.id, &endpoint]).await.expect("points elsewhere");
        let test = person.api.post(TEST, Value::Null).await.expect(200);
        assert_eq!((text(&test["outcome"]), &test["reason"]), (outcome, &reason), "{endpoint}");
    }
    // Of a browser that has subscribed with another key of ours its push service would take nothing.
    subscribe(&stack, &person.api, &fresh()).await;
    database
        .execute("update web_push_subscriptions set server_key = 'outra' where user_id = $1", &[&person.id])
        .await
        .expect("another key");
    let test = person.api.post(TEST, Value::Null).await.expect(200);
    assert_eq!((text(&test["outcome"]), text(&test["reason"])), ("refused", "another_key"));
    assert!(!is_subscribed(&person.api).await, "a front end is told to subscribe anew");
}

pub async fn web_push_addresses_are_shown_to_nobody(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let (agent, student) = (&company.agents[0], &company.students[0]);
    let ids = [fresh(), fresh(), fresh()];
    let mut answers = vec![
        subscribe(&stack, &agent.api, &ids[0]).await,
        subscribe(&stack, &student.api, &ids[1]).await,
        subscribe(&stack, &other.agents[0].api, &ids[2]).await,
    ];
    for api in [&agent.api, &student.api] {
        answers.push(api.get(PATH).await.expect(200));
    }
    // A refused one is in the log with its host.
    let refuse = json!({"target": "push", "to": ids[0], "kind": "error", "status": 403, "times": 1});
    stack.control("POST", "/sandbox/faults", Some(refuse)).await;
    answers.push(agent.api.post(TEST, Value::Null).await.expect(200));
    let audited = "select coalesce(string_agg(audit_log::text, ' '), '') from audit_log where company_id = $1";
    let audited: String = stack.database().await.query_one(audited, &[&company.id]).await.expect("the audit").get(0);
    assert!(audited.contains("subscribe_web_push"));
    answers.push(json!(audited));
    let logs = PathBuf::from(&stack.directory).join("logs");
    let logs: Vec<String> = ["SubscribeWebPush", "GetWebPush", "TestWebPush"]
        .iter()
        .map(|function| std::fs::read_to_string(logs.join(format!("{function}.log"))).expect("a log"))
        .collect();
    assert!(logs[2].contains("a push was refused") && logs[2].contains("127.0.0.1: 403"), "{}", logs[2]);
    answers.push(json!(logs));
    for answer in answers {
        assert!(ids.iter().all(|id| !answer.to_string().contains(id)), "{answer}");
    }
    // In the database each sees that there is one of theirs, and no more of it.
    for (inside, role) in [(agent, "agent"), (student, "student"), (&company.admin, "admin")] {
        let rows = u64::from(role != "admin");
        let inside = Inside::enter(&stack, &company, inside, role).await;
        inside.changes(rows, "select id, user_id, session_id, server_key from web_push_subscriptions", &[]).await;
        inside.changes(rows, "delete from web_push_subscriptions", &[]).await;
        for sql in [
            "select endpoint from web_push_subscriptions",
            "select p256dh from web_push_subscriptions",
            "select auth from web_push_subscriptions",
            "select * from app.web_push_of(app.user_id())",
            "update web_push_subscriptions set session_id = app.session_id()",
            "insert into web_push_subscriptions (id) values (gen_random_uuid())",
        ] {
            inside.is_refused(sql, &[]).await;
        }
    }
}

/// A stage without a key pair: what is not there is said, and nothing else lacks it.
pub async fn web_push_without_a_key_is_off(stack: Arc<Stack>) {
    let directory = PathBuf::from(".local/tests-without-web-push");
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).expect("a folder");
    let mut settings = forge::settings(&stack).await;
    settings["web_push"] = Value::Null;
    std::fs::write(directory.join("parameters.json"), settings.to_string()).expect("settings");
    let program = std::env::current_exe().expect("a path");
    let binaries = program.parent().expect("a folder");
    let without = Stack::start_kept(&directory, binaries, &["--no-throttle"]).await.expect("a stack starts");
    let company = without.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let api = &company.agents[0].api;
    assert_eq!(api.get(PATH).await.problem(409), "web_push_off");
    assert_eq!(api.post(PATH, browser(&without, &fresh())).await.problem(409), "web_push_off");
    assert_eq!(api.post(TEST, Value::Null).await.problem(409), "web_push_off");
    unsubscribe(api, json!({})).await;
    api.get("/auth/me").await.expect(200);
    without.stop().await;
    let _ = std::fs::remove_dir_all(&directory);
}
