//! A person's whole time in a company, with nothing but requests, sockets and the mails that they find.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Stack,
    authenticator::Secured,
    company::{Person, text},
    mailbox::{mails_to, next_mail_to, token_in},
    sandbox::fresh_number,
};
use uuid::Uuid;

use crate::cases::identity::refreshing::refresh;

const OWNERS: &str = "tucano-verde-17-alto";
const PASSWORD: &str = "girafa-azul-42-lenta";

fn fresh_email(name: &str) -> String {
    format!("{name}.{}@example.com", Uuid::new_v4().simple())
}

/// Somebody founds a company and signs in.
async fn founder(stack: &Stack) -> Person {
    let email = fresh_email("fundadora");
    let company = json!({"name": "Ana Souza", "email": email, "password": OWNERS, "company_name": "Mentoria São João"});
    stack.api().post("/auth/register", company).await.expect(202);
    Person::sign_in(stack, &email, OWNERS).await.expect("the founder signs in")
}

/// Somebody comes by the link that is mailed to them, and signs in.
async fn invited(stack: &Stack, by: &Person) -> Person {
    let email = fresh_email("convidada");
    by.api.post("/team/invite", json!({"email": email, "name": "Íris Prado", "role": "agent"})).await.expect(201);
    let mail = next_mail_to(stack, &email, 0).await;
    assert!(text(&mail["text"]).contains("Ana Souza convidou você para Mentoria São João"), "{mail}");
    let link = format!("/team/accept-invite/{}", token_in(&mail));
    assert_eq!(stack.api().get(&link).await.expect(200)["email"], json!(email));
    stack.api().post(&link, json!({"password": PASSWORD})).await.expect(201);
    Person::sign_in(stack, &email, PASSWORD).await.expect("who was invited signs in")
}

fn login(person: &Person) -> Value {
    json!({"email": person.email, "password": PASSWORD})
}

pub async fn somebody_comes_works_and_is_let_go(stack: Arc<Stack>) {
    let owner = founder(&stack).await;
    let mut person = invited(&stack, &owner).await;

    // The second factor, which the next login asks for.
    let mut secured = Secured::make(&person).await;
    let mail = next_mail_to(&stack, &person.email, 1).await;
    assert_eq!(text(&mail["subject"]), "Verificação em duas etapas ativada");
    person.api.post("/auth/logout", json!({})).await.expect(204);
    assert_eq!(person.api.get("/auth/me").await.problem(401), "session_revoked");
    let challenge = secured.challenge(&stack, PASSWORD).await;
    let wrong = json!({"challenge": challenge, "code": secured.app.wrong_code()});
    assert_eq!(stack.api().post("/auth/login/verify", wrong).await.problem(401), "code_wrong");
    // The step after the one that the set-up has taken.
    let answer = json!({"challenge": challenge, "code": secured.app.code_in(1)});
    let entered = stack.api().post("/auth/login/verify", answer).await.expect(200);
    person.api = stack.api().with_token(text(&entered["access_token"]));
    person.refresh_token = text(&entered["refresh_token"]).to_owned();
    assert_eq!(person.api.get("/auth/me").await.expect(200)["two_factor_enabled"], true);

    // Their place in the company, which has hours.
    let department = json!({"name": "Vendas", "member_ids": [person.id]});
    let department = owner.api.post("/departments", department).await.expect(201);
    let department = text(&department["id"]);
    assert_eq!(person.api.get("/users/me").await.expect(200)["departments"][0]["name"], "Vendas");
    let day = json!([{"from": "00:00", "to": "24:00"}]);
    let week =
        json!({"monday": day, "tuesday": day, "wednesday": day, "thursday": day, "friday": day, "saturday": day, "sunday": day});
    let hours = json!({"week": week, "time_zone": "America/Manaus", "keeps_optional_holidays": false});
    assert_eq!(person.api.call(Method::PUT, "/calendar", Some(hours.clone())).await.problem(403), "forbidden");
    owner.api.call(Method::PUT, "/calendar", Some(hours)).await.expect(200);
    let seen = person.api.get(&format!("/calendar?department_id={department}")).await.expect(200);
    assert_eq!((&seen["week"], text(&seen["time_zone"])), (&week, "America/Manaus"));

    // Their work.
    let phone = owner.connect_number(&stack, department).await;
    let client = fresh_number();
    phone.receive_text(&client, "Quanto custa?").await;
    let conversation = person.conversation_id_of(&client).await;
    person.take_over(&conversation).await;
    let told = person.say(&conversation, "Bom dia!").await;
    person.message_with_status(&told, "sent").await;
    let socket = person.socket().await;

    // A link to a new password, not used yet, and a login begun.
    let known = mails_to(&stack, &person.email).await.len();
    stack.api().post("/auth/password/forgot", json!({"email": person.email})).await.expect(202);
    let reset = token_in(&next_mail_to(&stack, &person.email, known).await);
    let begun = secured.challenge(&stack, PASSWORD).await;

    // They are let go.
    let row = owner.api.post(&format!("/admin/deactivate-user/{}", person.id), json!({})).await.expect(200);
    assert_eq!((text(&row["status"]), &row["is_active"]), ("inactive", &json!(false)));
    socket.closed().await;
    assert_eq!(person.api.get("/auth/me").await.problem(401), "session_revoked");
    assert_eq!(person.api.post("/realtime/tickets", json!({})).await.problem(401), "session_revoked");
    assert_eq!(refresh(&stack, &person.refresh_token).await.problem(401), "refresh_token_invalid");
    let waiting = owner.conversation(&conversation).await;
    assert_eq!(
        (text(&waiting["status"]), &waiting["assignee_id"], text(&waiting["department_id"])),
        ("pending", &Value::Null, department)
    );
    let transfers = owner.api.get(&format!("/conversations/{conversation}/transfers")).await.expect(200);
    assert_eq!((&transfers["data"][0]["from_user_id"], &transfers["data"][0]["to_user_id"]), (&json!(person.id), &Value::Null));

    // Nothing that they still have opens anything.
    let code = secured.recovery_codes.pop().expect("a code");
    let answer = json!({"challenge": begun, "code": code});
    assert_eq!(stack.api().post("/auth/login/verify", answer).await.problem(401), "challenge_invalid");
    let new = json!({"token": reset, "password": "outra-girafa-azul-43"});
    assert_eq!(stack.api().post("/auth/password/reset", new).await.problem(410), "link_invalid");
    let known = mails_to(&stack, &person.email).await.len();
    stack.api().post("/auth/password/forgot", json!({"email": person.email})).await.expect(202);
    assert_eq!(stack.api().post("/auth/login", login(&person)).await.problem(401), "credentials_wrong");

    // Once they are back, the password is the old one, and so is the second factor.
    owner.api.post(&format!("/admin/reactivate-user/{}", person.id), json!({})).await.expect(200);
    let back = secured.log_in(&stack, PASSWORD).await;
    let me = back.get("/users/me").await.expect(200);
    assert_eq!((text(&me["status"]), text(&me["departments"][0]["name"])), ("active", "Vendas"));
    assert_eq!(person.api.get("/auth/me").await.problem(401), "session_revoked", "what has ended stays so");
    let links = mails_to(&stack, &person.email).await;
    assert!(links[known..].iter().all(|mail| !mail.to_string().contains("token=")), "a link for who was out: {links:?}");
}
