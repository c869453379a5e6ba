//! Invites: by mail, for one address, company and role, used once.

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer, Company, Forge, Stack, Wanted,
    company::{Person, text},
    eventually,
};
use uuid::Uuid;

const PASSWORD: &str = "girafa-azul-42-lenta";

fn fresh_email() -> String {
    format!("convidada.{}@example.com", Uuid::new_v4().simple())
}

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, departments: vec![("Vendas", vec![1])], ..Wanted::default() }).await
}

async fn invite(by: &Person, email: &str, role: &str) -> Value {
    by.api.post("/team/invite", json!({"email": email, "name": "Íris Prado", "role": role})).await.expect(201)
}

/// The token of the newest invite for this address, as its mail has it.
async fn token(stack: &Stack, email: &str) -> String {
    let newest = "select id from invites where email = $1 order by created_at desc limit 1";
    let row = stack.database().await.query_one(newest, &[&email]).await.expect("an invite");
    Forge::of(stack).await.link("invite", row.get(0))
}

async fn accept(stack: &Stack, token: &str, body: Value) -> Answer {
    stack.api().post(&format!("/team/accept-invite/{token}"), body).await
}

async fn shown(stack: &Stack, token: &str) -> Answer {
    stack.api().get(&format!("/team/accept-invite/{token}")).await
}

/// The mails that came to this address, once there are any.
async fn mails(stack: &Stack, email: &str) -> Vec<Value> {
    eventually("a mail", || async {
        let caught = stack.control("GET", &format!("/sandbox/mails?to={email}"), None).await;
        caught.as_array().cloned().filter(|mails| !mails.is_empty())
    })
    .await
}

pub async fn the_link_in_the_mail_opens_the_invite(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let email = fresh_email();
    invite(&company.supervisor, &email, "agent").await;
    let mail = mails(&stack, &email).await.remove(0).to_string();
    assert!(mail.contains("Rafael Nunes"), "{mail}");
    let token = token(&stack, &email).await;
    assert!(mail.contains(&format!("accept-invite?token={token}")), "{mail}");
    let joined = accept(&stack, &token, json!({"password": PASSWORD})).await.expect(201);
    assert_eq!(joined["company_id"], json!(company.id));
    let kept = "select count(*) from mails where mails::text like '%' || $1 || '%'";
    let secret = token.split_once('.').expect("two parts").1;
    assert_eq!(stack.database().await.query_one(kept, &[&secret]).await.expect("a count").get::<_, i64>(0), 0);
}

pub async fn admins_are_told_of_who_waits_and_who_waited_of_being_let_in(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let database = stack.database().await;
    let head = company.admin.head().await;
    let emails = [fresh_email(), fresh_email()];
    for email in &emails {
        let body = json!({"name": "Bia Rocha", "email": email, "password": PASSWORD, "company_slug": company.slug});
        // Again, as somebody would who finds out who is known: nothing comes of it.
        stack.api().post("/auth/register", body.clone()).await.expect(202);
        stack.api().post("/auth/register", body).await.expect(202);
    }
    let asked = async |person: &Person| {
        let events = person.events_after(&head).await;
        events.into_iter().filter(|event| event["type"] == "user.awaiting_approval").collect::<Vec<_>>()
    };
    let told = eventually("both told", || async { Some(asked(&company.admin).await).filter(|told| told.len() > 1) }).await;
    assert_eq!((told.len(), text(&told[0]["data"]["email"])), (2, emails[0].as_str()));
    assert_eq!(asked(&company.supervisor).await, [Value::Null; 0]);
    // One mail for both: admins look at their list.
    let sent = "select count(*) from mails where company_id = $1 and template = 'approval_asked' and to_address = $2";
    let row = database.query_one(sent, &[&company.id, &company.admin.email]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 1);
    let id = text(&told[0]["data"]["user_id"]);
    company.admin.api.post(&format!("/admin/approve-user/{id}"), json!({})).await.expect(200);
    company.admin.api.post(&format!("/admin/approve-user/{id}"), json!({})).await.expect(200);
    mails(&stack, &emails[0]).await;
    let approved = "select count(*) from mails where template = 'approved' and to_address = $1";
    assert_eq!(database.query_one(approved, &[&emails[0]]).await.expect("a count").get::<_, i64>(0), 1);
}

pub async fn a_new_person_comes_with_a_name_and_a_password(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let email = fresh_email();
    let body = json!({"email": email.to_uppercase(), "role": "equipe", "department_ids": [company.departments[0].1]});
    let made = company.supervisor.api.post("/team/invite", body).await.expect(201);
    assert_eq!((text(&made["email"]), text(&made["state"]), text(&made["role"])), (email.as_str(), "open", "agent"));
    let token = token(&stack, &email).await;
    assert!(!made.to_string().contains(&token), "the link is the invited person's alone");
    let seen = shown(&stack, &token).await.expect(200);
    assert_eq!((text(&seen["email"]), text(&seen["role"]), &seen["has_account"]), (email.as_str(), "agent", &json!(false)));
    assert_eq!(text(&seen["invited_by_name"]), "Rafael Nunes");
    for (body, field) in [
        (json!({"password": PASSWORD}), "name"),
        (json!({"name": "Íris Prado", "password": "curta"}), "password"),
        (json!({"name": "Íris Prado", "password": "0123456789"}), "password"),
        (json!({"name": "Íris Prado", "password": PASSWORD, "role": "admin"}), "role"),
    ] {
        let refused = accept(&stack, &token, body.clone()).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["field"]), field, "{body}");
    }
    let mut staff = company.agents[0].socket().await;
    let joined = accept(&stack, &token, json!({"name": "Íris Prado", "password": PASSWORD})).await.expect(201);
    assert_eq!((&joined["company_id"], text(&joined["role"])), (&json!(company.id), "agent"));
    let told = staff.of_type("user.updated").await;
    assert_eq!(told["data"]["user"]["id"], joined["user_id"]);
    let there = Person::sign_in(&stack, &email, PASSWORD).await.expect("a login");
    assert_eq!(there.api.get("/users/me").await.expect(200)["departments"][0]["name"], "Vendas");
    let list = company.supervisor.api.get("/team/invites?state=used").await.expect(200);
    assert_eq!((&list["data"][0]["id"], &list["data"][0]["user_id"]), (&made["id"], &joined["user_id"]));
    assert_eq!(accept(&stack, &token, json!({"name": "Outra", "password": PASSWORD})).await.problem(410), "invite_gone");
    assert_eq!(shown(&stack, &token).await.problem(410), "invite_gone");
}

pub async fn somebody_of_elsewhere_comes_with_their_own_password(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let person = &other.agents[0];
    invite(&company.admin, &person.email, "supervisor").await;
    let token = token(&stack, &person.email).await;
    assert_eq!(shown(&stack, &token).await.expect(200)["has_account"], true);
    assert_eq!(accept(&stack, &token, json!({"name": "Íris", "password": PASSWORD})).await.problem(401), "credentials_wrong");
    let joined = accept(&stack, &token, json!({"password": other.password})).await.expect(201);
    assert_eq!(joined["user_id"], json!(person.id));
    // The login goes on, and both companies can be entered by it.
    let selected = person.api.post(&format!("/auth/companies/{}/select", company.id), json!({})).await.expect(200);
    assert_eq!(text(&selected["role"]), "supervisor");
    assert_eq!(person.api.get("/auth/me").await.expect(200)["role"], "agent");
    let named = company.admin.api.get(&format!("/users/{}", person.id)).await.expect(200);
    assert_eq!(text(&named["name"]), "Bruna Lima", "their own name, not the one in the invite");
}

pub async fn of_many_who_come_by_one_link_one_does(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let email = fresh_email();
    invite(&company.admin, &email, "agent").await;
    let token = token(&stack, &email).await;
    let calls = (0..8).map(|number| accept(&stack, &token, json!({"name": format!("Nome {number}"), "password": PASSWORD})));
    let answers = join_all(calls).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{answers:?}");
    for refused in answers.into_iter().filter(|answer| answer.status != 201) {
        assert!([409, 410, 401].contains(&refused.status), "{}", refused.body);
    }
    let rows = "select count(*) from users where email = $1";
    assert_eq!(stack.database().await.query_one(rows, &[&email]).await.expect("a count").get::<_, i64>(0), 1);
}

pub async fn a_link_that_is_altered_opens_nothing(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let (mine, theirs) = (fresh_email(), fresh_email());
    let made = invite(&company.admin, &mine, "agent").await;
    invite(&other.admin, &theirs, "admin").await;
    let (token, foreign) = (token(&stack, &mine).await, token(&stack, &theirs).await);
    let mut altered = token.clone();
    let last = altered.pop().expect("a character");
    altered.push(if last == 'A' { 'B' } else { 'A' });
    let half = token.len() / 2;
    let spliced = format!("{}{}", &token[..half], &foreign[half..]);
    for wrong in [altered, spliced, token[..half].to_owned(), text(&made["id"]).to_owned(), "x".to_owned(), "%20".to_owned()] {
        assert_eq!(shown(&stack, &wrong).await.problem(404), "not_found", "{wrong}");
        assert_eq!(accept(&stack, &wrong, json!({"name": "x", "password": PASSWORD})).await.problem(404), "not_found", "{wrong}");
    }
    // The company of the link is the one joined, whichever a request names.
    let named = json!({"name": "Íris", "password": PASSWORD, "company_id": other.id});
    assert_eq!(accept(&stack, &token, named).await.problem(403), "wrong_company");
    shown(&stack, &token).await.expect(200);
}

pub async fn an_invite_ends_by_time_and_by_being_revoked(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let database = stack.database().await;
    let body = || json!({"name": "Íris Prado", "password": PASSWORD});
    let email = fresh_email();
    let made = invite(&company.admin, &email, "agent").await;
    let token = token(&stack, &email).await;
    let again = company.admin.api.post("/team/invite", json!({"email": email, "role": "agent"})).await.expect(409);
    assert_eq!((text(&again["code"]), &again["current"]["id"]), ("already_invited", &made["id"]));
    let pass =
        "update invites set expires_at = now() - interval '1 second', sent_at = now() - interval '8 days' where email = $1";
    database.execute(pass, &[&email]).await.expect("a week passes");
    assert_eq!(accept(&stack, &token, body()).await.problem(410), "invite_gone");
    let path = format!("/team/invites/{}", text(&made["id"]));
    // Sent again, the same link works again, for another week.
    let sent = company.supervisor.api.post(&format!("{path}/resend"), json!({})).await.expect(200);
    assert_eq!(text(&sent["state"]), "open");
    assert_eq!(company.supervisor.api.post(&format!("{path}/resend"), json!({})).await.problem(429), "sent_just_now");
    shown(&stack, &token).await.expect(200);
    company.supervisor.api.call(Method::DELETE, &path, None).await.expect(204);
    assert_eq!(accept(&stack, &token, body()).await.problem(410), "invite_gone");
    assert_eq!(company.supervisor.api.post(&format!("{path}/resend"), json!({})).await.problem(410), "invite_gone");
    // One that has expired makes room for the next.
    let next = invite(&company.admin, &email, "supervisor").await;
    database.execute(pass, &[&email]).await.expect("a week passes");
    assert_ne!(invite(&company.admin, &email, "agent").await["id"], next["id"]);
}

pub async fn members_are_not_invited_and_removed_ones_come_back_by_an_invite(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let invited = async |by: &Person| by.api.post("/team/invite", json!({"email": agent.email, "role": "supervisor"})).await;
    let refused = invited(&company.admin).await.expect(409);
    assert_eq!((text(&refused["code"]), &refused["current"]["id"]), ("already_member", &json!(agent.id)));
    company.admin.api.post(&format!("/admin/deactivate-user/{}", agent.id), json!({})).await.expect(200);
    assert_eq!(invited(&company.admin).await.problem(409), "already_member");
    let remove = format!("/companies/{}/members/{}", company.id, agent.id);
    company.admin.api.call(Method::DELETE, &remove, None).await.expect(204);
    invited(&company.admin).await.expect(201);
    let token = token(&stack, &agent.email).await;
    accept(&stack, &token, json!({"password": company.password})).await.expect(201);
    assert_eq!(agent.api.get("/auth/me").await.problem(401), "session_revoked");
    let back = Person::sign_in(&stack, &agent.email, &company.password).await.expect("a login");
    let me = back.api.get("/users/me").await.expect(200);
    assert_eq!((text(&me["role"]), &me["departments"]), ("supervisor", &json!([])));
    // An invite does not outlive the membership it is for.
    company.admin.api.call(Method::DELETE, &remove, None).await.expect(204);
    assert_eq!(accept(&stack, &token, json!({"password": company.password})).await.problem(410), "invite_gone");
}

pub async fn a_user_without_a_password_is_invited(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let email = fresh_email();
    let made = company.admin.api.post("/users", json!({"name": "Íris Prado", "email": email, "role": "agent"})).await.expect(201);
    assert_eq!((text(&made["status"]), &made["id"], &made["user"]), ("invited", &made["invite"]["id"], &Value::Null));
    let token = token(&stack, &email).await;
    let joined = accept(&stack, &token, json!({"password": PASSWORD})).await.expect(201);
    let named = company.admin.api.get(&format!("/users/{}", text(&joined["user_id"]))).await.expect(200);
    assert_eq!(text(&named["name"]), "Íris Prado");
    // The third way to invite somebody.
    let path = format!("/companies/{}/members", company.id);
    let other = fresh_email();
    company.admin.api.post(&path, json!({"email": other, "role": "admin"})).await.expect(201);
    assert_eq!(shown(&stack, &self::token(&stack, &other).await).await.expect(200)["role"], "admin");
}

pub async fn pages_hold_every_invite_once_while_others_come_and_go(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut made = Vec::new();
    for _ in 0..6 {
        made.push(invite(&company.admin, &fresh_email(), "agent").await["id"].clone());
    }
    let mut seen: Vec<Value> = Vec::new();
    let mut path = "/team/invites?state=open&limit=2".to_owned();
    loop {
        let page = company.admin.api.get(&path).await.expect(200);
        seen.extend(page["data"].as_array().expect("invites").iter().map(|row| row["id"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/team/invites?state=open&limit=2&cursor={cursor}");
        // One that was seen is revoked, and there is a new one before all of them.
        let revoke = format!("/team/invites/{}", text(&seen[seen.len() - 2]));
        company.admin.api.call(Method::DELETE, &revoke, None).await.expect(204);
        invite(&company.admin, &fresh_email(), "agent").await;
    }
    made.reverse();
    assert_eq!(seen, made);
    // Without a filter, in either order.
    let all = company.admin.api.get("/team/invites?limit=100").await.expect(200);
    let all: Vec<Value> = all["data"].as_array().expect("invites").iter().map(|row| row["id"].clone()).collect();
    for order in ["desc", "asc"] {
        let (mut seen, mut cursor): (Vec<Value>, String) = (Vec::new(), String::new());
        for _ in 0..=all.len() / 2 {
            let page = company.admin.api.get(&format!("/team/invites?limit=2&order={order}{cursor}")).await.expect(200);
            seen.extend(page["data"].as_array().expect("invites").iter().map(|row| row["id"].clone()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        if order == "asc" {
            seen.reverse();
        }
        assert_eq!(seen, all, "{order}");
    }
}
