//! What stays unread is mailed.

use std::sync::Arc;

use serde_json::json;
use tests::{Stack, Wanted, company::text, eventually, mailbox::mails_to};

use super::{choose, read_all};
use crate::cases::faults;

pub async fn what_stays_unread_is_mailed_once(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 2, ..Wanted::default() }).await;
    let [one, two] = [&company.agents[0], &company.agents[1]];
    let note = |words: &str, client: &str| json!({"client_id": client, "text": words, "mention_ids": [one.id, two.id]});
    let client = company.admin.api.post("/clients", json!({"name": "Ana Canário"})).await.expect(201);
    let client = text(&client["id"]).to_owned();
    for words in ["@um @dois primeiro-canário", "@um @dois segundo"] {
        company.supervisor.api.post("/notes", note(words, &client)).await.expect(201);
    }
    let waiting = "select count(*), count(distinct key) from jobs where company_id = $1 and kind = 'mail_notifications' and finished_at is null";
    let database = stack.database().await;
    let row = database.query_one(waiting, &[&company.id]).await.expect("a row");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (2, 2), "one digest a person");
    read_all(two).await;
    faults::dispatch(&stack, &company).await;
    let to_one = || async { mails_to(&stack, &one.email).await.into_iter().filter(is_digest).collect::<Vec<_>>() };
    let mail = eventually("a digest", || async { to_one().await.into_iter().next() }).await;
    let words = text(&mail["text"]);
    assert_eq!(words.matches("mencionou você").count(), 2, "{mail}");
    assert!(!words.contains("canário"), "what was said is not mailed: {mail}");
    let done = || async {
        let row = database.query_one(waiting, &[&company.id]).await.expect("a row");
        (row.get::<_, i64>(0) == 0).then_some(())
    };
    eventually("both are done", done).await;
    assert!(!mails_to(&stack, &two.email).await.iter().any(is_digest), "what was read is not mailed");
    // Again: only what is new.
    company.supervisor.api.post("/notes", note("@um @dois terceiro", &client)).await.expect(201);
    choose(two, json!({"types": {"mention": {"email": false}}})).await;
    faults::dispatch(&stack, &company).await;
    let mails = eventually("the next", || async { Some(to_one().await).filter(|mails| mails.len() == 2) }).await;
    assert_eq!(text(&mails[1]["text"]).matches("mencionou você").count(), 1, "{mails:?}");
    assert!(text(&mails[1]["subject"]).starts_with("O que aconteceu em "));
}

fn is_digest(mail: &serde_json::Value) -> bool {
    text(&mail["subject"]).starts_with("O que aconteceu em ")
}
