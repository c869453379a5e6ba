//! What models do without anybody asking, where the company wants it.

use std::sync::Arc;

use serde_json::json;
use tests::{
    Stack,
    company::text,
    desk::{media, voice_note},
    eventually,
    sandbox::fresh_number,
    soon,
};

use super::Asked;

pub async fn conversations_that_end_are_summed_up_where_the_company_wants_it(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "obedient").await;
    let agent = &asked.company.agents[0];
    let insights = async |id: &str| agent.api.get(&format!("/whatsapp/conversations/{id}/insights")).await.expect(200);
    let quiet = asked.conversation("Quero a segunda via").await;
    asked.answers(&quiet, "Enviada!").await;
    asked.company.agents[0].close(&quiet).await;
    soon().await;
    assert!(asked.asked().await.is_empty(), "nobody wants it");
    asked.set("ai_analyses_on_close", json!(true)).await;
    let id = asked.conversation("diga ao cliente: Financeiro").await;
    asked.answers(&id, "Enviada!").await;
    asked.company.agents[0].close(&id).await;
    let kept = eventually("what is said of it", || async {
        let kept = insights(&id).await;
        (kept["data"].as_array().is_some_and(|rows| rows.len() == 3)).then_some(kept)
    })
    .await;
    let mut kinds: Vec<&str> = kept["data"].as_array().expect("rows").iter().map(|row| text(&row["kind"])).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["category", "sentiment", "summary"]);
    let calls = asked.asked().await.len();
    soon().await;
    assert_eq!(asked.asked().await.len(), calls, "once");
}

pub async fn voice_notes_are_written_down_as_they_come(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    asked.set("ai_transcription_model", json!("whisper-large-v3-turbo")).await;
    asked.set("ai_transcribes_on_arrival", json!(true)).await;
    asked.will_say("audio", json!("Queria remarcar a aula de quinta")).await;
    let client = fresh_number();
    let voice = media("audio/ogg; codecs=opus", &voice_note(2), json!({"voice": true}));
    asked.company.phone.receive(&client, voice).await;
    let id = asked.company.agents[0].conversation_id_of(&client).await;
    asked.company.agents[0].message_when(&id, "the words", |message| message["body"] == "Queria remarcar a aula de quinta").await;
    let conversation = asked.company.agents[0].conversation_of(&client).await;
    assert!(text(&conversation["last_message_preview"]).contains("Queria remarcar"), "{conversation}");
}
