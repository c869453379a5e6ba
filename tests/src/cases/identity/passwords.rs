//! Passwords: changed by who knows the old one, and set anew by a link.

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Api, Company, Stack, Wanted, authenticator::newcomer, company::text};

use super::refreshing::refresh;
use crate::cases::{canary, contract::sample::log_in};

const NEW: &str = "girafa-azul-42-lenta";

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 1, ..Wanted::default() }).await
}

async fn change(api: &Api, current: &str, new: &str) -> Answer {
    let body = json!({"current_password": current, "new_password": new});
    api.call(Method::PUT, "/users/me/password", Some(body)).await
}

async fn enter(stack: &Stack, email: &str, password: &str) -> Answer {
    stack.api().post("/auth/login", json!({"email": email, "password": password})).await
}

pub async fn who_knows_the_old_one_chooses_another(stack: Arc<Stack>) {
    let company = company(&stack).await;
    for person in [&company.admin, &company.students[0]] {
        let elsewhere = log_in(&stack, person, &company.password).await;
        let socket = {
            let person =
                tests::company::Person { api: stack.api().with_token(text(&elsewhere["access_token"])), ..person.clone() };
            person.socket().await
        };
        change(&person.api, &company.password, NEW).await.expect(204);
        assert_eq!(enter(&stack, &person.email, &company.password).await.problem(401), "credentials_wrong");
        enter(&stack, &person.email, NEW).await.expect(200);
        // This login goes on, the others do not.
        person.api.get("/auth/me").await.expect(200);
        refresh(&stack, &person.refresh_token).await.expect(200);
        let other = stack.api().with_token(text(&elsewhere["access_token"]));
        assert_eq!(other.get("/auth/me").await.problem(401), "session_revoked");
        assert_eq!(refresh(&stack, text(&elsewhere["refresh_token"])).await.problem(401), "refresh_token_invalid");
        socket.closed().await;
    }
    canary::assert_nowhere(&stack, &[NEW], &[]).await;
}

pub async fn the_old_one_is_asked_for_and_counted(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = &company.admin.api;
    for _ in 0..3 {
        assert_eq!(change(api, "não é esta senha", NEW).await.problem(403), "password_wrong");
    }
    // Guesses here and at the door are counted together.
    let guess = json!({"email": company.admin.email, "password": "não é esta senha"});
    for _ in 0..2 {
        assert_eq!(api.post("/auth/login", guess.clone()).await.problem(401), "credentials_wrong");
    }
    assert_eq!(change(api, &company.password, NEW).await.problem(429), "too_many_failures");
    enter(&stack, &company.admin.email, &company.password).await.expect(200);
    // Many at once do not pass one by one either.
    let api = &company.supervisor.api;
    let guesses: Vec<String> = (0..12).map(|number| format!("palpite número {number}")).collect();
    let answers = join_all(guesses.iter().map(|guess| change(api, guess, NEW))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 403).count(), 5);
}

pub async fn of_many_changes_from_one_password_one_is_made(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let person = newcomer(&stack, &company, "agent").await;
    let chosen: Vec<String> = (0..4).map(|number| format!("girafa-azul-42-lenta-{number}")).collect();
    let answers = join_all(chosen.iter().map(|new| change(&person.api, &company.password, new))).await;
    let made: Vec<&String> = chosen.iter().zip(&answers).filter(|(_, answer)| answer.status == 204).map(|(new, _)| new).collect();
    assert_eq!(made.len(), 1);
    assert!(answers.iter().all(|answer| answer.status == 204 || answer.body["code"] == "password_wrong"));
    enter(&stack, &person.email, made[0]).await.expect(200);
}

/// Bcrypt looks at 72 bytes.
pub async fn what_is_beyond_the_first_bytes_of_a_password_counts(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let person = newcomer(&stack, &company, "agent").await;
    let long = format!("{}{}", "ção-girafa-azul-".repeat(6), "fim");
    let other = format!("{}{}", "ção-girafa-azul-".repeat(6), "não");
    assert!(long.len() > 72 + 20 && long.len() == other.len() - 1);
    change(&person.api, &company.password, &long).await.expect(204);
    enter(&stack, &person.email, &long).await.expect(200);
    for near in [&other, &long[..72], &long[..long.len() - 1]] {
        assert_eq!(enter(&stack, &person.email, near).await.problem(401), "credentials_wrong");
    }
    // The longest that is taken, in the longest characters.
    let longest: String = "🦒azul-🦒lenta-".chars().cycle().take(128).collect();
    change(&person.api, &long, &longest).await.expect(204);
    enter(&stack, &person.email, &longest).await.expect(200);
}

pub async fn a_new_one_is_hard_to_guess(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let person = newcomer(&stack, &company, "agent").await;
    let long = "x1".repeat(65);
    let cases = [
        ("curta-123", "too_short"),
        (long.as_str(), "too_long"),
        ("1234567890", "password_too_common"),
        ("Chocolate3", "password_too_common"),
        ("Novata da Silva 2026", "password_too_common"),
        (person.email.as_str(), "password_too_common"),
    ];
    for (password, code) in cases {
        let refused = change(&person.api, &company.password, password).await.expect(422);
        let problem = &refused["errors"][0];
        assert_eq!((text(&problem["field"]), text(&problem["code"])), ("new_password", code), "{password}");
    }
    enter(&stack, &person.email, &company.password).await.expect(200);
    let kept = "select count(*) from users where id = $1 and password_changed_at is null";
    let row = stack.database().await.query_one(kept, &[&person.id]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 1);
}

pub async fn links_are_for_members_and_asked_for_by_admins(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let force = async |api: &Api, id: &str| api.post(&format!("/admin/reset-password/{id}"), Value::Null).await;
    let agent = company.agents[0].id.to_string();
    for person in [&company.supervisor, &company.agents[0], &company.students[0]] {
        assert_eq!(force(&person.api, &agent).await.problem(403), "forbidden");
    }
    assert_eq!(force(&other.admin.api, &agent).await.problem(404), "not_found");
    let leave = "update memberships set status = 'inactive' where user_id = $1";
    stack.database().await.execute(leave, &[&company.supervisor.id]).await.expect("leaves");
    assert_eq!(force(&company.admin.api, &company.supervisor.id.to_string()).await.problem(404), "not_found");
    for _ in 0..3 {
        force(&company.admin.api, &agent).await.expect(204);
    }
    let late = force(&company.admin.api, &agent).await;
    assert_eq!(late.header("retry-after"), Some("1800"));
    assert_eq!(late.problem(429), "too_many_links");
    // Nothing has happened to the person but mails.
    enter(&stack, &company.agents[0].email, &company.password).await.expect(200);
    company.agents[0].api.get("/auth/me").await.expect(200);
    let audited = "select count(*) from audit_log where company_id = $1 and action = 'force_password_reset' and target = $2";
    let row = stack.database().await.query_one(audited, &[&company.id, &agent]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 3);
}

pub async fn it_is_changed_with_the_rest_of_a_person_too(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (agent, student) = (&company.agents[0], &company.students[0]);
    let patch = async |api: &Api, path: &str, body: Value| api.call(Method::PATCH, path, Some(body)).await;
    let own = format!("/users/{}", agent.id);
    let both = json!({"name": "Bruna L.", "password": NEW, "current_password": company.password});
    // One without the other; a wrong one; a guessable one; somebody else's. Nothing of the rest changes.
    for body in [json!({"name": "Outra", "password": NEW}), json!({"name": "Outra", "current_password": company.password})] {
        let refused = patch(&agent.api, &own, body).await.expect(422);
        let codes: Vec<&str> = refused["errors"].as_array().expect("errors").iter().map(|error| text(&error["code"])).collect();
        assert_eq!(codes, ["not_together", "not_together"], "{refused}");
        assert!(refused.to_string().contains("link de redefinição"), "{refused}");
    }
    let wrong = json!({"name": "Outra", "password": NEW, "current_password": "errada"});
    assert_eq!(patch(&agent.api, &own, wrong.clone()).await.problem(403), "password_wrong");
    assert_eq!(patch(&agent.api, "/users/me", wrong).await.problem(403), "password_wrong");
    let weak = json!({"name": "Outra", "password": "1234567890", "current_password": company.password});
    let refused = patch(&agent.api, &own, weak).await.expect(422);
    assert_eq!((text(&refused["errors"][0]["field"]), text(&refused["errors"][0]["code"])), ("password", "password_too_common"));
    for leader in [&company.admin, &company.supervisor] {
        assert_eq!(patch(&leader.api, &own, both.clone()).await.problem(403), "password_is_theirs");
    }
    let stale = agent.api.with_header("if-match", "99");
    assert_eq!(patch(&stale, &own, both.clone()).await.problem(409), "stale_version");
    assert_eq!(agent.api.get("/users/me").await.expect(200)["name"], "Bruna Lima");
    enter(&stack, &agent.email, &company.password).await.expect(200);

    let elsewhere = log_in(&stack, agent, &company.password).await;
    let changed = patch(&agent.api, &own, both).await.expect(200);
    assert_eq!(text(&changed["name"]), "Bruna L.");
    assert_eq!(enter(&stack, &agent.email, &company.password).await.problem(401), "credentials_wrong");
    enter(&stack, &agent.email, NEW).await.expect(200);
    agent.api.get("/auth/me").await.expect(200);
    let other = stack.api().with_token(text(&elsewhere["access_token"]));
    assert_eq!(other.get("/auth/me").await.problem(401), "session_revoked");
    let body = json!({"password": NEW, "current_password": company.password});
    patch(&student.api, "/users/me", body).await.expect(200);
    enter(&stack, &student.email, NEW).await.expect(200);
    canary::assert_nowhere(&stack, &[NEW], &[]).await;
    let sent = "select count(*) from mails where template = 'password_changed' and to_address = any($1)";
    let row = stack.database().await.query_one(sent, &[&vec![&agent.email, &student.email]]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 2);
}
