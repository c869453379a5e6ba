//! POST /auth/register

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Stack, Wanted, company::text};
use uuid::Uuid;

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
