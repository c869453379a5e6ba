//! How people are brought in, and what is known of them.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer, Stack, Wanted,
    authenticator::Secured,
    company::{Person, text},
};
use uuid::Uuid;

use crate::cases::{contract::sample::log_in, upload};

const PASSWORD: &str = "girafa-azul-42-lenta";

fn fresh_email() -> String {
    format!("pessoa.{}@example.com", Uuid::new_v4().simple())
}

async fn patch(by: &Person, person: Uuid, body: Value) -> Answer {
    by.api.call(Method::PATCH, &format!("/users/{person}"), Some(body)).await
}

pub async fn a_person_with_a_password_is_in_at_once(stack: Arc<Stack>) {
    let company = stack.company(Wanted { departments: vec![("Vendas", vec![1])], ..Wanted::default() }).await;
    let email = fresh_email();
    let department = company.departments[0].1;
    let new = json!({"full_name": "Íris Prado", "email": email.to_uppercase(), "role": "attendant", "password": PASSWORD,
                     "department_ids": [department, department]});
    let head = company.admin.head().await;
    let made = company.supervisor.api.post("/users", new.clone()).await.expect(201);
    assert_eq!((&made["status"], &made["id"], &made["invite"]), (&json!("active"), &made["user"]["id"], &Value::Null));
    assert_eq!(made["user"]["departments"][0]["id"], json!(department));
    assert_eq!(company.admin.told_after(&head).await.len(), 1);
    let there = Person::sign_in(&stack, &email, PASSWORD).await.expect("a login");
    let me = there.api.get("/users/me").await.expect(200);
    assert_eq!((text(&me["name"]), text(&me["role"]), &me["is_active"]), ("Íris Prado", "agent", &json!(true)));
    assert!(me["last_login_at"].is_string(), "{me}");
    let again = company.admin.api.post("/users", new).await.expect(409);
    assert_eq!((text(&again["code"]), &again["current"]["id"]), ("already_member", &made["id"]));
    assert!(!made.to_string().contains(PASSWORD) && !made.to_string().contains("$2"));
}

pub async fn who_is_brought_in_is_told_what_is_wrong(stack: Arc<Stack>) {
    let (company, other) = (stack.company(Wanted::default()).await, stack.company(Wanted::default()).await);
    let new = |email: &str, more: Value| {
        let mut body = json!({"name": "Íris Prado", "email": email, "role": "agent", "password": PASSWORD});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        body
    };
    let fields = |refused: Value| text(&refused["errors"][0]["field"]).to_owned();
    let api = &company.admin.api;
    for (body, field) in [
        (new("não é", json!({})), "email"),
        (new(&fresh_email(), json!({"password": "curta"})), "password"),
        (new(&fresh_email(), json!({"password": "1234567890"})), "password"),
        (new(&fresh_email(), json!({"password": "ÍrisPrado2026"})), "password"),
        (new(&fresh_email(), json!({"name": "Í\u{200b}ris"})), "name"),
        (new(&fresh_email(), json!({"role": "dono"})), "role"),
        (new(&fresh_email(), json!({"is_admin": true})), "is_admin"),
        (new(&fresh_email(), json!({"department_ids": [Uuid::nil()]})), "department_ids[0]"),
    ] {
        assert_eq!(fields(api.post("/users", body.clone()).await.expect(422)), field, "{body}");
    }
    // Somebody of elsewhere keeps their password and their say.
    let known = api.post("/users", new(&other.agents[0].email, json!({}))).await;
    assert_eq!(known.problem(409), "has_account");
    Person::sign_in(&stack, &other.agents[0].email, &other.password).await.expect("their own password");
    assert_eq!(api.get("/users?limit=100").await.expect(200)["pagination"]["total"], 5);
}

pub async fn a_student_is_a_client_with_a_login(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    let (known, unknown) = (fresh_email(), fresh_email());
    let database = stack.database().await;
    let client = Uuid::new_v4();
    let insert = "insert into clients (id, company_id, name, email) values ($1, $2, 'Zeca', $3)";
    database.execute(insert, &[&client, &company.id, &known.to_uppercase()]).await.expect("a client");
    for email in [&known, &unknown] {
        let new = json!({"name": "Zeca Alves", "email": email, "role": "aluno", "password": PASSWORD});
        company.supervisor.api.post("/users", new).await.expect(201);
        Person::sign_in(&stack, email, PASSWORD).await.expect("a login").api.get("/users/me").await.expect(200);
    }
    let clients = "
        select users.email, memberships.client_id, count(client_identities.value)
          from memberships
          join users on users.id = memberships.user_id
          join client_identities on client_identities.client_id = memberships.client_id and kind = 'student'
                                and value = users.id::text
         where memberships.company_id = $1 and role = 'student'
         group by 1, 2";
    let rows = database.query(clients, &[&company.id]).await.expect("students");
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!(row.get::<_, Uuid>(1) == client, row.get::<_, &str>(0) == known);
    }
}

pub async fn who_awaits_approval_is_let_in_with_a_role(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let email = fresh_email();
    let body = json!({"name": "Bia Rocha", "email": email, "password": PASSWORD, "company_slug": company.slug});
    stack.api().post("/auth/register", body).await.expect(202);
    let list = company.admin.api.get("/admin/users?status=pending_approval").await.expect(200);
    assert_eq!((&list["pagination"]["total"], text(&list["data"][0]["email"])), (&json!(1), email.as_str()));
    assert_eq!(company.admin.api.get(&format!("/users?search={}", &email[..20])).await.expect(200)["data"], json!([]));
    let id: Uuid = text(&list["data"][0]["id"]).parse().expect("an id");
    let approve = format!("/admin/approve-user/{id}");
    assert_eq!(company.supervisor.api.post(&approve, json!({})).await.problem(403), "forbidden");
    let row = company.admin.api.post(&approve, json!({"role": "supervisor"})).await.expect(200);
    assert_eq!((text(&row["status"]), text(&row["role"])), ("active", "supervisor"));
    Person::sign_in(&stack, &email, PASSWORD).await.expect("a login");
    // Again changes nothing, and not the role either.
    let again = company.admin.api.post(&approve, json!({"role": "admin"})).await.expect(200);
    assert_eq!((&again["role"], &again["version"]), (&row["role"], &row["version"]));
    // Who is not wanted is sent away; they cannot be let in as one who waits.
    let email = fresh_email();
    let body = json!({"name": "Caco", "email": email, "password": PASSWORD, "company_slug": company.slug});
    stack.api().post("/auth/register", body).await.expect(202);
    let list = company.admin.api.get("/admin/users?status=pending_approval").await.expect(200);
    let id = text(&list["data"][0]["id"]).to_owned();
    let remove = format!("/companies/{}/members/{id}", company.id);
    company.admin.api.call(Method::DELETE, &remove, None).await.expect(204);
    assert_eq!(company.admin.api.post(&format!("/admin/approve-user/{id}"), json!({})).await.problem(404), "not_found");
    assert_eq!(
        stack.api().post("/auth/login", json!({"email": email, "password": PASSWORD})).await.problem(401),
        "credentials_wrong"
    );
}

pub async fn only_what_is_given_changes(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let body = json!({"full_name": "Bruna Lima Reis", "phone": "(55) 11 98765-4321", "position": "Closer", "time_zone": "America/Manaus"});
    let changed = patch(agent, agent.id, body).await.expect(200);
    assert_eq!((text(&changed["name"]), text(&changed["phone"])), ("Bruna Lima Reis", "+5511987654321"));
    let path = format!("/users/{}", agent.id);
    let changed = company.supervisor.api.call(Method::PUT, &path, Some(json!({"closer_type": "Inside"}))).await.expect(200);
    assert_eq!((text(&changed["position"]), text(&changed["closer_type"])), ("Closer", "Inside"));
    assert_eq!(text(&changed["time_zone"]), "America/Manaus");
    let me = agent.api.call(Method::PATCH, "/users/me", Some(json!({"position": null, "locale": "en"}))).await.expect(200);
    assert_eq!((&me["position"], text(&me["locale"]), text(&me["closer_type"])), (&Value::Null, "en", "Inside"));
    assert_eq!(company.admin.api.get(&format!("/users/{}", agent.id)).await.expect(200)["name"], "Bruna Lima Reis");
    let found = company.admin.api.get("/users?closer_type=INSIDE,outro").await.expect(200);
    assert_eq!(found["pagination"]["total"], 1);
    // Who a colleague is, and what leaders say, is not theirs.
    assert_eq!(patch(agent, company.agents[1].id, json!({"position": "x"})).await.problem(403), "forbidden");
    assert_eq!(patch(agent, agent.id, json!({"closer_type": "x"})).await.problem(403), "forbidden");
    assert_eq!(patch(agent, agent.id, json!({"is_active": false})).await.problem(403), "forbidden");
    assert_eq!(patch(&company.admin, agent.id, json!({"locale": "en"})).await.problem(403), "forbidden");
    assert_eq!(patch(agent, agent.id, json!({"role": "admin"})).await.problem(422), "invalid");
    let student = &company.students[0];
    let me = patch(student, student.id, json!({"name": "Aluno Um"})).await.expect(200);
    assert_eq!((text(&me["name"]), text(&me["role"])), ("Aluno Um", "student"));
    assert_eq!(patch(student, agent.id, json!({"name": "x"})).await.problem(404), "not_found");
    for (body, field) in [
        (json!({"time_zone": "America/Atlantida"}), "time_zone"),
        (json!({"phone": "ramal 7"}), "phone"),
        (json!({"avatar_url": "https://example.org/a.png"}), "avatar_file_id"),
        (json!({"locale": "fr"}), "locale"),
        (json!({"name": ""}), "name"),
    ] {
        let refused = patch(agent, agent.id, body.clone()).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["field"]), field, "{body}: {refused}");
    }
}

pub async fn a_picture_is_ones_own_and_seen_by_all_staff(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agent_visibility: "own", ..Wanted::default() }).await;
    let [me, colleague] = &company.agents[..] else { panic!("two agents") };
    let (mine, theirs) = (upload::ready_file(&stack, me).await, upload::ready_file(&stack, colleague).await);
    let pending = upload::announce_and_upload(&stack, me).await;
    for file in [&theirs, &pending, &Uuid::nil().to_string()] {
        let refused = patch(me, me.id, json!({"avatar_file_id": file})).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["code"]), "no_picture");
    }
    assert_eq!(colleague.api.get(&format!("/storage/download/{mine}")).await.problem(404), "not_found");
    let changed = patch(me, me.id, json!({"avatar_url": format!("/api/v1/storage/download/{mine}")})).await.expect(200);
    let url = text(&changed["avatar_url"]).to_owned();
    assert_eq!(url, format!("/storage/download/{mine}"));
    assert_eq!(colleague.api.get(&url).await.status, 302);
    let listed = colleague.api.get("/users?search=bruna").await.expect(200);
    assert_eq!(listed["data"][0]["avatar_url"], json!(url));
    // Whoever signs in is shown as the rest of the company sees them.
    assert_eq!(me.api.get("/auth/me").await.expect(200)["avatar_url"], json!(url));
    assert_eq!(log_in(&stack, me, &company.password).await["user"]["avatar_url"], json!(url));
    assert_eq!(log_in(&stack, colleague, &company.password).await["user"]["avatar_url"], Value::Null);
    let mut secured = Secured::make(me).await;
    let answer = json!({"challenge": secured.challenge(&stack, &company.password).await, "code": secured.recovery_codes.pop()});
    let verified = stack.api().post("/auth/login/verify", answer).await.expect(200);
    assert_eq!(verified["user"]["avatar_url"], json!(url));
    let student = company.students[0].api.get(&url).await;
    assert_eq!(student.problem(404), "not_found");
    patch(me, me.id, json!({"avatar_url": null})).await.expect(200);
    assert_eq!(colleague.api.get(&url).await.problem(404), "not_found");
}

pub async fn companies_know_of_a_person_what_was_said_in_them(stack: Arc<Stack>) {
    let (company, other) = (stack.company(Wanted::default()).await, stack.company(Wanted::default()).await);
    let agent = &company.agents[0];
    let said =
        json!({"phone": "+55 11 98765-4321", "position": "Closer", "avatar_file_id": upload::ready_file(&stack, agent).await});
    patch(agent, agent.id, said).await.expect(200);
    // Where they belong only here, those who lead them set their name right.
    patch(&company.supervisor, agent.id, json!({"name": "Bruna L."})).await.expect(200);
    let join = "insert into memberships (company_id, user_id, role) values ($1, $2, 'agent')";
    stack.database().await.execute(join, &[&other.id, &agent.id]).await.expect("joins");
    let there = other.admin.api.get(&format!("/users/{}", agent.id)).await.expect(200);
    for field in ["phone", "position", "closer_type", "avatar_file_id", "avatar_url", "last_login_at"] {
        assert_eq!(there[field], Value::Null, "{field}");
    }
    let renamed = patch(&other.admin, agent.id, json!({"name": "Intrusa"})).await;
    assert_eq!(renamed.problem(409), "name_is_theirs");
    patch(&other.admin, agent.id, json!({"name": "Bruna L.", "position": "Mentora"})).await.expect(200);
    patch(agent, agent.id, json!({"name": "Bruna Lima"})).await.expect(200);
    let here = company.admin.api.get(&format!("/users/{}", agent.id)).await.expect(200);
    assert_eq!((text(&here["name"]), text(&here["position"])), ("Bruna Lima", "Closer"));
}
