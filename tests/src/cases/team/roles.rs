//! Who decides about whom, and that a company keeps an admin.

use std::sync::Arc;

use futures_util::future::join;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer, Company, Stack, Wanted,
    company::{Person, text},
};
use tokio_postgres::Client;

use crate::cases::identity::refreshing::refresh;

/// How an admin stops being one.
#[derive(Clone, Copy, Debug)]
enum Way {
    Demote,
    Deactivate,
    Remove,
    Delete,
    Edit,
}

const WAYS: [Way; 5] = [Way::Demote, Way::Deactivate, Way::Remove, Way::Delete, Way::Edit];

impl Way {
    async fn go(self, company: &Company, by: &Person, person: &Person) -> Answer {
        let (api, id) = (&by.api, person.id);
        match self {
            Self::Demote => api.post(&format!("/admin/change-role/{id}"), json!({"role": "agent"})).await,
            Self::Deactivate => api.post(&format!("/admin/deactivate-user/{id}"), json!({})).await,
            Self::Remove => api.call(Method::DELETE, &format!("/companies/{}/members/{id}", company.id), None).await,
            Self::Delete => api.call(Method::DELETE, &format!("/users/{id}"), None).await,
            Self::Edit => api.call(Method::PATCH, &format!("/users/{id}"), Some(json!({"is_active": false}))).await,
        }
    }
}

/// A company with two admins, `admin` and `supervisor`.
async fn two_admins(stack: &Stack) -> Company {
    let mut company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    company.admin.api.post(&format!("/admin/change-role/{}", company.supervisor.id), json!({"role": "admin"})).await.expect(200);
    let pair = refresh(stack, &company.supervisor.refresh_token).await.expect(200);
    company.supervisor.api = stack.api().with_token(text(&pair["access_token"]));
    company
}

async fn admins(database: &Client, company: &Company) -> i64 {
    let sql = "select count(*) from memberships where company_id = $1 and role = 'admin' and status = 'active'";
    database.query_one(sql, &[&company.id]).await.expect("a count").get(0)
}

/// Both are admins again, with the sessions that they had.
async fn restore(database: &Client, company: &Company) {
    let ids = [company.admin.id, company.supervisor.id].to_vec();
    let both = "update memberships set role = 'admin', status = 'active' where company_id = $1 and user_id = any ($2)";
    database.execute(both, &[&company.id, &ids]).await.expect("both are admins");
    let sessions = "update sessions set revoked_at = null where user_id = any ($1)";
    database.execute(sessions, &[&ids]).await.expect("their sessions stand");
}

/// One goes, and the other is told why not: they are no admin any more, or the last one.
fn assert_one_went(answers: [Answer; 2], what: &str) {
    let went = answers.iter().filter(|answer| answer.status < 300).count();
    assert_eq!(went, 1, "{what}: {answers:?}");
    let refused = answers.into_iter().find(|answer| answer.status >= 300).expect("one is refused");
    let code = (refused.status, text(&refused.body["code"]).to_owned());
    let allowed = [(401, "session_revoked"), (403, "forbidden"), (409, "last_admin")];
    assert!(allowed.contains(&(code.0, code.1.as_str())), "{what}: {code:?}");
}

pub async fn of_two_admins_who_demote_each_other_one_stays(stack: Arc<Stack>) {
    let company = two_admins(&stack).await;
    let database = stack.database().await;
    for round in 0..50 {
        let (one, other) = (&company.admin, &company.supervisor);
        let answers = join(Way::Demote.go(&company, one, other), Way::Demote.go(&company, other, one)).await;
        assert_one_went(answers.into(), &format!("round {round}"));
        assert_eq!(admins(&database, &company).await, 1, "round {round}");
        restore(&database, &company).await;
    }
}

pub async fn whatever_two_admins_do_to_each_other_one_stays(stack: Arc<Stack>) {
    let company = two_admins(&stack).await;
    let database = stack.database().await;
    let (one, other) = (&company.admin, &company.supervisor);
    for first in WAYS {
        for second in WAYS {
            let what = format!("{first:?} and {second:?}");
            let answers = join(first.go(&company, one, other), second.go(&company, other, one)).await;
            assert_one_went(answers.into(), &what);
            assert_eq!(admins(&database, &company).await, 1, "{what}");
            restore(&database, &company).await;
            // Both leave of their own accord.
            let answers = join(first.go(&company, one, one), second.go(&company, other, other)).await;
            assert_one_went(answers.into(), &format!("{what} of themselves"));
            assert_eq!(admins(&database, &company).await, 1, "{what} of themselves");
            restore(&database, &company).await;
        }
    }
}

pub async fn the_last_admin_stays(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, ..Wanted::default() }).await;
    let head = company.admin.head().await;
    for way in WAYS {
        assert_eq!(way.go(&company, &company.admin, &company.admin).await.problem(409), "last_admin", "{way:?}");
    }
    assert_eq!(company.admin.events_after(&head).await, [Value::Null; 0]);
    // Whoever writes to the database.
    let database = stack.database().await;
    for sql in [
        "update memberships set role = 'agent' where company_id = $1 and role = 'admin'",
        "update memberships set status = 'inactive' where company_id = $1",
    ] {
        let refused = database.execute(sql, &[&company.id]).await.expect_err(sql);
        assert_eq!(refused.as_db_error().and_then(|error| error.constraint()), Some("memberships_last_admin"), "{sql}");
    }
    // One who is out is none that stays.
    company.admin.api.post(&format!("/admin/change-role/{}", company.supervisor.id), json!({"role": "admin"})).await.expect(200);
    company.admin.api.post(&format!("/admin/deactivate-user/{}", company.supervisor.id), json!({})).await.expect(200);
    assert_eq!(Way::Remove.go(&company, &company.admin, &company.admin).await.problem(409), "last_admin");
    company.admin.api.get("/auth/me").await.expect(200);
}

pub async fn a_new_role_holds_from_this_moment(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, ..Wanted::default() }).await;
    let agent = &company.agents[0];
    let change = async |role: &str| {
        company.admin.api.post(&format!("/admin/change-role/{}", agent.id), json!({"role": role})).await.expect(200)
    };
    let socket = agent.socket().await;
    assert_eq!(change("SUPERVISOR").await["role"], "supervisor");
    socket.closed().await;
    assert_eq!(agent.api.get("/departments").await.problem(401), "session_revoked");
    // The login goes on in the new role.
    let pair = refresh(&stack, &agent.refresh_token).await.expect(200);
    let api = stack.api().with_token(text(&pair["access_token"]));
    api.post("/departments", json!({"name": "Vendas"})).await.expect(201);
    let version = change("supervisor").await["version"].clone();
    api.get("/auth/me").await.expect(200);
    assert_eq!(change("equipe").await["version"].as_i64(), version.as_i64().map(|version| version + 1));
    assert_eq!(api.post("/departments", json!({"name": "Suporte"})).await.problem(401), "session_revoked");
    let pair = refresh(&stack, text(&pair["refresh_token"])).await.expect(200);
    let api = stack.api().with_token(text(&pair["access_token"]));
    assert_eq!(api.post("/departments", json!({"name": "Suporte"})).await.problem(403), "forbidden");
    let audited = "select count(*) from audit_log where company_id = $1 and action = 'change_role' and target = $2";
    let row = stack.database().await.query_one(audited, &[&company.id, &agent.id.to_string()]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 3);
}

pub async fn students_become_no_staff_and_staff_no_students(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let change = async |person: &Person, role: &str| {
        company.admin.api.post(&format!("/admin/change-role/{}", person.id), json!({"role": role})).await
    };
    assert_eq!(change(&company.students[0], "admin").await.problem(409), "is_student");
    assert_eq!(change(&company.agents[0], "aluno").await.problem(409), "is_student");
    assert_eq!(change(&company.agents[0], "chefe").await.problem(422), "invalid");
}

pub async fn supervisors_decide_about_agents_and_students(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let api = &company.supervisor.api;
    let delete = async |person: &Person| api.call(Method::DELETE, &format!("/users/{}", person.id), None).await;
    let patch = async |person: &Person, body: Value| api.call(Method::PATCH, &format!("/users/{}", person.id), Some(body)).await;
    assert_eq!(delete(&company.admin).await.problem(403), "forbidden");
    assert_eq!(delete(&company.supervisor).await.problem(403), "forbidden");
    assert_eq!(patch(&company.admin, json!({"position": "Dono"})).await.problem(403), "forbidden");
    delete(&company.agents[0]).await.expect(204);
    assert_eq!(delete(&company.agents[0]).await.problem(404), "not_found");
    patch(&company.agents[0], json!({"is_active": true})).await.expect(200);
    patch(&company.students[0], json!({"is_active": false})).await.expect(200);
    for role in ["admin", "supervisor"] {
        let new =
            json!({"name": "Nova Pessoa", "email": "nova@pessoa.example", "role": role, "password": "girafa-azul-42-lenta"});
        assert_eq!(api.post("/users", new).await.problem(403), "forbidden");
        let invite = json!({"email": "nova@pessoa.example", "role": role});
        assert_eq!(api.post("/team/invite", invite).await.problem(403), "forbidden");
    }
    company.admin.api.post("/team/invite", json!({"email": "chefe@pessoa.example", "role": "admin"})).await.expect(201);
    // What admins do is not theirs to see.
    assert_eq!(api.get("/team/invites").await.expect(200)["data"], json!([]));
}
