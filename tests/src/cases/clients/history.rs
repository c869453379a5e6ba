//! GET /clients/{id}/history, and what GET /clients/{id} says of consents.

use std::{sync::Arc, time::Instant};

use serde_json::{Value, json};
use tests::{
    Stack, Wanted,
    company::{Person, text},
    sandbox::fresh_number,
};

async fn history(person: &Person, client: &str, query: &str) -> Vec<Value> {
    let page = person.api.get(&format!("/clients/{client}/history?{query}")).await.expect(200);
    page["data"].as_array().cloned().unwrap_or_default()
}

fn kinds(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| text(&entry["kind"])).collect()
}

pub async fn all_that_happened_is_one_timeline(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 2, students: 0, ..Wanted::default() }).await;
    let (supervisor, number) = (&company.supervisor, fresh_number());
    drop(company.phone.receive_text(&number, "Oi").await);
    let conversation = company.admin.conversation_of(&number).await;
    let (id, client) = (text(&conversation["id"]), text(&conversation["client_id"]));
    company.agents[0].take_over(id).await;
    company.agents[0].transfer(id, json!({"to_user_id": company.agents[1].id, "reason": "Férias"})).await;
    let consent = "
        insert into client_consents (id, company_id, client_id, purpose, channel, granted, source, at, proof)
        select gen_random_uuid(), $1, $2::text::uuid, 'marketing', 'whatsapp', granted, 'whatsapp_preference', clock_timestamp() + step, to_jsonb(step)
          from (values (true, interval '0'), (false, interval '1 second')) said (granted, step)";
    stack.database().await.execute(consent, &[&company.id, &client]).await.expect("consents");
    let other = supervisor.api.post("/clients", json!({"name": "Outra"})).await.expect(201);
    let merged = supervisor.api.post(&format!("/clients/{client}/merge"), json!({"client_id": other["id"]})).await.expect(201);
    let entries = history(supervisor, client, "").await;
    let mut found = kinds(&entries);
    found.sort_unstable();
    assert_eq!(found, ["consent", "consent", "conversation", "merge", "transfer", "transfer"]);
    let times: Vec<&str> = entries.iter().map(|entry| text(&entry["at"])).collect();
    assert!(times.is_sorted_by(|one, other| one >= other), "{times:?}");
    let of = |kind: &str| entries.iter().find(|entry| entry["kind"] == kind).expect(kind)["data"].clone();
    assert_eq!((&of("transfer")["reason"], &of("merge")["merge_id"]), (&json!("Férias"), &merged["id"]));
    assert_eq!(of("conversation")["conversation_id"], json!(id));
    assert_eq!(kinds(&history(supervisor, client, "kind=transfer").await), ["transfer"; 2]);
    // Who became another one has their history; of merges and what they do not see agents are told nothing.
    assert_eq!(history(supervisor, text(&other["id"]), "").await, entries);
    let of_agent = history(&company.agents[1], client, "").await;
    assert!(!kinds(&of_agent).contains(&"merge") && kinds(&of_agent).contains(&"consent"));
    let shown = supervisor.api.get(&format!("/clients/{client}")).await.expect(200);
    let consents = shown["consents"].as_array().expect("consents");
    assert_eq!((consents.len(), &consents[0]["granted"], &shown["accepts_marketing"]), (1, &json!(false), &json!(false)));
    supervisor.api.get(&format!("/clients/{}/history", company.id)).await.expect(404);
    supervisor.api.get(&format!("/clients/{client}/history?kind=x")).await.expect(422);
}

/// Page after page of ten thousand entries.
pub async fn a_long_history_is_read_page_by_page_in_little_time(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let number = fresh_number();
    drop(company.phone.receive_text(&number, "Oi").await);
    let client = text(&company.admin.conversation_of(&number).await["client_id"]).to_owned();
    let fill = "
        with made as (
            insert into conversations (id, company_id, client_id, channel_account_id, mode, started_at, ended_at)
            select gen_random_uuid(), $1, $2::text::uuid, $3, 'human', now() - make_interval(mins => at), now() - make_interval(mins => at)
              from generate_series(1, 2000) at
            returning id, started_at
        )
        insert into conversation_transfers (id, company_id, conversation_id, at)
        select gen_random_uuid(), $1, made.id, made.started_at + make_interval(secs => place)
          from made, generate_series(1, 4) place";
    let database = stack.database().await;
    database.execute(fill, &[&company.id, &client, &company.channel_account_id]).await.expect("a long history");
    database.batch_execute("analyze conversations; analyze conversation_transfers").await.expect("figures");
    let (mut cursor, mut seen, mut pages) = (String::new(), 0, Vec::new());
    loop {
        let begun = Instant::now();
        let path = format!("/clients/{client}/history?limit=100{cursor}");
        let page = company.supervisor.api.get(&path).await.expect(200);
        pages.push(begun.elapsed().as_millis());
        seen += page["data"].as_array().map_or(0, Vec::len);
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, 10_001);
    pages.sort_unstable();
    let median = pages[pages.len() / 2];
    println!("a page of a history of 10,001 entries: {median} ms");
    assert!(median < 250, "{pages:?}");
}
