//! Who wants nothing more: by the link of a mail, by a word.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Forge, Stack, Wanted,
    company::text,
    mailbox::{mails_to, next_mail_to, token_in},
    sandbox::fresh_number,
};
use uuid::Uuid;

use super::{always, ended, enroll, execution, in_window, lead, make};

fn address() -> String {
    format!("lead.{}@destino.example", Uuid::new_v4().simple())
}

pub async fn a_mail_says_how_to_end_it_and_one_click_does(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let supervisor = &company.supervisor;
    let email = address();
    let steps = json!([
        {"kind": "email", "subject": "Sua vaga, {{client.name}}", "body": "Oi, {{client.name}}!\n\nAinda há vagas."},
        {"kind": "email", "subject": "Última chance", "body": "Fechamos hoje.", "delay_minutes": 600},
    ]);
    let sequence = make(supervisor, always(steps.clone())).await;
    let lead = lead(supervisor, json!({"email": email})).await;
    enroll(supervisor, &sequence, &[&lead]).await;
    let mail = next_mail_to(&stack, &email, 0).await;
    assert_eq!(text(&mail["subject"]), "Sua vaga, Ana Lima", "{mail}");
    assert!(text(&mail["text"]).starts_with("Oi, Ana Lima!"), "{mail}");
    let token = token_in(&mail);
    // Long lines are folded.
    let raw = text(&mail["raw"]).replace("\r\n ", "").replace("\r\n\t", "");
    let header = |name: &str| {
        let line = raw.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(|value| value.replace(' ', "")).unwrap_or_default()
    };
    assert!(header("List-Unsubscribe").ends_with(&format!("/followups/unsubscribe/{token}>")), "{mail}");
    assert_eq!(header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click", "{mail}");

    let path = format!("/followups/unsubscribe/{token}");
    let nobody = stack.api();
    let shown = nobody.get(&path).await.expect(200);
    assert_eq!(shown["is_unsubscribed"], false, "looking changes nothing");
    assert_eq!(execution(supervisor, &sequence, &lead).await["status"], "active");
    // As mail programs send it.
    let form = Some(("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click".to_vec()));
    let done = nobody.send(Method::POST, &path, form.clone()).await.expect(200);
    assert_eq!(done["is_unsubscribed"], true);
    nobody.send(Method::POST, &path, form).await.expect(200);
    assert_eq!(nobody.get(&path).await.expect(200)["is_unsubscribed"], true);
    let over = ended(supervisor, &sequence, &lead, "cancelled").await;
    assert_eq!(text(&over["reason"]), "unsubscribed");
    // For good: neither this lead nor another one with the address is taken in.
    let again = super::lead(supervisor, json!({"email": email, "name": "A mesma"})).await;
    let other = make(supervisor, always(steps)).await;
    assert_eq!(enroll(supervisor, &other, &[&lead, &again]).await, 0);
    assert_eq!(mails_to(&stack, &email).await.len(), 1);
}

pub async fn a_word_ends_it_for_good(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (supervisor, agent) = (&company.supervisor, &company.agents[0]);
    let sequence = make(supervisor, always(json!([{"kind": "whatsapp", "body": "Oi", "delay_minutes": 600}]))).await;
    let (phone, known) = in_window(&company).await;
    // Of who never was in a sequence a word is a word.
    company.phone.receive_text(&phone, "Sair").await;
    assert_eq!(enroll(agent, &sequence, &[&known]).await, 1);
    company.phone.receive_text(&phone, "Quero parar de fumar").await;
    let found = execution(agent, &sequence, &known).await;
    assert_eq!(text(&found["status"]), "responded");
    let again = json!({"lead_ids": [known["id"]], "again": true});
    let path = format!("/followups/sequences/{}/enroll", text(&sequence["id"]));
    assert_eq!(agent.api.post(&path, again.clone()).await.expect(200)["enrolled"], 1, "that was no opting out");
    company.phone.receive_text(&phone, " PARAR! ").await;
    assert_eq!(agent.api.post(&path, again).await.expect(200)["enrolled"], 0);
    let client = agent.api.get(&format!("/clients/{}", text(&known["client_id"]))).await.expect(200);
    let consent = &client["consents"][0];
    assert_eq!(
        (text(&consent["purpose"]), &consent["granted"], text(&consent["source"])),
        ("marketing", &json!(false), "opt_out")
    );
    let written = [phone[2..].to_owned(), format!("+{phone}")];
    for phone in written {
        let same = lead(supervisor, json!({"phone": phone})).await;
        assert_eq!(enroll(agent, &sequence, &[&same]).await, 0, "whichever lead they become");
    }
    let other = lead(supervisor, json!({"phone": fresh_number()})).await;
    assert_eq!(enroll(agent, &sequence, &[&other]).await, 1);
    let response = json!({"lead_id": other["id"], "channel": "email", "message": "Não quero mais receber."});
    agent.api.post("/followups/responses", response).await.expect(200);
    let again = json!({"lead_ids": [other["id"]], "again": true});
    assert_eq!(agent.api.post(&path, again).await.expect(200)["enrolled"], 0);
}

pub async fn links_that_are_none_are_not_found(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let lead = lead(&company.supervisor, json!({})).await;
    let id: Uuid = text(&lead["id"]).parse().expect("an id");
    let forge = Forge::of(&stack).await;
    let good = forge.link("unsubscribe", id);
    let altered = format!("{}A", &good[..good.len() - 1]);
    let tokens = [altered, forge.link("invite", id), forge.link("unsubscribe", Uuid::new_v4()), id.to_string(), "x".to_owned()];
    for token in tokens {
        if token == good {
            continue;
        }
        for method in [Method::GET, Method::POST] {
            let answer = stack.api().call(method, &format!("/followups/unsubscribe/{token}"), None).await;
            assert_eq!(answer.problem(404), "not_found", "{token}");
        }
    }
    let opted: Value = stack.api().get(&format!("/followups/unsubscribe/{good}")).await.expect(200);
    assert_eq!(opted["is_unsubscribed"], false);
}
