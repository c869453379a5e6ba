//! What the login of the functions may do once it has entered a company for somebody, whatever SQL it is made to run.

use std::sync::Arc;

use serde_json::json;
use tests::{
    Company, Stack, Wanted,
    company::{Person, text},
    forge,
};
use tokio_postgres::{
    Client,
    error::SqlState,
    types::{Json, ToSql},
};
use uuid::Uuid;

use super::{
    sample::{conversation, log_in},
    tenancy::as_app,
};

fn session_of(person: &Person) -> Uuid {
    let claims = forge::claims_of(person.api.token.as_deref().unwrap_or_default());
    text(&claims["sid"]).parse().expect("a session")
}

/// A transaction that has entered the company for this person.
pub struct Inside(pub(super) Client);

impl Inside {
    pub async fn enter(stack: &Stack, company: &Company, person: &Person, role: &str) -> Self {
        let app = as_app(stack).await;
        app.batch_execute("begin").await.expect("begins");
        let enter = "select app.enter($1, $2, $3, $4)";
        app.query_one(enter, &[&company.id, &person.id, &role, &session_of(person)]).await.expect("enters");
        Self(app)
    }

    /// Rows changed or answered; everything is as before afterwards.
    pub async fn affects(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<u64, SqlState> {
        self.0.batch_execute("savepoint before").await.expect("a savepoint");
        let outcome = self.0.execute(sql, parameters).await;
        self.0.batch_execute("rollback to savepoint before").await.expect("as before");
        outcome.map_err(|error| error.code().cloned().unwrap_or_else(|| panic!("{sql}: {error}")))
    }

    pub async fn is_refused(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) {
        assert_eq!(self.affects(sql, parameters).await, Err(SqlState::INSUFFICIENT_PRIVILEGE), "{sql}");
    }

    pub async fn changes(&self, rows: u64, sql: &str, parameters: &[&(dyn ToSql + Sync)]) {
        assert_eq!(self.affects(sql, parameters).await, Ok(rows), "{sql}");
    }
}

/// Somebody of each kind, inside.
async fn everybody(stack: &Stack, company: &Company) -> [Inside; 3] {
    [
        Inside::enter(stack, company, &company.admin, "admin").await,
        Inside::enter(stack, company, &company.agents[0], "agent").await,
        Inside::enter(stack, company, &company.students[0], "student").await,
    ]
}

pub async fn nobody_changes_a_membership_or_a_person(stack: Arc<Stack>) {
    let (company, other) = (stack.company(Wanted::default()).await, stack.company(Wanted::default()).await);
    for inside in everybody(&stack, &company).await {
        for sql in [
            "update memberships set role = 'admin' where user_id = app.user_id()",
            "update memberships set status = 'active', is_primary = true",
            "update memberships set client_id = null",
            "delete from memberships",
            "select from memberships for update",
            "update users set email = 'x@example.com'",
            "update users set password_hash = 'x'",
            "select password_hash from users",
            "select * from users",
            "insert into users (id, email, name, password_hash) values (gen_random_uuid(), 'x@example.com', 'x', 'x')",
            "delete from users",
            "update companies set slug = 'x'",
            "update companies set feature_flags = '{}'",
            "insert into companies (id, name, slug) values (gen_random_uuid(), 'x', 'x')",
        ] {
            inside.is_refused(sql, &[]).await;
        }
        let join = "insert into memberships (company_id, user_id, role) values ($1, $2, 'admin')";
        inside.is_refused(join, &[&company.id, &other.admin.id]).await;
        inside.is_refused(join, &[&other.id, &company.admin.id]).await;
    }
}

pub async fn nobody_reaches_sessions_and_tokens(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    for inside in everybody(&stack, &company).await {
        for sql in [
            "select id from sessions",
            "update sessions set revoked_at = null",
            "update sessions set expires_at = 'infinity'",
            "insert into sessions (id, family_id, user_id, expires_at) values (app.user_id(), app.user_id(), app.user_id(), now())",
            "delete from sessions",
            "select token_hash from refresh_tokens",
            "insert into refresh_tokens (token_hash, session_id, expires_at) select '', app.session_id(), 'infinity'",
            "update refresh_tokens set usable_until = null, expires_at = 'infinity'",
            "delete from refresh_tokens",
        ] {
            inside.is_refused(sql, &[]).await;
        }
    }
}

pub async fn look_ups_before_a_tenant_are_closed_within_one(stack: Arc<Stack>) {
    let (company, other) = (stack.company(Wanted::default()).await, stack.company(Wanted::default()).await);
    let theirs = session_of(&other.admin);
    for inside in everybody(&stack, &company).await {
        inside.is_refused("select app.enter_system($1)", &[&other.id]).await;
        inside.is_refused("select app.enter($1, $2, 'admin', $3)", &[&other.id, &other.admin.id, &theirs]).await;
        inside.is_refused("select app.session_access($1, $2, 'admin', $3)", &[&other.id, &other.admin.id, &theirs]).await;
        let start = "select app.start_session(gen_random_uuid(), $1, $2, 'x', null, null, null)";
        inside.is_refused(start, &[&other.id, &other.admin.id]).await;
        let add = "select app.add_session(gen_random_uuid(), $1, $2, $3, 'infinity', 'x', null, null, null)";
        inside.is_refused(add, &[&theirs, &other.id, &other.admin.id]).await;
        for sql in [
            "select app.find_login('admin@example.com')",
            "select app.register(gen_random_uuid(), 'x@y.example', 'x', 'x', gen_random_uuid(), 'x', 'x', null, null, null, null)",
            "select app.judge_refresh_token('x')",
            "select app.succeed_refresh_token('x', 'y', 'z')",
            "select app.rotate_refresh_token('x', 'y')",
            "select app.hold_family(gen_random_uuid())",
            "select app.has_second_factor(gen_random_uuid())",
            "select app.take_code(gen_random_uuid(), 1, null)",
            "select app.start_login(gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'x', 'x', 'x', 'x', 'x', 'x')",
            "select app.open_challenge('x', gen_random_uuid(), gen_random_uuid())",
            "select app.find_challenge('x')",
            "select app.find_password(gen_random_uuid(), gen_random_uuid(), 'admin', gen_random_uuid())",
            "select app.find_password_reset(gen_random_uuid())",
            "select app.use_password_reset(gen_random_uuid(), 'x', 'x', 'x', 'x')",
            "select app.add_password_reset(gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), null)",
            "select app.end_logins(gen_random_uuid(), null, null)",
            "select app.sweep_logins(1)",
            "select app.end_idle_sessions(1)",
            "select app.claim_job(gen_random_uuid(), '1 minute')",
            "select app.take_due_jobs(1)",
            "select app.oldest_due_job()",
            "select app.lapsed_presence(1)",
            "select app.company_of_connection('x')",
            "select app.find_channel('whatsapp_cloud', '1')",
            "select app.enter_channel('whatsapp_cloud', '1')",
            "select app.keep_unrouted_webhook(gen_random_uuid(), 'x', 'x', '')",
            "select app.end_orphan_uploads(1)",
            "select app.sweep_foundation(1)",
            "select app.sweep_service_desk(1)",
            "call app.protect('users')",
            "call app.open_to_lookup('users', 'select')",
        ] {
            inside.is_refused(sql, &[]).await;
        }
    }
    let app = as_app(&stack).await;
    for sql in ["select app.record('[]', '[]', '[]', '[]')", "select app.companies_of_user()"] {
        assert_eq!(app.batch_execute(sql).await.expect_err(sql).code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{sql}");
    }
}

pub async fn only_logins_of_ones_own_can_be_ended(stack: Arc<Stack>) {
    let (company, other) = (stack.company(Wanted::default()).await, stack.company(Wanted::default()).await);
    let again = log_in(&stack, &company.admin, &company.password).await;
    let second: Uuid = text(&forge::claims_of(text(&again["access_token"]))["sid"]).parse().expect("a session");
    let end = "select app.end_family($1)";
    for inside in everybody(&stack, &company).await {
        for foreign in [session_of(&other.admin), session_of(&company.supervisor), Uuid::new_v4()] {
            inside.changes(0, end, &[&foreign]).await;
        }
    }
    let inside = Inside::enter(&stack, &company, &company.admin, "admin").await;
    inside.changes(1, end, &[&second]).await;
    // The system of a company is nobody's login.
    inside.0.batch_execute("rollback; begin").await.expect("begins");
    inside.0.query_one("select app.enter_system($1)", &[&company.id]).await.expect("enters");
    inside.is_refused(end, &[&second]).await;
}

pub async fn only_companies_of_ones_own_can_be_chosen(stack: Arc<Stack>) {
    let (company, other) = (stack.company(Wanted::default()).await, stack.company(Wanted::default()).await);
    let choose = "select app.choose_company(gen_random_uuid(), $1, $2, null, null, null)";
    for inside in everybody(&stack, &company).await {
        inside.changes(0, choose, &[&other.id, &b"one".as_slice()]).await;
        inside.changes(1, choose, &[&company.id, &b"one".as_slice()]).await;
        inside.changes(1, "select app.companies_of_user()", &[]).await;
    }
}

pub async fn an_agent_gives_themselves_no_department_and_no_channel(stack: Arc<Stack>) {
    let wanted = Wanted { departments: vec![("Vendas", vec![1])], agent_visibility: "company", ..Wanted::default() };
    let company = stack.company(wanted).await;
    let department = company.departments[0].1;
    let flow = json!({"name": "Menu", "definition": {"start": "a", "nodes": {"a": {"type": "handover"}}}});
    company.supervisor.api.call(reqwest::Method::PUT, "/bot/flows/menu", Some(flow)).await.expect(200);
    company.supervisor.api.post("/bot/flows/menu/publish", json!({})).await.expect(200);
    let join = "insert into department_members (department_id, user_id) values ($1, app.user_id())";
    let make = "insert into departments (id, name) values (gen_random_uuid(), 'Minha')";
    let connect = "
        insert into channel_accounts (id, kind, name, external_key) values (gen_random_uuid(), 'widget', 'x', gen_random_uuid()::text)";
    let agent = Inside::enter(&stack, &company, &company.agents[1], "agent").await;
    agent.is_refused(join, &[&department]).await;
    agent.is_refused(make, &[]).await;
    agent.is_refused(connect, &[]).await;
    agent.changes(1, "select from departments", &[]).await;
    agent.changes(1, "select from channel_accounts", &[]).await;
    agent.is_refused("delete from departments", &[]).await;
    for sql in [
        "update departments set name = 'Minha'",
        "update departments set deleted_at = now()",
        "update department_members set capacity = 200",
        "delete from department_members",
        "update channel_accounts set status = 'disabled'",
        "select from channel_credentials",
        "update channel_credentials set sealed = ''",
    ] {
        agent.changes(0, sql, &[]).await;
    }
    let supervisor = Inside::enter(&stack, &company, &company.supervisor, "supervisor").await;
    supervisor.changes(1, join, &[&department]).await;
    supervisor.changes(1, make, &[]).await;
    supervisor.is_refused(connect, &[]).await;
    supervisor.changes(0, "select from channel_credentials", &[]).await;
    let admin = Inside::enter(&stack, &company, &company.admin, "admin").await;
    admin.changes(1, make, &[]).await;
    admin.changes(1, connect, &[]).await;
    admin.changes(1, "update channel_accounts set status = 'disabled'", &[]).await;
    admin.changes(1, "select from channel_credentials", &[]).await;
    for inside in [&agent, &supervisor, &admin] {
        inside.is_refused("delete from channel_accounts", &[]).await;
        inside.is_refused("delete from departments", &[]).await;
        inside.is_refused("update department_members set last_assigned_at = null", &[]).await;
    }
    agent.changes(0, "update bot_flows set definition = '{}'", &[]).await;
    for inside in [&supervisor, &admin] {
        inside.is_refused("update bot_flows set definition = '{}' where number > 0", &[]).await;
    }
}

pub async fn supervisors_invite_whom_they_lead_and_admins_set_up_the_company(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    company.admin.api.post("/team/invite", json!({"email": "chefe@escola.example", "role": "supervisor"})).await.expect(201);
    company.admin.api.post("/team/invite", json!({"email": "equipe@escola.example", "role": "agent"})).await.expect(201);
    let invite = "insert into invites (id, email, role) values (gen_random_uuid(), 'x@example.com', $1)";
    let revoke = "update invites set revoked_at = now()";
    let rename = "update companies set name = 'Minha', version = version + 1";
    let agent = Inside::enter(&stack, &company, &company.agents[0], "agent").await;
    agent.is_refused(invite, &[&"agent"]).await;
    agent.changes(0, "select from invites", &[]).await;
    agent.changes(0, revoke, &[]).await;
    agent.changes(0, rename, &[]).await;
    let supervisor = Inside::enter(&stack, &company, &company.supervisor, "supervisor").await;
    supervisor.changes(1, invite, &[&"agent"]).await;
    for role in ["supervisor", "admin"] {
        supervisor.is_refused(invite, &[&role]).await;
    }
    supervisor.changes(1, revoke, &[]).await;
    supervisor.changes(0, rename, &[]).await;
    let admin = Inside::enter(&stack, &company, &company.admin, "admin").await;
    admin.changes(1, invite, &[&"admin"]).await;
    admin.changes(2, revoke, &[]).await;
    admin.changes(1, rename, &[]).await;
    for inside in [&agent, &supervisor, &admin] {
        inside.is_refused("update invites set used_at = now(), user_id = app.user_id()", &[]).await;
        inside.is_refused("delete from invites", &[]).await;
        inside.is_refused("select app.use_invite(gen_random_uuid(), app.user_id(), 'x', 'x', null)", &[]).await;
    }
}

pub async fn what_providers_send_is_written_by_the_system(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    conversation(&stack, &company).await;
    let claim = "
        insert into client_identities (client_id, kind, value, address)
        select id, 'visitor', gen_random_uuid()::text, '' from clients limit 1";
    let admin = Inside::enter(&stack, &company, &company.admin, "admin").await;
    admin.is_refused(claim, &[]).await;
    admin
        .is_refused(
            "insert into early_statuses select app.company_id(), app.company_id(), 'x', 'read', null, null, now(), now()",
            &[],
        )
        .await;
    for sql in ["update client_identities set value = 'x'", "update inbound_webhooks set body = ''", "delete from early_changes"]
    {
        admin.is_refused(sql, &[]).await;
    }
    admin.changes(1, "select from inbound_webhooks", &[]).await;
    admin.changes(1, "select from client_identities where kind = 'phone'", &[]).await;
    admin.0.batch_execute("rollback; begin").await.expect("begins");
    admin.0.query_one("select app.enter_system($1)", &[&company.id]).await.expect("enters");
    admin.changes(1, claim, &[]).await;
}

/// What was said, by whom and to whom, is not an agent's to change; they speak for themselves alone.
pub async fn nobody_rewrites_what_was_said(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    let (_, id) = company.served().await;
    let id: uuid::Uuid = id.parse().expect("an id");
    let message = "
        insert into messages (id, conversation_id, channel_account_id, sender_type, sender_id, kind, body, sent_at)
        select gen_random_uuid(), id, channel_account_id, $2, $3, 'text', 'falsificado', now() from conversations where id = $1";
    let transfer = "
        insert into conversation_transfers (id, conversation_id, from_user_id, to_user_id, by_user_id)
        values (gen_random_uuid(), $1, $2, $2, $2)";
    let handler = "insert into conversation_handlers (conversation_id, user_id) values ($1, $2)";
    let (me, colleague) = (company.agents[0].id, company.agents[1].id);
    let everybody = [(&company.agents[0], "agent"), (&company.supervisor, "supervisor"), (&company.admin, "admin")];
    for (person, role) in everybody {
        let inside = Inside::enter(&stack, &company, person, role).await;
        for sql in [
            "update messages set body = 'falsificado'",
            "update clients set merged_into_id = id",
            "update client_identities set value = 'falsificado'",
            "update conversation_transfers set conversation_id = conversation_id",
            "delete from conversation_handlers",
            "delete from messages",
        ] {
            inside.is_refused(sql, &[]).await;
        }
        inside.is_refused("insert into clients (id, name, name_source) values (gen_random_uuid(), 'x', 'profile')", &[]).await;
        // Whom somebody talks to keeps the numbers that the answers go to.
        inside.changes(0, "delete from client_identities", &[]).await;
        inside.is_refused(message, &[&id, &"client", &None::<uuid::Uuid>]).await;
        inside.is_refused(message, &[&id, &"agent", &Some(colleague)]).await;
        inside.is_refused(transfer, &[&id, &colleague]).await;
        inside.is_refused(handler, &[&id, &colleague]).await;
        inside.is_refused("select app.join_clients(gen_random_uuid(), $1, $1, '{}')", &[&id]).await;
    }
    let agent = Inside::enter(&stack, &company, &company.agents[0], "agent").await;
    agent.changes(1, message, &[&id, &"agent", &Some(me)]).await;
}

pub async fn jobs_answers_and_leases_are_not_a_colleagues(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let _socket = company.agents[0].socket().await;
    let keyed = company.admin.api.with_header("idempotency-key", "segredo-1");
    keyed.post("/departments", json!({"name": "Vendas"})).await.expect(201);
    let job = "
        insert into jobs (id, company_id, kind, queue, lane, payload, run_at)
        values (gen_random_uuid(), $1, 'x', 'bot', 'x', '{}', 'infinity')";
    stack.database().await.execute(job, &[&company.id]).await.expect("a job");
    let leases = "select from presence_leases where user_id = $1";
    let owner = stack.database().await;
    assert_eq!(owner.execute(leases, &[&company.agents[0].id]).await.expect("leases"), 1);
    let colleague = Inside::enter(&stack, &company, &company.agents[1], "agent").await;
    let admin = Inside::enter(&stack, &company, &company.admin, "admin").await;
    let student = Inside::enter(&stack, &company, &company.students[0], "student").await;
    let add = "insert into jobs (id, kind, queue, lane, payload) values (gen_random_uuid(), 'x', 'bot', 'x', '{}')";
    for inside in [&colleague, &admin, &student] {
        inside.is_refused(add, &[]).await;
    }
    // Admins see those that failed.
    let fails = "update jobs set finished_at = now(), failed = true where company_id = $1 and lane = 'x'";
    owner.execute(fails, &[&company.id]).await.expect("it has failed");
    admin.changes(1, "select from jobs", &[]).await;
    let waits = "update jobs set finished_at = null, failed = false where company_id = $1 and lane = 'x'";
    owner.execute(waits, &[&company.id]).await.expect("it waits");
    for inside in [&colleague, &admin] {
        inside.changes(0, "select from jobs", &[]).await;
        inside.is_refused("update jobs set finished_at = now()", &[]).await;
        inside.changes(0, "update presence_leases set status = 'away'", &[]).await;
        inside.is_refused("delete from presence_leases", &[]).await;
        let forged = "
            insert into presence_leases (connection_id, user_id, session_id, lease_until) values ('x', $1, app.session_id(), now())";
        inside.is_refused(forged, &[&company.agents[0].id]).await;
    }
    student.is_refused("select from jobs", &[]).await;
    student.changes(0, "select from presence_leases", &[]).await;
    let stored = "select from idempotency_keys where key = 'segredo-1'";
    admin.changes(1, stored, &[]).await;
    colleague.changes(0, stored, &[]).await;
    colleague.changes(0, "update idempotency_keys set body = '{}'", &[]).await;
    let forged = "insert into idempotency_keys (user_id, route, key, request_hash) values ($1, 'x', 'x', '')";
    colleague.is_refused(forged, &[&company.admin.id]).await;
    // The system works on the jobs of its company.
    colleague.0.batch_execute("rollback; begin").await.expect("begins");
    colleague.0.query_one("select app.enter_system($1)", &[&company.id]).await.expect("enters");
    colleague.changes(1, "update jobs set finished_at = now() where lane = 'x'", &[]).await;
}

pub async fn what_is_recorded_bears_the_callers_name(stack: Arc<Stack>) {
    let (company, other) = (stack.company(Wanted::default()).await, stack.company(Wanted::default()).await);
    let audit = json!([{"action": "forged", "target": "x", "company_id": other.id, "user_id": other.admin.id}]);
    for (inside, person) in
        everybody(&stack, &company).await.into_iter().zip([&company.admin, &company.agents[0], &company.students[0]])
    {
        for sql in [
            "select from audit_log",
            "select from access_log",
            "insert into audit_log (action) values ('x')",
            "delete from events",
        ] {
            inside.is_refused(sql, &[]).await;
        }
        let event = json!([{
            "position": 0, "topic": format!("user:{}", person.id), "type": "session.revoked", "data": {"forged": true},
            "company_id": other.id, "audience": [format!("self:{}", person.id)],
        }]);
        let job = json!({
            "id": Uuid::new_v4(), "kind": "mark_read", "queue": "delivery", "lane": "forged", "payload": {}, "company_id": other.id,
        });
        let is_staff = person.id != company.students[0].id;
        let job = if is_staff { json!([job]) } else { json!([]) };
        let record = "select app.record($1, $2, $3, '[]')";
        inside.0.execute(record, &[&Json(&event), &Json(&job), &Json(&audit)]).await.expect("it is recorded");
        inside.0.batch_execute("commit").await.expect("commits");
        let forged = "
            select (select count(*) from audit_log where action = 'forged' and company_id = $1 and user_id = $2),
                   (select count(*) from events where data ? 'forged' and company_id = $1),
                   (select count(*) from jobs where lane = 'forged' and company_id = $1)";
        let clean_up = "with gone as (delete from jobs where company_id = $1 and lane = 'forged')
                        delete from events where company_id = $1 and data ? 'forged'";
        let owner = stack.database().await;
        let row = owner.query_one(forged, &[&company.id, &person.id]).await.expect("counts");
        assert_eq!([row.get::<_, i64>(0), row.get(1), row.get(2)], [1, 1, i64::from(is_staff)]);
        owner.execute(clean_up, &[&company.id]).await.expect("cleaned up");
    }
    let theirs = "
        select (select count(*) from audit_log where action = 'forged' and company_id = $1)
             + (select count(*) from events where data ? 'forged' and company_id = $1)";
    let row = stack.database().await.query_one(theirs, &[&other.id]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 0);
}
