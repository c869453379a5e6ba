//! Who leaves a company: what ends with it, what stays, and what happens to what they held.

use std::{sync::Arc, time::Instant};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text};
use uuid::Uuid;

use crate::cases::{contract::sample::conversation, identity::refreshing::refresh};

async fn company(stack: &Stack) -> Company {
    let departments = vec![("Vendas", vec![1, 2]), ("Suporte", vec![1])];
    stack.company(Wanted { agents: 2, departments, ..Wanted::default() }).await
}

async fn deactivate(company: &Company, person: Uuid) -> Value {
    company.admin.api.post(&format!("/admin/deactivate-user/{person}"), json!({})).await.expect(200)
}

async fn reactivate(company: &Company, person: Uuid) -> Value {
    company.admin.api.post(&format!("/admin/reactivate-user/{person}"), json!({})).await.expect(200)
}

async fn remove(company: &Company, person: Uuid) -> tests::Answer {
    company.admin.api.call(Method::DELETE, &format!("/companies/{}/members/{person}", company.id), None).await
}

/// Open conversations that this person holds.
async fn held(stack: &Stack, person: Uuid) -> i64 {
    let sql = "select count(*) from conversations where assignee_id = $1 and ended_at is null";
    stack.database().await.query_one(sql, &[&person]).await.expect("a count").get(0)
}

pub async fn five_hundred_conversations_go_back_in_one_transaction(stack: Arc<Stack>) {
    const MANY: i32 = 500;
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let database = stack.database().await;
    let fill = "
        with new as (
            select gen_random_uuid() as id, gen_random_uuid() as client_id, number from generate_series(1, $4::integer) number
        ), clients as (
            insert into clients (id, company_id, name) select client_id, $1, 'Cliente ' || number from new returning id
        )
        insert into conversations (id, company_id, client_id, channel_account_id, department_id, assignee_id, mode)
        select new.id, $1, client_id, $2, $5, $3, 'human' from new join clients on clients.id = client_id";
    let department = company.departments[0].1;
    database
        .execute(fill, &[&company.id, &company.channel_account_id, &agent.id, &MANY, &department])
        .await
        .expect("many conversations");
    let closed = conversation(&stack, &company).await;
    agent.api.post(&format!("/conversations/{closed}/takeover"), json!({})).await.expect(200);
    agent.api.post(&format!("/conversations/{closed}/close"), json!({})).await.expect(200);
    let head = company.admin.head().await;
    let started = Instant::now();
    deactivate(&company, agent.id).await;
    eprintln!("{MANY} conversations were given back in {:?}", started.elapsed());
    let moved = "
        select count(*) filter (where status = 'pending' and assignee_id is null and department_id = $2 and pending_since is not null),
               count(distinct xmin::text)
          from conversations where company_id = $1 and ended_at is null";
    let row = database.query_one(moved, &[&company.id, &department]).await.expect("counts");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (i64::from(MANY), 1), "all of them, at once");
    let transfers = "
        select count(*) from conversation_transfers
         where company_id = $1 and from_user_id = $2 and to_user_id is null and by_user_id = $3 and reason = 'member_deactivated'";
    let row = database.query_one(transfers, &[&company.id, &agent.id, &company.admin.id]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), i64::from(MANY));
    let events = company.admin.told_after(&head).await;
    let of_type = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
    assert_eq!(of_type("conversation.transferred"), 500);
    assert_eq!(of_type("user.updated"), 1);
    let told = events.iter().find(|event| event["type"] == "conversation.transferred").expect("one");
    assert_eq!(told["data"]["conversation"]["status"], "pending");
    // What has ended stays as it was.
    assert_eq!(company.admin.conversation(&closed).await["assignee_id"], json!(agent.id));
}

pub async fn what_is_open_ends_at_once_and_does_not_come_back(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let mut socket = agent.socket().await;
    let mut colleague = company.agents[1].socket().await;
    let row = deactivate(&company, agent.id).await;
    assert_eq!((&row["status"], &row["is_active"], &row["is_online"]), (&json!("inactive"), &json!(false), &json!(false)));
    let told = socket.of_type("membership.ended").await;
    assert_eq!(told["data"], json!({"user_id": agent.id, "status": "inactive"}));
    socket.closed().await;
    let shown = colleague.of_type("user.updated").await;
    assert_eq!((&shown["data"]["user"]["id"], &shown["data"]["user"]["status"]), (&json!(agent.id), &json!("inactive")));
    let gone =
        |frame: &Value| frame["type"] == "user.presence" && frame["data"] == json!({"user_id": agent.id, "status": "offline"});
    colleague.frame("offline", gone).await;
    let ended = async || {
        assert_eq!(agent.api.get("/auth/me").await.problem(401), "session_revoked");
        assert_eq!(agent.api.post("/realtime/tickets", json!({})).await.problem(401), "session_revoked");
        assert_eq!(refresh(&stack, &agent.refresh_token).await.problem(401), "refresh_token_invalid");
    };
    ended().await;
    let login = json!({"email": agent.email, "password": company.password});
    assert_eq!(stack.api().post("/auth/login", login.clone()).await.problem(401), "credentials_wrong");
    let online = company.admin.api.get("/users/online").await.expect(200);
    assert!(!online.to_string().contains(&agent.id.to_string()), "{online}");
    // As often as somebody says so.
    assert_eq!(deactivate(&company, agent.id).await["version"], row["version"]);
    let back = reactivate(&company, agent.id).await;
    let departments: Vec<&str> =
        back["departments"].as_array().expect("departments").iter().map(|row| text(&row["name"])).collect();
    assert_eq!((text(&back["status"]), text(&back["role"]), departments), ("active", "agent", vec!["Suporte", "Vendas"]));
    ended().await;
    stack.api().post("/auth/login", login).await.expect(200);
}

pub async fn who_is_out_counts_in_no_department_and_who_is_removed_belongs_to_none(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let members = async || {
        let list = company.admin.api.get("/departments").await.expect(200);
        let rows = list["data"].as_array().cloned().unwrap_or_default();
        rows.iter().map(|row| row["member_count"].as_i64().unwrap_or(-1)).collect::<Vec<_>>()
    };
    assert_eq!(members().await, [1, 2]);
    deactivate(&company, company.agents[0].id).await;
    assert_eq!(members().await, [0, 1]);
    reactivate(&company, company.agents[0].id).await;
    assert_eq!(members().await, [1, 2]);
    remove(&company, company.agents[0].id).await.expect(204);
    assert_eq!(members().await, [0, 1]);
    let rows = "select count(*) from department_members where user_id = $1";
    let row = stack.database().await.query_one(rows, &[&company.agents[0].id]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 0);
}

pub async fn what_somebody_did_keeps_their_name(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let id = conversation(&stack, &company).await;
    agent.api.post(&format!("/conversations/{id}/takeover"), json!({})).await.expect(200);
    agent.say(&id, "Bom dia!").await;
    remove(&company, agent.id).await.expect(204);
    assert_eq!(remove(&company, agent.id).await.problem(404), "not_found");
    let shown = company.admin.conversation(&id).await;
    assert_eq!((&shown["status"], &shown["assignee_id"]), (&json!("pending"), &Value::Null));
    let thread = company.admin.thread(&id).await;
    let said = thread.iter().find(|message| message["body"] == "Bom dia!").expect("what was said");
    assert_eq!((&said["sender_name"], &said["sender_id"]), (&json!("Bruna Lima"), &json!(agent.id)));
    let transfers = company.admin.api.get(&format!("/conversations/{id}/transfers")).await.expect(200);
    let last = &transfers["data"][0];
    assert_eq!((text(&last["from_user_name"]), text(&last["reason"])), ("Bruna Lima", "member_removed"));
    let list = company.admin.api.get("/admin/users?limit=100").await.expect(200);
    assert!(!list.to_string().contains(&agent.id.to_string()));
    let removed = company.admin.api.get("/admin/users?status=removed").await.expect(200);
    assert_eq!(removed["data"][0]["id"], json!(agent.id));
    assert_eq!(company.admin.api.get(&format!("/users/{}", agent.id)).await.expect(200)["status"], "removed");
    // Nobody lets in who was removed: they are invited.
    let back = company.admin.api.post(&format!("/admin/reactivate-user/{}", agent.id), json!({})).await;
    assert_eq!(back.problem(404), "not_found");
}

pub async fn another_company_of_theirs_notices_nothing(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, stack.company(Wanted::default()).await);
    let agent = &company.agents[0];
    let join = "insert into memberships (company_id, user_id, role) values ($1, $2, 'supervisor')";
    stack.database().await.execute(join, &[&other.id, &agent.id]).await.expect("joins");
    let selected = agent.api.post(&format!("/auth/companies/{}/select", other.id), json!({})).await.expect(200);
    let there = stack.api().with_token(text(&selected["access_token"]));
    remove(&company, agent.id).await.expect(204);
    assert_eq!(agent.api.get("/auth/me").await.problem(401), "session_revoked");
    assert_eq!(there.get("/auth/me").await.expect(200)["role"], "supervisor");
    refresh(&stack, text(&selected["refresh_token"])).await.expect(200);
    let companies = there.get("/companies").await.expect(200);
    assert_eq!(companies["data"].as_array().map(Vec::len), Some(1));
}

/// Who takes and who is given conversations while they leave: none of them is theirs afterwards.
pub async fn nobody_is_given_anything_while_they_leave(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 6, ..Wanted::default() }).await;
    let holder = &company.agents[0];
    for leaver in &company.agents[1..] {
        let given = conversation(&stack, &company).await;
        let taken = conversation(&stack, &company).await;
        holder.api.post(&format!("/conversations/{given}/takeover"), json!({})).await.expect(200);
        let transfer = format!("/conversations/{given}/transfer");
        let takeover = format!("/conversations/{taken}/takeover");
        let leave = format!("/admin/deactivate-user/{}", leaver.id);
        let calls = [
            holder.api.post(&transfer, json!({"to_user_id": leaver.id})),
            leaver.api.post(&takeover, json!({})),
            company.admin.api.post(&leave, json!({})),
        ];
        let answers: Vec<u16> = join_all(calls).await.into_iter().map(|answer| answer.status).collect();
        assert!([200, 422].contains(&answers[0]) && [200, 401].contains(&answers[1]) && answers[2] == 200, "{answers:?}");
        assert_eq!(held(&stack, leaver.id).await, 0, "{answers:?}");
        assert_eq!(company.admin.conversation(&taken).await["status"], "pending");
    }
}
