//! One person in several companies.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{
    Api, Company, Lock, Stack, Wanted,
    company::{Person, text},
    forge,
};
use uuid::Uuid;

use super::refreshing::{let_grace_pass, refresh};
use crate::cases::contract::sample::log_in;

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await
}

async fn join(stack: &Stack, company: &Company, user_id: Uuid, role: &str, status: &str) {
    let sql = "insert into memberships (company_id, user_id, role, status) values ($1, $2, $3, $4)";
    stack.database().await.execute(sql, &[&company.id, &user_id, &role, &status]).await.expect("joins");
}

async fn select(api: &Api, company: &Company) -> tests::Answer {
    api.post(&format!("/auth/companies/{}/select", company.id), Value::Null).await
}

pub async fn a_person_of_two_companies_chooses_one(stack: Arc<Stack>) {
    let (home, second) = (company(&stack).await, company(&stack).await);
    join(&stack, &second, home.admin.id, "agent", "active").await;
    let mine = home.admin.api.get("/auth/companies").await.expect(200);
    let mine = mine["data"].as_array().or(mine.as_array()).cloned().unwrap_or_default();
    let active =
        |company: &Company| mine.iter().find(|row| row["id"] == company.id.to_string()).map(|row| row["is_active"] == true);
    assert_eq!((active(&home), active(&second), mine.len()), (Some(true), Some(false), 2));

    let selected = select(&home.admin.api, &second).await.expect(200);
    assert_eq!((text(&selected["role"]), &selected["company"]["id"]), ("agent", &json!(second.id.to_string())));
    let there = stack.api().with_token(text(&selected["access_token"]));
    assert_eq!(there.get("/users").await.expect(200)["pagination"]["total"], 4);
    // The role of the one company is worth nothing in the other.
    assert_eq!(there.post("/departments", json!({"name": "Vendas"})).await.problem(403), "forbidden");
    let login = json!({"email": home.admin.email, "password": home.password, "company_id": second.id});
    assert_eq!(stack.api().post("/auth/login", login).await.expect(200)["user"]["role"], "agent");
}

pub async fn only_ones_own_active_companies_can_be_chosen(stack: Arc<Stack>) {
    let (home, other, pending, left) =
        (company(&stack).await, company(&stack).await, company(&stack).await, company(&stack).await);
    join(&stack, &pending, home.admin.id, "agent", "pending_approval").await;
    join(&stack, &left, home.admin.id, "agent", "inactive").await;
    for company in [&other, &pending, &left] {
        assert_eq!(select(&home.admin.api, company).await.problem(404), "not_found");
    }
    let login = |company: &Company| json!({"email": home.admin.email, "password": home.password, "company_id": company.id});
    assert_eq!(stack.api().post("/auth/login", login(&other)).await.problem(403), "no_active_company");
    assert_eq!(stack.api().post("/auth/login", login(&pending)).await.problem(403), "pending_approval");
    assert_eq!(stack.api().post("/auth/login", login(&left)).await.problem(403), "no_active_company");
}

pub async fn a_login_enters_the_primary_company_else_the_oldest(stack: Arc<Stack>) {
    let (home, second, third) = (company(&stack).await, company(&stack).await, company(&stack).await);
    let database = stack.database().await;
    for company in [&second, &third] {
        join(&stack, company, home.admin.id, "agent", "active").await;
    }
    let entered = async || {
        let login = json!({"email": home.admin.email, "password": home.password});
        let company = stack.api().post("/auth/login", login).await.expect(200)["company"]["id"].clone();
        text(&company).parse::<Uuid>().expect("an id")
    };
    let primary = async || {
        let mine = home.admin.api.get("/auth/companies").await.expect(200);
        let rows = mine["data"].as_array().cloned().unwrap_or_default();
        let primary: Vec<Uuid> =
            rows.iter().filter(|row| row["is_primary"] == true).map(|row| text(&row["id"]).parse().expect("an id")).collect();
        assert_eq!(primary.len(), 1, "{rows:?}");
        primary[0]
    };
    let choose = async |company: Uuid| home.admin.api.post(&format!("/auth/companies/{company}/primary"), json!({})).await;
    // Nobody has chosen: the oldest.
    assert_eq!((entered().await, primary().await), (home.id, home.id));
    for company in [third.id, third.id, second.id, third.id] {
        let chosen = choose(company).await.expect(200);
        assert_eq!((&chosen["id"], &chosen["is_primary"], &chosen["is_active"]), (&json!(company), &json!(true), &json!(false)));
        assert_eq!((entered().await, primary().await), (company, company));
    }
    // There is one at most, and only where somebody is in.
    let another = "update memberships set is_primary = true where user_id = $1 and company_id = $2";
    let refused = database.execute(another, &[&home.admin.id, &second.id]).await.expect_err("a second one");
    assert_eq!(refused.as_db_error().and_then(|error| error.constraint()), Some("memberships_primary"));
    let out = "update memberships set status = 'inactive' where user_id = $1 and is_primary";
    let refused = database.execute(out, &[&home.admin.id]).await.expect_err("one that was left");
    assert_eq!(refused.as_db_error().and_then(|error| error.constraint()), Some("memberships_primary_active"));
    // One that was left is neither entered nor chosen, nor is a stranger's or one that is waited for.
    third.admin.api.post(&format!("/admin/deactivate-user/{}", home.admin.id), json!({})).await.expect(200);
    assert_eq!((entered().await, primary().await), (home.id, home.id));
    let (stranger, pending) = (company(&stack).await, company(&stack).await);
    join(&stack, &pending, home.admin.id, "agent", "pending_approval").await;
    for company in [third.id, stranger.id, pending.id, Uuid::now_v7()] {
        assert_eq!(choose(company).await.problem(404), "not_found");
    }
    assert_eq!((entered().await, primary().await), (home.id, home.id));
}

pub async fn of_many_who_choose_at_once_the_last_one_holds(stack: Arc<Stack>) {
    let home = company(&stack).await;
    let mut companies = vec![home.id];
    for _ in 0..3 {
        let other = company(&stack).await;
        join(&stack, &other, home.admin.id, "agent", "active").await;
        companies.push(other.id);
    }
    let paths: Vec<String> = (0..16).map(|number| format!("/auth/companies/{}/primary", companies[number % 4])).collect();
    let answers = join_all(paths.iter().map(|path| home.admin.api.post(path, json!({})))).await;
    for answer in answers {
        assert_eq!(answer.expect(200)["is_primary"], true);
    }
    let sql = "select count(*) from memberships where user_id = $1 and is_primary";
    let row = stack.database().await.query_one(sql, &[&home.admin.id]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 1);
    // Chosen while they are put out: it is theirs no more.
    let leaver = &companies[1];
    for _ in 0..5 {
        let back = "update memberships set status = 'active' where user_id = $1 and company_id = $2";
        stack.database().await.execute(back, &[&home.admin.id, leaver]).await.expect("comes back");
        let path = format!("/auth/companies/{leaver}/primary");
        let leave = "update memberships set is_primary = false, status = 'inactive' where user_id = $1 and company_id = $2";
        let database = stack.database().await;
        let ids: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&home.admin.id, leaver];
        let (chosen, left) = tokio::join!(home.admin.api.post(&path, json!({})), database.execute(leave, &ids));
        assert!([200, 404].contains(&chosen.status), "{}", chosen.body);
        left.expect("they are put out");
    }
}

/// A person's session in the company they chose.
struct Chosen {
    person: Person,
    id: Uuid,
}

/// Chooses a company in the session of `person`.
async fn choose(stack: &Stack, person: &Person, company: &Company) -> Chosen {
    let selected = select(&person.api, company).await.expect(200);
    let api = stack.api().with_token(text(&selected["access_token"]));
    let person = Person { api, refresh_token: text(&selected["refresh_token"]).to_owned(), ..person.clone() };
    Chosen { id: session_of(&person), person }
}

fn session_of(person: &Person) -> Uuid {
    let token = person.api.token.as_deref().expect("somebody signed in");
    text(&forge::claims_of(token)["sid"]).parse().expect("a session")
}

async fn assert_ended(stack: &Stack, person: &Person) {
    assert_eq!(person.api.get("/auth/me").await.problem(401), "session_revoked");
    assert_eq!(refresh(stack, &person.refresh_token).await.problem(401), "refresh_token_invalid");
}

/// How many ends of this session the company's feed tells of.
async fn ends_told(stack: &Stack, company: &Company, session: Uuid) -> i64 {
    let told = "
        select count(*) from events where company_id = $1 and type = 'session.revoked' and data ->> 'session_id' = $2";
    let row = stack.database().await.query_one(told, &[&company.id, &session.to_string()]).await;
    row.expect("the database answers").get(0)
}

pub async fn the_session_chosen_from_goes_on(stack: Arc<Stack>) {
    let (home, second) = (company(&stack).await, company(&stack).await);
    join(&stack, &second, home.admin.id, "supervisor", "active").await;
    let there = choose(&stack, &home.admin, &second).await;
    home.admin.api.get("/auth/me").await.expect(200);
    there.person.api.get("/auth/me").await.expect(200);
    refresh(&stack, &home.admin.refresh_token).await.expect(200);
    refresh(&stack, &there.person.refresh_token).await.expect(200);
}

pub async fn logging_out_ends_every_session_of_the_login(stack: Arc<Stack>) {
    let (home, second, third) = (company(&stack).await, company(&stack).await, company(&stack).await);
    for company in [&second, &third] {
        join(&stack, company, home.admin.id, "supervisor", "active").await;
    }
    let elsewhere = log_in(&stack, &home.admin, &home.password).await;
    let in_second = choose(&stack, &home.admin, &second).await;
    let in_third = choose(&stack, &in_second.person, &third).await;
    let people = [&home.admin, &in_second.person, &in_third.person];
    let mut sockets = Vec::new();
    for person in people {
        sockets.push(person.socket().await);
    }
    // From the middle: those before and those after it end alike.
    in_second.person.api.post("/auth/logout", Value::Null).await.expect(204);
    for person in people {
        assert_ended(&stack, person).await;
    }
    for socket in sockets {
        socket.closed().await;
    }
    assert_eq!(ends_told(&stack, &second, in_second.id).await, 1);
    assert_eq!(ends_told(&stack, &third, in_third.id).await, 1);
    let other_device = stack.api().with_token(text(&elsewhere["access_token"]));
    other_device.get("/auth/me").await.expect(200);
    refresh(&stack, text(&elsewhere["refresh_token"])).await.expect(200);
}

pub async fn a_reused_token_ends_every_session_of_the_login(stack: Arc<Stack>) {
    let (home, second) = (company(&stack).await, company(&stack).await);
    join(&stack, &second, home.admin.id, "supervisor", "active").await;
    let there = choose(&stack, &home.admin, &second).await;
    let back = choose(&stack, &there.person, &home).await;
    let sockets = [home.admin.socket().await, back.person.socket().await];
    let thief = there.person.refresh_token.clone();
    let pair = refresh(&stack, &thief).await.expect(200);
    refresh(&stack, text(&pair["refresh_token"])).await.expect(200);
    let_grace_pass(&stack, there.id).await;
    assert_eq!(refresh(&stack, &thief).await.problem(401), "refresh_token_invalid");
    for person in [&home.admin, &there.person, &back.person] {
        assert_ended(&stack, person).await;
    }
    for socket in sockets {
        socket.closed().await;
    }
    assert_eq!(ends_told(&stack, &second, there.id).await, 1);
    assert_eq!(ends_told(&stack, &home, back.id).await, 1);
}

pub async fn a_session_chosen_ends_when_its_login_does(stack: Arc<Stack>) {
    let (home, second) = (company(&stack).await, company(&stack).await);
    join(&stack, &second, home.admin.id, "agent", "active").await;
    let database = stack.database().await;
    let nearly_over = "update sessions set expires_at = now() + interval '1 hour' where user_id = $1";
    database.execute(nearly_over, &[&home.admin.id]).await.expect("29 days pass");
    let there = choose(&stack, &home.admin, &second).await;
    let back = choose(&stack, &there.person, &home).await;
    let ends = "
        select count(distinct sessions.id), count(distinct sessions.expires_at),
               max(refresh_tokens.expires_at) filter (where sessions.id <> $1) <= max(sessions.expires_at),
               max(sessions.expires_at) <= now() + interval '1 hour'
          from sessions
          join refresh_tokens on refresh_tokens.session_id = sessions.id
         where sessions.id in ($1, $2, $3)";
    let row = database.query_one(ends, &[&session_of(&home.admin), &there.id, &back.id]).await.expect("the ends");
    let (sessions, times): (i64, i64) = (row.get(0), row.get(1));
    assert_eq!((sessions, times, row.get(2), row.get(3)), (3, 1, true, true));
    let over = "update sessions set expires_at = now() - interval '1 second' where id = $1";
    database.execute(over, &[&back.id]).await.expect("it is over");
    assert_eq!(select(&back.person.api, &second).await.problem(401), "session_revoked");
}

/// Both wait for the login; whichever is first, nothing of it is left.
pub async fn a_company_chosen_while_logging_out_is_left_too(stack: Arc<Stack>) {
    let (home, second) = (company(&stack).await, company(&stack).await);
    join(&stack, &second, home.admin.id, "agent", "active").await;
    let lock = Lock::hold(&stack, &format!("family:{}", session_of(&home.admin))).await;
    let choosing = {
        let (api, path) = (home.admin.api.clone(), format!("/auth/companies/{}/select", second.id));
        tokio::spawn(async move { api.post(&path, Value::Null).await })
    };
    lock.until_waited_for(1).await;
    let leaving = {
        let api = home.admin.api.clone();
        tokio::spawn(async move { api.post("/auth/logout", Value::Null).await })
    };
    lock.until_waited_for(2).await;
    lock.release().await;
    let selected = choosing.await.expect("an answer").expect(200);
    leaving.await.expect("an answer").expect(204);
    let there = stack.api().with_token(text(&selected["access_token"]));
    assert_eq!(there.get("/auth/me").await.problem(401), "session_revoked");
}
