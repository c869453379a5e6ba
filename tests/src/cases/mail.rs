//! Mails: written in their reader's language, handed over once, and what becomes of those no server takes.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, eventually};
use tokio_postgres::Client;
use uuid::Uuid;

use super::{
    contract::privileges::Inside,
    faults::{dispatch, kill, let_leases_pass, start, stop},
};
use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    use self as mail;
    cases! {
        mail::{
            a_mail_is_written_in_its_readers_language,
            a_server_that_refuses_the_recipient_is_not_asked_again,
            a_server_that_is_busy_or_away_is_asked_again,
            a_mail_that_may_have_gone_goes_again_as_the_same,
            who_may_not_send_a_mail_does_not,
            only_admins_see_whom_the_company_writes_to,
            a_companys_own_server_is_the_one_that_is_asked,
            a_mail_is_handed_over_encrypted_after_a_login,
            a_server_for_whose_certificate_nobody_vouches_is_told_nothing,
            a_server_that_is_slow_gets_its_mail_and_one_that_says_nothing_is_asked_again,
            a_mail_whose_link_has_expired_is_not_sent,
        };
    }
}

const ADD: &str = "
    with mail as (
        insert into mails (id, company_id, template, to_address, to_name, locale, link_purpose, link_id, data)
        values ($1, $2, $3, $4, 'João <b>', $5, $6, $7, $8)
    )
    insert into jobs (id, company_id, kind, queue, lane, payload)
    values ($1, $2, 'send_email', 'mail', $1::text, jsonb_build_object('mail_id', $1))";

const STATE: &str = "select state, attempts, reply from mails where id = $1";

struct Sent<'a> {
    stack: &'a Stack,
    database: Client,
    id: Uuid,
    to: String,
}

/// Has a mail sent to an address nobody else has.
async fn send<'a>(stack: &'a Stack, company: &Company, template: &str, locale: &str, to: &str) -> Sent<'a> {
    let (database, id) = (stack.database().await, Uuid::now_v7());
    let link = (template == "invite").then(|| Uuid::from_u128(77));
    let purpose = link.map(|_| "invite");
    let data = json!({"inviter": "Ana", "device": "Firefox"});
    database.execute(ADD, &[&id, &company.id, &template, &to, &locale, &purpose, &link, &data]).await.expect("a mail");
    dispatch(stack, company).await;
    Sent { stack, database, id, to: to.to_owned() }
}

fn address() -> String {
    format!("{}@destino.example", Uuid::new_v4().simple())
}

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 1, ..Wanted::default() }).await
}

async fn fault(stack: &Stack, to: &str, mut fault: Value) {
    fault["target"] = json!("mail");
    fault["to"] = json!(to);
    stack.control("POST", "/sandbox/faults", Some(fault)).await;
}

impl Sent<'_> {
    /// Waits until its row says this.
    async fn until(&self, state: &str) -> (i32, String) {
        let what = format!("a mail that is {state}");
        eventually(&what, || async {
            let row = self.database.query_one(STATE, &[&self.id]).await.expect("the mail");
            (row.get::<_, &str>(0) == state && row.get::<_, i32>(1) > 0)
                .then(|| (row.get(1), row.get::<_, Option<String>>(2).unwrap_or_default()))
        })
        .await
    }

    async fn caught(&self) -> Vec<Value> {
        let mails = self.stack.control("GET", &format!("/sandbox/mails?to={}", self.to), None).await;
        mails.as_array().cloned().unwrap_or_default()
    }

    /// The pause until the next attempt is over.
    async fn try_again(&self, company: &Company) {
        self.database
            .execute("update jobs set run_at = now(), dispatched_at = null where id = $1", &[&self.id])
            .await
            .expect("the job");
        dispatch(self.stack, company).await;
    }
}

pub async fn a_mail_is_written_in_its_readers_language(stack: Arc<Stack>) {
    let company = company(&stack).await;
    for (locale, subject, greeting) in [("pt-BR", "Convite para", "Olá, João <b>!"), ("en", "Invitation to", "Hello, João <b>!")]
    {
        let sent = send(&stack, &company, "invite", locale, &address()).await;
        let (attempts, reply) = sent.until("sent").await;
        assert!(attempts == 1 && reply.starts_with("250"), "{reply}");
        let caught = sent.caught().await;
        let [mail] = caught.as_slice() else { panic!("{caught:?}") };
        let (plain, html) = (text(&mail["text"]), text(&mail["html"]));
        assert!(text(&mail["subject"]).starts_with(subject), "{mail}");
        assert!(plain.starts_with(greeting) && html.contains("João &lt;b&gt;") && !html.contains("João <b>"), "{mail}");
        let link = plain.lines().find(|line| line.starts_with("http")).expect("a link");
        assert!(link.starts_with("http://localhost:5173/accept-invite?token=") && html.contains(link), "{link}");
    }
}

pub async fn a_server_that_refuses_the_recipient_is_not_asked_again(stack: Arc<Stack>) {
    let (company, to) = (company(&stack).await, address());
    fault(&stack, &to, json!({"kind": "error", "code": 550, "message": "5.1.1 No such user", "times": 1})).await;
    let sent = send(&stack, &company, "invite", "pt-BR", &to).await;
    let (attempts, reply) = sent.until("refused").await;
    assert!(attempts == 1 && reply.contains("550") && reply.contains("No such user"), "{reply}");
    let job = "select failed, last_error from jobs where id = $1 and finished_at is not null";
    let (failed, error) = eventually("the job's end", || async {
        let row = sent.database.query_opt(job, &[&sent.id]).await.expect("an answer")?;
        Some((row.get::<_, bool>(0), row.get::<_, String>(1)))
    })
    .await;
    assert!(failed && error.contains("No such user"), "{error}");
    assert!(sent.caught().await.is_empty());
    // Until somebody has made room for it, and says so.
    company.admin.api.post(&format!("/jobs/{}/retry", sent.id), json!({})).await.expect(200);
    sent.until("sent").await;
    assert_eq!(sent.caught().await.len(), 1);
}

pub async fn a_server_that_is_busy_or_away_is_asked_again(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let faults =
        [json!({"kind": "error", "code": 451, "message": "4.7.1 Greylisted", "times": 1}), json!({"kind": "refuse", "times": 1})];
    for order in faults {
        let to = address();
        fault(&stack, &to, order.clone()).await;
        let sent = send(&stack, &company, "password_changed", "pt-BR", &to).await;
        let (attempts, reply) = sent.until("queued").await;
        assert!(attempts == 1 && !reply.is_empty() && sent.caught().await.is_empty(), "{order}: {reply}");
        sent.try_again(&company).await;
        assert_eq!(sent.until("sent").await.0, 2, "{order}");
        assert_eq!(sent.caught().await.len(), 1, "{order}");
    }
}

/// Nobody can know whether a server took what it did not answer to: the mail goes again, and says that it is the same.
pub async fn a_mail_that_may_have_gone_goes_again_as_the_same(stack: Arc<Stack>) {
    let (company, to) = (company(&stack).await, address());
    fault(&stack, &to, json!({"kind": "accept_then_timeout", "times": 1})).await;
    let sent = send(&stack, &company, "new_device", "en", &to).await;
    sent.until("queued").await;
    sent.try_again(&company).await;
    sent.until("sent").await;
    let id = |mail: &Value| text(&mail["raw"]).lines().find(|line| line.starts_with("Message-ID:")).map(str::to_owned);
    let ids: Vec<Option<String>> = sent.caught().await.iter().map(id).collect();
    assert!(ids.len() == 2 && ids[0] == ids[1] && ids[0].as_ref().is_some_and(|id| id.contains(&sent.id.to_string())), "{ids:?}");
}

pub async fn who_may_not_send_a_mail_does_not(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (student, agent) = (&company.students[0], &company.agents[0]);
    let people = [
        (student, "student", "password_changed", true),
        (student, "student", "invite", false),
        (agent, "agent", "invite", false),
        (&company.supervisor, "supervisor", "invite", true),
        (&company.admin, "admin", "approval_asked", false),
    ];
    for (person, role, template, may) in people {
        let inside = Inside::enter(&stack, &company, person, role).await;
        let mail = "select app.queue_mail($1, $2, 'a@b.example', '', 'en', null, null, '{}')";
        let id = Uuid::now_v7();
        if may {
            inside.changes(1, mail, &[&id, &template]).await;
        } else {
            inside.is_refused(mail, &[&id, &template]).await;
        }
        let around =
            "insert into mails (id, template, to_address, to_name, locale) values ($1, 'approved', 'a@b.example', '', 'en')";
        inside.is_refused(around, &[&id]).await;
    }
}

pub async fn only_admins_see_whom_the_company_writes_to(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let sent = send(&stack, &company, "approved", "pt-BR", &address()).await;
    sent.until("sent").await;
    for (person, of, role, seen) in [
        (&company.admin, &company, "admin", 1),
        (&company.supervisor, &company, "supervisor", 0),
        (&other.admin, &other, "admin", 0),
    ] {
        let inside = Inside::enter(&stack, of, person, role).await;
        inside.changes(seen, "select from mails where id = $1", &[&sent.id]).await;
    }
}

pub async fn a_companys_own_server_is_the_one_that_is_asked(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let own = "insert into mail_accounts (company_id, host, port, security, from_address)
               values ($1, '127.0.0.1', 1, 'tls', 'escola@exemplo.example')";
    stack.database().await.execute(own, &[&company.id]).await.expect("a server");
    let sent = send(&stack, &company, "approved", "pt-BR", &address()).await;
    let (_, reply) = sent.until("queued").await;
    assert!(reply.to_lowercase().contains("connection"), "{reply}");
    assert!(sent.caught().await.is_empty());
    // One that leads inside is not called: 10.0.0.1 would be waited for.
    let inside = "update mail_accounts set host = '10.0.0.1' where company_id = $1";
    stack.database().await.execute(inside, &[&company.id]).await.expect("it leads inside");
    let sent = send(&stack, &company, "approved", "pt-BR", &address()).await;
    let (_, reply) = sent.until("queued").await;
    assert_eq!(reply, "This address is not a public one.");
}

pub async fn a_mail_is_handed_over_encrypted_after_a_login(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let sent = send(&stack, &company, "approved", "pt-BR", &address()).await;
    sent.until("sent").await;
    let mail = sent.caught().await.remove(0);
    assert_eq!((&mail["encrypted"], &mail["login"]), (&json!(true), &json!("balcao")), "{mail}");
}

/// The sandbox's certificate is its own word; the stage's settings name it, a company's server has no such say.
pub async fn a_server_for_whose_certificate_nobody_vouches_is_told_nothing(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, port) = stack.addresses.smtp.rsplit_once(':').expect("a port");
    let port: i32 = port.parse().expect("a port");
    let own = "insert into mail_accounts (company_id, host, port, security, from_address)
               values ($1, '127.0.0.1', $2, 'starttls', 'escola@exemplo.example')";
    stack.database().await.execute(own, &[&company.id, &port]).await.expect("a server");
    let sent = send(&stack, &company, "approved", "pt-BR", &address()).await;
    let (_, reply) = sent.until("queued").await;
    assert!(reply.to_lowercase().contains("certificate"), "{reply}");
    assert!(sent.caught().await.is_empty());
}

pub async fn a_server_that_is_slow_gets_its_mail_and_one_that_says_nothing_is_asked_again(stack: Arc<Stack>) {
    let (company, slow, silent) = (company(&stack).await, address(), address());
    fault(&stack, &slow, json!({"kind": "timeout", "ms": 1500, "times": 1})).await;
    fault(&stack, &silent, json!({"kind": "timeout", "times": 1})).await;
    let to_slow = send(&stack, &company, "approved", "pt-BR", &slow).await;
    let to_silent = send(&stack, &company, "approved", "pt-BR", &silent).await;
    assert_eq!(to_slow.until("sent").await.0, 1);
    let (attempts, reply) = to_silent.until("queued").await;
    assert!(attempts == 1 && !reply.is_empty() && to_silent.caught().await.is_empty(), "{reply}");
    to_silent.try_again(&company).await;
    assert_eq!(to_silent.until("sent").await.0, 2);
    assert_eq!(to_silent.caught().await.len(), 1);
}

pub async fn a_mail_whose_link_has_expired_is_not_sent(stack: Arc<Stack>) {
    let (company, to) = (company(&stack).await, address());
    fault(&stack, &to, json!({"kind": "error", "code": 451, "message": "4.7.1 Greylisted", "times": 1})).await;
    let sent = send(&stack, &company, "invite", "pt-BR", &to).await;
    sent.until("queued").await;
    for (age, state) in [("7 days 1 second", "failed"), ("6 days 23 hours", "sent")] {
        let waits = format!("update mails set state = 'queued', created_at = now() - interval '{age}' where id = $1");
        sent.database.execute(&waits, &[&sent.id]).await.expect("it waits");
        let again = "update jobs set finished_at = null, dispatched_at = null, run_at = now() where id = $1";
        sent.database.execute(again, &[&sent.id]).await.expect("its job too");
        dispatch(&stack, &company).await;
        let (_, reply) = sent.until(state).await;
        assert_eq!(sent.caught().await.len(), usize::from(state == "sent"), "{reply}");
        assert!(state == "sent" || reply.contains("expired") && reply.contains("Greylisted"), "{reply}");
    }
}

pub async fn without_a_mail_server_mails_wait_and_are_sent_once_later(stack: Arc<Stack>) {
    let company = company(&stack).await;
    stop(&stack, "smtp").await;
    let sent = send(&stack, &company, "approved", "pt-BR", &address()).await;
    let (attempts, reply) = sent.until("queued").await;
    start(&stack, "smtp").await;
    assert!(attempts == 1 && !reply.is_empty(), "{reply}");
    sent.try_again(&company).await;
    assert_eq!(sent.until("sent").await.0, 2);
    assert_eq!(sent.caught().await.len(), 1);
}

/// What is wrong with a login is mended in the settings, and no fault of the mail's.
pub async fn a_refused_login_is_no_refusal_of_the_mail(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let refusal = json!({"target": "mail", "kind": "error", "step": "auth", "contains": "balcao", "times": 1});
    stack.control("POST", "/sandbox/faults", Some(refusal)).await;
    let sent = send(&stack, &company, "approved", "pt-BR", &address()).await;
    let (_, reply) = sent.until("queued").await;
    assert!(reply.contains("535"), "{reply}");
    sent.try_again(&company).await;
    sent.until("sent").await;
    assert_eq!(sent.caught().await.len(), 1);
}

/// The server has the mail, and its word for it reached nobody.
pub async fn a_worker_killed_before_its_record_sends_the_same_mail_again(stack: Arc<Stack>) {
    let (company, to) = (company(&stack).await, address());
    fault(&stack, &to, json!({"kind": "accept_then_timeout", "times": 1})).await;
    let sent = send(&stack, &company, "approved", "pt-BR", &to).await;
    eventually("a mail that was taken", || async { (sent.caught().await.len() == 1).then_some(()) }).await;
    kill(&stack, "SendEmail").await;
    let_leases_pass(&stack, &company, "MailQueue").await;
    assert_eq!(sent.until("sent").await.0, 2);
    let ids: Vec<Value> = sent.caught().await.iter().map(|mail| mail["message_id"].clone()).collect();
    assert!(ids.len() == 2 && ids[0] == ids[1] && text(&ids[0]).contains(&sent.id.to_string()), "{ids:?}");
}
