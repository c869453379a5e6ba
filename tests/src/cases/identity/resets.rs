//! Passwords that are forgotten, and mails about the account.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{
    Answer, Company, Stack, Wanted,
    authenticator::{Secured, newcomer},
    company::Person,
    mailbox::{mails_to, next_mail_to, token_in},
};
use uuid::Uuid;

use super::refreshing::refresh;
use crate::cases::{canary, contract::sample::log_in};

const NEW: &str = "girafa-azul-42-lenta";

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 1, ..Wanted::default() }).await
}

async fn forget(stack: &Stack, email: &str) -> Value {
    stack.api().post("/auth/password/forgot", json!({"email": email})).await.expect(202)
}

/// The token of the link that comes by mail to who has forgotten their password.
async fn link(stack: &Stack, person: &Person) -> String {
    let known = mails_to(stack, &person.email).await.len();
    forget(stack, &person.email).await;
    token_in(&next_mail_to(stack, &person.email, known).await)
}

async fn reset(stack: &Stack, token: &str, password: &str) -> Answer {
    stack.api().post("/auth/password/reset", json!({"token": token, "password": password})).await
}

async fn enter(stack: &Stack, person: &Person, password: &str) -> Answer {
    stack.api().post("/auth/login", json!({"email": person.email, "password": password})).await
}

pub async fn a_forgotten_password_is_set_by_the_link(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let known = mails_to(&stack, &company.admin.email).await.len();
    let mut secured = Secured::make(&company.admin).await;
    next_mail_to(&stack, &company.admin.email, known).await;
    for person in [&company.admin, &company.students[0]] {
        let sockets = [person.socket().await];
        let earlier = link(&stack, person).await;
        let known = mails_to(&stack, &person.email).await.len();
        forget(&stack, &format!(" {} ", person.email.to_uppercase())).await;
        let mail = next_mail_to(&stack, &person.email, known).await;
        let token = token_in(&mail);
        let challenge =
            if person.id == company.admin.id { Some(secured.challenge(&stack, &company.password).await) } else { None };
        reset(&stack, &token, NEW).await.expect(204);
        // Whoever was signed in is not any more.
        assert_eq!(person.api.get("/auth/me").await.problem(401), "session_revoked");
        assert_eq!(refresh(&stack, &person.refresh_token).await.problem(401), "refresh_token_invalid");
        for socket in sockets {
            socket.closed().await;
        }
        assert_eq!(enter(&stack, person, &company.password).await.problem(401), "credentials_wrong");
        let entered = enter(&stack, person, NEW).await.expect(200);
        // A second factor stays one, and what was begun with the old password is over.
        assert_eq!(entered.get("challenge").is_some(), challenge.is_some());
        if let Some(challenge) = challenge {
            let code = secured.recovery_codes.pop().expect("a code");
            let answer = json!({"challenge": challenge, "code": code});
            assert_eq!(stack.api().post("/auth/login/verify", answer).await.problem(401), "challenge_invalid");
        }
        for used in [&token, &earlier] {
            assert_eq!(reset(&stack, used, "outra-girafa-azul-43").await.problem(410), "link_invalid");
        }
        let told = next_mail_to(&stack, &person.email, known + 1).await;
        assert!(!told.to_string().contains("token="), "{told}");
        canary::assert_nowhere(&stack, &[NEW, &token], &[]).await;
    }
    let told = "select count(*) from events where company_id = $1 and type = 'session.revoked' and data ->> 'reason' = 'password_changed'";
    let row = stack.database().await.query_one(told, &[&company.id]).await.expect("a count");
    assert!(row.get::<_, i64>(0) >= 2);
}

pub async fn a_link_is_good_once_for_half_an_hour(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let database = stack.database().await;
    let person = newcomer(&stack, &company, "agent").await;
    let token = link(&stack, &person).await;
    let mut altered = token.clone();
    altered.pop();
    altered.push(if token.ends_with('A') { 'B' } else { 'A' });
    let other = link(&stack, &company.supervisor).await;
    // Neither the other's id with this one's seal.
    let mixed = format!("{}{}", &other[..other.len() / 2], &token[other.len() / 2..]);
    for wrong in [altered.as_str(), &mixed, "", "x", &person.refresh_token, person.api.token.as_deref().unwrap_or_default()] {
        let answer = reset(&stack, wrong, NEW).await;
        assert!([410, 422].contains(&answer.status), "{wrong}: {}", answer.body);
    }
    // A password that is refused leaves it as it is.
    for weak in ["curta", "Chocolate3", "Novata da Silva"] {
        let refused = reset(&stack, &token, weak).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "password", "{weak}");
    }
    let leave = "update memberships set status = $2 where user_id = $1";
    database.execute(leave, &[&person.id, &"inactive"]).await.expect("leaves");
    assert_eq!(reset(&stack, &token, NEW).await.problem(410), "link_invalid");
    database.execute(leave, &[&person.id, &"active"]).await.expect("comes back");
    let chosen: Vec<String> = (0..10).map(|number| format!("{NEW}-{number}")).collect();
    let answers = join_all(chosen.iter().map(|new| reset(&stack, &token, new))).await;
    let winners: Vec<usize> = (0..10).filter(|number| answers[*number].status == 204).collect();
    assert_eq!(winners.len(), 1);
    assert!(answers.iter().all(|answer| answer.status == 204 || answer.body["code"] == "link_invalid"));
    enter(&stack, &person, &format!("{NEW}-{}", winners[0])).await.expect(200);
    let late = "update password_resets set expires_at = now() where user_id = $1";
    database.execute(late, &[&company.supervisor.id]).await.expect("time passes");
    assert_eq!(reset(&stack, &other, NEW).await.problem(410), "link_invalid");
    enter(&stack, &company.supervisor, &company.password).await.expect(200);
}

pub async fn who_has_an_account_is_not_told_by_asking(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let leave = "update memberships set status = $2 where user_id = $1";
    let (inactive, pending) = (newcomer(&stack, &company, "agent").await, newcomer(&stack, &company, "agent").await);
    for (person, status) in [(&inactive, "inactive"), (&pending, "pending_approval")] {
        stack.database().await.execute(leave, &[&person.id, &status]).await.expect("it is set");
    }
    let mut people = Vec::new();
    for _ in 0..6 {
        people.push(newcomer(&stack, &company, "agent").await);
    }
    let time = async |email: &str| {
        let begun = Instant::now();
        assert_eq!(forget(&stack, email).await, json!({"status": "check_your_mail"}));
        begun.elapsed()
    };
    // The function is warm by then.
    forget(&stack, "ninguem@nenhum-lugar.example").await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for person in &people {
        known.push(time(&person.email).await);
        unknown.push(time("ninguem@nenhum-lugar.example").await);
    }
    known.sort();
    unknown.sort();
    let difference = known[3].abs_diff(unknown[3]);
    assert!(difference < Duration::from_millis(60), "{known:?} {unknown:?}");
    for person in [&inactive, &pending] {
        forget(&stack, &person.email).await;
    }
    for person in &people {
        next_mail_to(&stack, &person.email, 0).await;
    }
    let kept = "select count(*) from password_resets where user_id in ($1, $2)";
    let row = stack.database().await.query_one(kept, &[&inactive.id, &pending.id]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 0);
    for email in ["ana@ação.com.br", "ana@escola.com.", "ana@escola.com.br.", "açã@escola.com", "", "ana"] {
        let refused = stack.api().post("/auth/password/forgot", json!({"email": email})).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "email", "{email}");
    }
}

pub async fn nobody_fills_a_mailbox(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let person = newcomer(&stack, &company, "agent").await;
    let database = stack.database().await;
    let tagged = person.email.replace('@', "+crm@");
    database.execute("update users set email = $2 where id = $1", &[&person.id, &tagged]).await.expect("another address");
    join_all((0..8).map(|_| forget(&stack, &tagged))).await;
    for known in 0..3 {
        next_mail_to(&stack, &tagged, known).await;
    }
    let made = "select count(*) from password_resets where user_id = $1";
    assert_eq!(database.query_one(made, &[&person.id]).await.expect("a count").get::<_, i64>(0), 3);
    let force = format!("/admin/reset-password/{}", person.id);
    assert_eq!(company.admin.api.post(&force, Value::Null).await.problem(429), "too_many_links");
    let later = "update password_resets set created_at = now() - interval '31 minutes' where user_id = $1";
    database.execute(later, &[&person.id]).await.expect("time passes");
    let known = mails_to(&stack, &tagged).await.len();
    company.admin.api.post(&force, Value::Null).await.expect(204);
    let token = token_in(&next_mail_to(&stack, &tagged, known).await);
    reset(&stack, &token, NEW).await.expect(204);
    let entered = stack.api().post("/auth/login", json!({"email": tagged, "password": NEW})).await;
    entered.expect(200);
}

pub async fn a_new_device_is_told_of(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let person = newcomer(&stack, &company, "agent").await;
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0";
    let api = stack.api();
    let login = json!({"email": person.email, "password": company.password});
    let sign_in = async |agent: &str, address: [u8; 4]| {
        let mut device = api.with_header("user-agent", agent);
        device.address = address.into();
        device.post("/auth/login", login.clone()).await.expect(200)
    };
    // The first was not told of; the second is.
    sign_in(firefox, [100, 64, 7, 1]).await;
    let mail = next_mail_to(&stack, &person.email, 0).await;
    assert!(mail.to_string().contains("Firefox, Linux") && mail.to_string().contains("100.64.7.1"), "{mail}");
    // Known by now, also in a newer version and at another address of its network.
    sign_in(&firefox.replace("146", "147"), [100, 64, 7, 200]).await;
    // Known here, and from elsewhere new.
    sign_in(firefox, [100, 65, 7, 1]).await;
    let mail = next_mail_to(&stack, &person.email, 1).await;
    assert!(mail.to_string().contains("100.65.7.1"), "{mail}");
    let secured = Secured::make(&person).await;
    // Which they are told of too.
    next_mail_to(&stack, &person.email, 2).await;
    let challenge = secured.challenge(&stack, &company.password).await;
    let mut device = stack.api().with_header("user-agent", "curl/8.17.0");
    device.address = [100, 66, 7, 1].into();
    let answer = json!({"challenge": challenge, "code": secured.app.code_in(1)});
    device.post("/auth/login/verify", answer).await.expect(200);
    let mail = next_mail_to(&stack, &person.email, 3).await;
    assert!(mail.to_string().contains("100.66.7.1"), "{mail}");
    log_in(&stack, &company.supervisor, &company.password).await;
    assert_eq!(mails_to(&stack, &person.email).await.len(), 4);
}

pub async fn what_opens_one_thing_opens_no_other(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let secured = Secured::make(&newcomer(&stack, &company, "agent").await).await;
    next_mail_to(&stack, &secured.person.email, 0).await;
    let invited = format!("convidada.{}@example.com", Uuid::new_v4().simple());
    company.admin.api.post("/team/invite", json!({"email": invited, "name": "Íris", "role": "agent"})).await.expect(201);
    let invite = token_in(&next_mail_to(&stack, &invited, 0).await);
    let reset_token = link(&stack, &secured.person).await;
    let challenge = secured.challenge(&stack, &company.password).await;
    // Each is what it is, also with the other's id or seal.
    let (invite_id, invite_seal) = invite.split_once('.').expect("two parts");
    let (reset_id, reset_seal) = reset_token.split_once('.').expect("two parts");
    let mixed = [format!("{invite_id}.{reset_seal}"), format!("{reset_id}.{invite_seal}")];
    for wrong in [&invite, &challenge, &secured.person.refresh_token, &mixed[0], &mixed[1]] {
        assert_eq!(reset(&stack, wrong, NEW).await.problem(410), "link_invalid", "{wrong}");
    }
    for wrong in [&reset_token, &challenge, &mixed[0], &mixed[1]] {
        let answer = stack.api().post(&format!("/team/accept-invite/{wrong}"), json!({"password": NEW})).await;
        assert_eq!(answer.problem(404), "not_found", "{wrong}");
    }
    for wrong in [&reset_token, &invite, &secured.person.refresh_token] {
        let answer = json!({"challenge": wrong, "code": secured.app.code_in(1)});
        assert_eq!(stack.api().post("/auth/login/verify", answer).await.problem(401), "challenge_invalid", "{wrong}");
        assert_eq!(stack.api().with_token(wrong.as_str()).get("/auth/me").await.status, 401, "{wrong}");
    }
    // Of a challenge answered by many at once, with codes that are all right, one comes in.
    let codes: Vec<&String> = secured.recovery_codes.iter().take(8).collect();
    let bodies: Vec<Value> = codes.iter().map(|code| json!({"challenge": challenge, "code": code})).collect();
    let api = stack.api();
    let answers = join_all(bodies.into_iter().map(|body| api.post("/auth/login/verify", body))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.body["code"] == "challenge_invalid"));
    // What was tried in the wrong place is as good as before.
    reset(&stack, &reset_token, NEW).await.expect(204);
    stack.api().post(&format!("/team/accept-invite/{invite}"), json!({"password": NEW})).await.expect(201);
}

pub async fn an_address_is_one_however_it_is_written(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let number = Uuid::new_v4().simple();
    let email = format!("kika.{number}+crm@example.com");
    let invite = |email: &str| json!({"email": email, "name": "Kika", "role": "agent"});
    company.admin.api.post("/team/invite", invite(&email)).await.expect(201);
    let token = token_in(&next_mail_to(&stack, &email, 0).await);
    stack.api().post(&format!("/team/accept-invite/{token}"), json!({"password": NEW})).await.expect(201);
    // Capitals, and the Kelvin sign, which is a capital of `k`.
    let same = [email.to_uppercase(), email.replacen('k', "\u{212a}", 1), format!(" {email}\t")];
    for written in &same {
        let entered = stack.api().post("/auth/login", json!({"email": written, "password": NEW})).await;
        assert!(
            entered.status == 200 && entered.body["user"]["email"] == json!(email) || entered.status == 422,
            "{written}: {}",
            entered.body
        );
        let again = company.admin.api.post("/team/invite", invite(written)).await;
        assert!([409, 422].contains(&again.status), "{written}: {}", again.body);
    }
    // Another address, or none at all: neither enters, and a link for it goes nowhere.
    let others = [
        format!("kika.{number}@example.com"),
        format!("kika.{number}+crm@example.com."),
        format!("kika.{number}+crm@example.com.br"),
        format!("kíka.{number}+crm@example.com"),
        format!("ki\u{301}ka.{number}+crm@example.com"),
        format!("kika.{number}+crm@example\u{3002}com"),
        format!("kika.{number}+crm@ex\u{430}mple.com"),
        format!("kika.{number}+crm\u{200b}@example.com"),
        format!("kika.{number}+crm@example.com\0"),
        format!("<kika.{number}+crm@example.com>"),
        format!("kika.{number}+crm@example.com,outra@example.com"),
    ];
    for written in &others {
        let entered = stack.api().post("/auth/login", json!({"email": written, "password": NEW})).await;
        assert!([401, 422].contains(&entered.status), "{written}: {}", entered.body);
        let forgotten = stack.api().post("/auth/password/forgot", json!({"email": written})).await;
        assert!([202, 422].contains(&forgotten.status), "{written}: {}", forgotten.body);
    }
    // What tells of a new device comes when it comes; the invitation has a link, and nothing else.
    let links = mails_to(&stack, &email).await.iter().filter(|mail| mail.to_string().contains("token=")).count();
    assert_eq!(links, 1);
}
