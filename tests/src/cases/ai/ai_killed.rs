//! Models that hang, and functions that are killed while they wait for one.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::json;
use tests::{Company, Stack, Wanted, eventually, sandbox::fresh_number};

use super::{Asked, bot::with_flow};
use crate::cases::faults::kill;

pub async fn a_question_whose_function_was_killed_is_ended_and_stays_paid(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    asked.script(json!({"match": "oi", "content": {"text": "Olá!"}, "delay_ms": 8_000})).await;
    let api = asked.company.agents[0].api.clone();
    let hanging = tokio::spawn(async move { api.post("/ai/compose-message", json!({"message": "oi"})).await });
    eventually("the model is asked", || async { (!asked.asked().await.is_empty()).then_some(()) }).await;
    kill(&stack, "AiComposeMessage").await;
    let answer = hanging.await.expect("an answer");
    assert!(answer.status >= 500, "{}", answer.status);
    let sweep = async || drop(stack.control("POST", "/fire/SweepExpired", None).await);
    let running = ("compose".to_owned(), "running".to_owned(), None);
    sweep().await;
    assert_eq!(asked.runs().await, std::slice::from_ref(&running), "it may still be answered");
    let database = stack.database().await;
    let late = "update ai_runs set created_at = created_at - interval '3 minutes' where company_id = $1";
    database.execute(late, &[&asked.company.id]).await.expect("minutes pass");
    sweep().await;
    let ended = ("compose".to_owned(), "failed".to_owned(), Some("abandoned".to_owned()));
    assert_eq!(asked.runs().await, std::slice::from_ref(&ended));
    // What it took nobody knows: its room stays taken.
    let taken = "
        select ai_days.tokens = ai_runs.claimed_tokens and claimed_tokens > 0 as is_taken
          from ai_runs join ai_days using (company_id, day) where company_id = $1";
    assert!(database.query_one(taken, &[&asked.company.id]).await.expect("a day").get::<_, bool>(0));
    asked.script(json!({"match": "oi", "content": {"text": "Olá!"}})).await;
    asked.company.agents[0].api.post("/ai/compose-message", json!({"message": "oi"})).await.expect(200);
    assert_eq!(asked.runs().await[0], ended);
}

/// How long a client waits for the bot's first words.
async fn waits(company: &Company) -> Duration {
    let client = fresh_number();
    let start = Instant::now();
    company.phone.receive_text(&client, "Oi").await;
    while company.phone.sent().await.iter().all(|sent| sent["body"]["to"] != client.as_str()) {
        assert!(start.elapsed() < Duration::from_mins(1), "the client still waits");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    start.elapsed()
}

/// Nor do its own clients wait for ever: who cannot be asked for is handed over.
pub async fn a_company_whose_model_hangs_makes_nobody_elses_clients_wait(stack: Arc<Stack>) {
    let other = stack.company(Wanted { agents: 1, students: 0, bot: true, ..Wanted::default() }).await;
    waits(&other).await;
    let asked = with_flow(&stack).await;
    asked.script(json!({"match": "mensalidade", "content": {}, "delay_ms": 12_000, "times": 0})).await;
    let clients: Vec<String> = (0..50).map(|_| fresh_number()).collect();
    let question = "Qual é a mensalidade do curso de inglês?";
    join_all(clients.iter().map(|client| asked.company.phone.receive_text(client, question))).await;
    let asked_at = Instant::now();
    eventually("the model is asked", || async { (!asked.asked().await.is_empty()).then_some(()) }).await;
    let mut waited = Vec::new();
    for _ in 0..20 {
        waited.push(waits(&other).await);
    }
    waited.sort_unstable();
    println!("the others waited {} ms at most, the 19th of 20 {} ms", waited[19].as_millis(), waited[18].as_millis());
    assert!(waited[18] < Duration::from_secs(3), "{waited:?}");
    loop {
        let sent = asked.company.phone.sent().await;
        let left = clients.iter().filter(|client| sent.iter().all(|sent| sent["body"]["to"] != client.as_str())).count();
        if left == 0 {
            break;
        }
        assert!(asked_at.elapsed() < Duration::from_mins(2), "{left} clients still wait");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    println!(
        "all 50 were handed over after {} s, the model being asked {} times",
        asked_at.elapsed().as_secs(),
        asked.asked().await.len()
    );
}
