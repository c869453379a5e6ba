//! The act of sales: a conversation becomes a lead, a sequence asks after it until she replies, and it is sold.

use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tests::{company::text, eventually};
use uuid::Uuid;

use crate::Play;

pub async fn play(play: &Play) -> Result<()> {
    println!("  Maria asks for a course. Bruna sells it on the board, with a sequence that stops the moment Maria answers.\n");
    let (bruna, rafael, timeline) = (&play.cast.bruna, &play.cast.rafael, &play.timeline);
    let since = Instant::now();
    let phone = crate::new_client();
    play.cast.phone.receive(&phone, json!({"text": "Quero saber do curso de 2027"})).await;
    let conversation = rafael.conversation_of(&phone).await;
    let path = format!("/conversations/{}/lead", text(&conversation["id"]));
    let lead = rafael.api.post(&path, json!({"potential_value": "4500"})).await.expect(201);
    let id = text(&lead["id"]).to_owned();
    timeline.tell(
        "Rafael",
        &format!("makes a lead of her conversation: {}, score {}", text(&lead["stage"]["name"]), lead["score"]),
        since,
    );
    let since = Instant::now();
    let mut socket = bruna.socket().await;
    let closer = json!({"closer_id": bruna.id});
    rafael
        .api
        .with_header("if-match", &lead["version"].to_string())
        .call(reqwest::Method::PUT, &format!("/leads/{id}"), Some(closer))
        .await
        .expect(200);
    socket.frame("her lead", |frame| frame["type"] == "notification.created" && frame.to_string().contains(&id)).await;
    timeline.tell("Bruna", "hears that it is hers", since);
    let since = Instant::now();
    let board = bruna.api.get("/pipelines").await.expect(200)["data"][0].clone();
    let proposal =
        board["stages"].as_array().into_iter().flatten().find(|stage| stage["key"] == "proposal").cloned().unwrap_or_default();
    let moved = bruna.api.post(&format!("/leads/{id}/move"), json!({"stage_id": proposal["id"]})).await.expect(200);
    let call = json!({"type": "call", "summary": "Apresentei o curso", "result": "proposal_sent", "next_step": "Ligar na sexta"});
    bruna.api.post(&format!("/leads/{id}/interactions"), call).await.expect(201);
    timeline.tell("Bruna", &format!("drags the card to {} and writes down her call", text(&moved["stage"]["name"])), since);
    let since = Instant::now();
    let name = format!("Retomada {}", &Uuid::new_v4().simple().to_string()[..6]);
    let steps = json!([{"kind": "whatsapp", "body": "Oi! Ainda pensando no curso?"}, {"kind": "whatsapp", "body": "Última semana!", "delay_minutes": 1440}]);
    let sequence = json!({
        "name": name, "is_active": true, "steps": steps, "window_start": "00:00", "window_end": "23:59", "pause_weekends": false,
        "pause_holidays": false, "max_per_day": 5, "criteria": {"tags": [name]},
    });
    let sequence = rafael.api.post("/followups/sequences", sequence).await.expect(201);
    let path = format!("/followups/sequences/{}/enroll", text(&sequence["id"]));
    bruna.api.post(&path, json!({"lead_ids": [id]})).await.expect(200);
    eventually("the first step at her phone", || async {
        let sent = play.cast.phone.sent().await;
        sent.iter().any(|sent| sent["to"] == phone.as_str() && sent.to_string().contains("Ainda pensando")).then_some(())
    })
    .await;
    timeline.tell("Sequence", "asks after her: the first of two messages has reached WhatsApp", since);
    let since = Instant::now();
    play.cast.phone.receive(&phone, json!({"text": "Quero sim!"})).await;
    let ended: Value = eventually("the end of the sequence", || async {
        let executions = bruna.api.get(&format!("/followups/executions?lead_id={id}")).await.expect(200);
        let first = executions["data"][0].clone();
        (first["status"] == "responded").then_some(first)
    })
    .await;
    ensure!(ended["next_run_at"].is_null(), "something is still to come: {ended}");
    timeline.tell("Maria", "answers “Quero sim!”: the sequence has ended, the second message never goes", since);
    let since = Instant::now();
    let won = bruna.api.post(&format!("/leads/{id}/close"), json!({"outcome": "won", "value": "4500.00"})).await.expect(200);
    ensure!(won["status"] == "won", "it is not sold: {won}");
    let figures = rafael.api.get(&format!("/leads/performance?closer_id={}", bruna.id)).await.expect(200);
    let what = format!(
        "closes it; Rafael's figures say {} sold, R$ {}",
        figures["metrics"]["won"],
        text(&figures["metrics"]["value_won"])
    );
    timeline.tell("Bruna", &what, since);
    println!("\n  From “oi” to a sale, and every step of it is in the lead's history.\n");
    Ok(())
}
