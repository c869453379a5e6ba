//! POST /auth/register

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Stack, Wanted, company::text, eventually};
use uuid::Uuid;

use crate::cases::contract::tenancy::as_app;

const PASSWORD: &str = "girafa-azul-42-lenta";

fn fresh_email() -> String {
    format!("pessoa.{}@example.com", Uuid::new_v4().simple())
}

fn own_company(email: &str) -> Value {
    json!({"name": "Ana Souza", "email": email, "password": PASSWORD, "company_name": "Mentoria São João"})
}

pub async fn a_new_company_has_its_first_admin(stack: Arc<Stack>) {
    let email = fresh_email();
    let registered = stack.api().post("/auth/register", own_company(&email.to_uppercase())).await.expect(202);
    assert_eq!(registered, json!({"status": "check_your_login", "awaits_approval": false}));
    let login = stack.api().post("/auth/login", json!({"email": email, "password": PASSWORD})).await.expect(200);
    assert_eq!((text(&login["user"]["email"]), text(&login["user"]["role"])), (email.as_str(), "admin"));
    assert_eq!(text(&login["company"]["name"]), "Mentoria São João");
    assert!(text(&login["company"]["slug"]).starts_with("mentoria-sao-joao"), "{login}");
    let api = stack.api().with_token(text(&login["access_token"]));
    let users = api.get("/users").await.expect(200);
    assert_eq!(users["pagination"]["total"], 1);
}

pub async fn a_member_to_be_waits_for_approval(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let email = fresh_email();
    let body = json!({"name": "Bia", "email": email, "password": PASSWORD, "company_slug": company.slug.to_uppercase()});
    let registered = stack.api().post("/auth/register", body).await.expect(202);
    assert_eq!(registered["awaits_approval"], true);
    let login = json!({"email": email, "password": PASSWORD});
    assert_eq!(stack.api().post("/auth/login", login.clone()).await.problem(403), "pending_approval");
    let users = company.admin.api.get("/users?limit=100").await.expect(200);
    assert!(!users.to_string().contains(&email));
    let approve = "update memberships set status = 'active' where company_id = $1 and status = 'pending_approval'";
    stack.database().await.execute(approve, &[&company.id]).await.expect("approves");
    let entered = stack.api().post("/auth/login", login).await.expect(200);
    assert_eq!(entered["user"]["role"], "agent");
}

pub async fn a_known_email_changes_nothing_and_is_not_told(stack: Arc<Stack>) {
    let email = fresh_email();
    let first = stack.api().post("/auth/register", own_company(&email)).await;
    let mut again = own_company(&email);
    again["password"] = json!("outra-senha-bem-longa-7");
    let second = stack.api().post("/auth/register", again).await;
    let unlike = ["apigw-requestid", "date"];
    let headers = |answer: &tests::Answer| {
        let names = answer.headers.keys().map(|name| name.as_str().to_owned());
        names.filter(|name| !unlike.contains(&name.as_str())).collect::<Vec<_>>()
    };
    assert_eq!(headers(&first), headers(&second));
    assert_eq!(first.expect(202), second.expect(202));
    stack.api().post("/auth/login", json!({"email": email, "password": PASSWORD})).await.expect(200);
    let companies = "select count(*) from memberships join users on users.id = user_id where email = $1";
    let row = stack.database().await.query_one(companies, &[&email]).await.expect("the database answers");
    assert_eq!(row.get::<_, i64>(0), 1);
}

pub async fn guessable_passwords_are_refused(stack: Arc<Stack>) {
    let email = format!("beatriz.moraes.{}@example.com", Uuid::new_v4().simple());
    let cases = [
        ("curta-123", "too_short"),
        ("1234567890", "password_too_common"),
        ("aaaaaaaaaaaa", "password_too_common"),
        ("abcabcabcabc", "password_too_common"),
        ("abcdefghijkl", "password_too_common"),
        (email.as_str(), "password_too_common"),
    ];
    for (password, code) in cases {
        let body = json!({"name": "Beatriz Moraes", "email": email, "password": password, "company_name": "X"});
        let refused = stack.api().post("/auth/register", body).await.expect(422);
        let errors = refused["errors"].as_array().cloned().unwrap_or_default();
        assert!(errors.iter().any(|error| error["field"] == "password" && error["code"] == code), "{password}: {refused}");
    }
    let long = (0..5).map(|_| Uuid::new_v4().to_string()).collect::<String>();
    let body = json!({"name": "B", "email": email, "password": long, "company_name": "X"});
    let refused = stack.api().post("/auth/register", body).await.expect(422);
    assert_eq!(refused["errors"][0]["code"], "too_long", "{refused}");
}

pub async fn an_address_that_mail_cannot_reach_is_refused(stack: Arc<Stack>) {
    let api = stack.api();
    for email in ["a@b", "a@localhost", "a b@c.de", "\"a\"@b.co", "a@[127.0.0.1]", "a@127.0.0.1", ".a@b.co", "a@b..co", "a@b.co."]
    {
        for (path, mut body) in [("/auth/register", own_company("")), ("/auth/login", json!({"password": PASSWORD}))] {
            body["email"] = json!(email);
            let refused = api.post(path, body).await.expect(422);
            let errors = refused["errors"].as_array().cloned().unwrap_or_default();
            assert_eq!(errors.len(), 1, "{email}: {refused}");
            assert_eq!((&errors[0]["field"], &errors[0]["code"]), (&json!("email"), &json!("invalid_email")), "{email}");
        }
    }
}

/// The stage has one, `Escola Padrão`, and nobody else comes to it.
pub async fn who_names_no_company_joins_the_default_one(stack: Arc<Stack>) {
    let emails: Vec<String> = (0..4).map(|_| fresh_email()).collect();
    let body = |email: &String| json!({"name": "Ana Souza", "email": email, "password": PASSWORD});
    let api = stack.api();
    let answers = join_all(emails.iter().map(|email| api.post("/auth/register", body(email)))).await;
    let mut founders = Vec::new();
    for (email, answer) in emails.iter().zip(answers) {
        let registered = answer.expect(202);
        let login = stack.api().post("/auth/login", json!({"email": email, "password": PASSWORD})).await;
        if registered["awaits_approval"] == false {
            founders.push(login.expect(200));
        } else {
            assert_eq!(login.problem(403), "pending_approval");
        }
    }
    assert_eq!(founders.len(), 1, "{founders:?}");
    assert_eq!((&founders[0]["user"]["role"], &founders[0]["company"]["slug"]), (&json!("admin"), &json!("escola-padrao")));
    assert_eq!(founders[0]["company"]["name"], "Escola Padrão");
    // An e-mail that is known is told what a new one would be.
    for email in &emails[..2] {
        let again = api.post("/auth/register", body(email)).await.expect(202);
        assert_eq!(again, json!({"status": "check_your_login", "awaits_approval": true}));
    }
    let members = "
        select count(*) filter (where role = 'admin' and status = 'active'),
               count(*) filter (where role = 'agent' and status = 'pending_approval'), count(*)
          from memberships join companies on companies.id = company_id where slug = 'escola-padrao'";
    let row = stack.database().await.query_one(members, &[]).await.expect("counts");
    assert_eq!([row.get::<_, i64>(0), row.get(1), row.get(2)], [1, 3, 4]);
}

/// What the function asks of the database, the first of two held before it commits.
pub async fn two_who_found_the_default_company_at_once_are_one_admin(stack: Arc<Stack>) {
    const SIGN_UP: &str =
        "select app.register(gen_random_uuid(), $1, 'Ana', 'x', gen_random_uuid(), 'Padrão', '', $2, null, null, null)";
    for (first_end, second_is) in [("commit", "waiting"), ("rollback", "created")] {
        let slug = format!("padrao-{}", Uuid::new_v4().simple());
        let (first, second) = (as_app(&stack).await, as_app(&stack).await);
        first.batch_execute("begin").await.expect("begins");
        let row = first.query_one(SIGN_UP, &[&fresh_email(), &slug]).await.expect("registers");
        assert_eq!(row.get::<_, &str>(0), "created");
        let backend: i32 = second.query_one("select pg_backend_pid()", &[]).await.expect("a number").get(0);
        let waiting = {
            let slug = slug.clone();
            tokio::spawn(async move {
                second.query_one(SIGN_UP, &[&fresh_email(), &slug]).await.expect("registers").get::<_, String>(0)
            })
        };
        let database = stack.database().await;
        eventually("the second waiting for the first", || async {
            let blocked = "select cardinality(pg_blocking_pids($1)) > 0";
            database.query_one(blocked, &[&backend]).await.expect("an answer").get::<_, bool>(0).then_some(())
        })
        .await;
        first.batch_execute(first_end).await.expect("ends");
        assert_eq!(waiting.await.expect("an outcome"), second_is);
        let admins =
            "select count(*) from memberships join companies on companies.id = company_id where slug = $1 and role = 'admin'";
        assert_eq!(database.query_one(admins, &[&slug]).await.expect("a count").get::<_, i64>(0), 1);
    }
}

pub async fn an_unknown_company_is_named(stack: Arc<Stack>) {
    let body = json!({"name": "Caio", "email": fresh_email(), "password": PASSWORD, "company_slug": "nao-existe-aqui"});
    let refused = stack.api().post("/auth/register", body).await.expect(422);
    assert_eq!(
        (&refused["errors"][0]["field"], &refused["errors"][0]["code"]),
        (&json!("company_slug"), &json!("unknown_company"))
    );
    let both = json!({"name": "Caio", "email": fresh_email(), "password": PASSWORD, "company_slug": "x", "company_name": "y"});
    let refused = stack.api().post("/auth/register", both).await.expect(422);
    assert_eq!(refused["errors"][0]["code"], "exclusive");
}

pub async fn company_names_may_repeat(stack: Arc<Stack>) {
    let mut slugs = Vec::new();
    for _ in 0..3 {
        let email = fresh_email();
        stack.api().post("/auth/register", own_company(&email)).await.expect(202);
        let login = stack.api().post("/auth/login", json!({"email": email, "password": PASSWORD})).await.expect(200);
        slugs.push(text(&login["company"]["slug"]).to_owned());
    }
    slugs.sort();
    slugs.dedup();
    assert_eq!(slugs.len(), 3, "{slugs:?}");
}

pub async fn passwords_are_kept_as_hashes_only(stack: Arc<Stack>) {
    let email = fresh_email();
    let password = format!("senha-{}", Uuid::new_v4().simple());
    let mut body = own_company(&email);
    body["password"] = json!(password);
    stack.api().post("/auth/register", body).await.expect(202);
    let login = stack.api().post("/auth/login", json!({"email": email, "password": password})).await.expect(200);
    let secrets = [password.as_str(), text(&login["access_token"]), text(&login["refresh_token"])];
    crate::cases::canary::assert_nowhere(&stack, &secrets, &[]).await;
    let row = stack.database().await.query_one("select password_hash from users where email = $1", &[&email]).await;
    assert!(row.expect("the person").get::<_, String>(0).starts_with("$2b$12$"));
}
