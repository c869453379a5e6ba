//! What agents have of it.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{
    Stack,
    company::text,
    desk::{media, voice_note},
    eventually,
    sandbox::fresh_number,
};

use super::Asked;

pub async fn messages_are_written_said_better_and_suggested(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    let agent = &asked.company.agents[0].api;
    let id = asked.conversation("Vocês têm aula aos sábados?").await;
    asked.will_say("diga que sim", json!({"text": "Temos, sim! Aos sábados de manhã."})).await;
    let wish = json!({"conversation_id": id, "message": "diga que sim, sábado de manhã", "tone": "animado", "length": "short"});
    let composed = agent.post("/ai/compose-message", wish).await.expect(200);
    assert_eq!(text(&composed["text"]), "Temos, sim! Aos sábados de manhã.");
    let first = &asked.asked().await[0];
    let system = text(&first["request"]["messages"][0]["content"]);
    assert!(system.contains("animado") && system.contains("até 200 caracteres"), "{system}");
    assert!(text(&first["request"]["messages"][1]["content"]).contains("Vocês têm aula aos sábados?"));
    // For nobody in particular, in another language.
    asked.will_say("translate", json!({"text": "Good morning!"})).await;
    let wish = json!({"message": "Bom dia!", "task": "translate", "language": "en"});
    assert_eq!(agent.post("/ai/compose-message", wish).await.expect(200)["text"], "Good morning!");
    // Those that can be used, each once.
    let three = json!({"suggestions": ["Temos sim.", "Temos sim.", "Veja em http://golpe.com", "Vou verificar."]});
    asked.will_say("Vocês têm aula", three).await;
    let suggested = agent.post("/ai/suggest-replies", json!({"conversation_id": id})).await.expect(200);
    assert_eq!(suggested["suggestions"], json!(["Temos sim.", "Vou verificar."]));
    for (path, body, field) in [
        ("/ai/compose-message", json!({}), "message"),
        ("/ai/compose-message", json!({"message": ""}), "message"),
        ("/ai/compose-message", json!({"message": "a".repeat(4_001)}), "message"),
        ("/ai/compose-message", json!({"message": "a", "task": "sing"}), "task"),
        ("/ai/compose-message", json!({"message": "a", "language": "../.."}), "language"),
        ("/ai/suggest-replies", json!({"conversation_id": id, "count": 6}), "count"),
        ("/ai/suggest-replies", json!({"conversation_id": "x"}), "conversation_id"),
    ] {
        let refused = agent.post(path, body.clone()).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["field"]), field, "{body}");
    }
    let silent = asked.company.agents[0].api.post("/conversations", json!({"phone": format!("+{}", fresh_number())})).await;
    if let Some(id) = silent.body["id"].as_str() {
        let nothing = agent.post("/ai/suggest-replies", json!({"conversation_id": id})).await;
        assert_eq!(nothing.problem(409), "nothing_said", "nobody has written");
    }
}

pub async fn what_is_said_of_a_conversation_is_kept_and_told(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    let agent = &asked.company.agents[0];
    let id = asked.conversation("Estou muito satisfeito, quero a matrícula").await;
    let head = agent.head().await;
    let mood = |name: &str, score: f64| json!({"sentiment": name, "score": score, "confidence": 0.9});
    asked.will_say("satisfeito", mood("positive", 0.8)).await;
    let analyze = json!({"conversation_id": id});
    let first = agent.api.post("/whatsapp/sentiment/analyze", analyze.clone()).await.expect(201);
    assert_eq!((text(&first["value"]), text(&first["kind"])), ("positive", "sentiment"));
    asked.will_say("satisfeito", mood("negative", -0.7)).await;
    agent.api.post("/whatsapp/sentiment/analyze", analyze.clone()).await.expect(201);
    let told = agent.told_after(&head).await;
    let falls: Vec<&Value> =
        told.iter().filter(|event| event["type"] == "conversation.insight").map(|event| &event["data"]["has_fallen"]).collect();
    assert_eq!(falls, [&json!(false), &json!(true)], "{told:?}");
    asked.will_say("satisfeito", json!({"summary": "Quer se matricular."})).await;
    let path = format!("/whatsapp/conversations/{id}/summary");
    assert_eq!(agent.api.post(&path, json!({})).await.expect(201)["value"], "Quer se matricular.");
    // A category is one of the company's, however it is written.
    asked.will_say("satisfeito", json!({"category": "matrícula", "confidence": 0.9})).await;
    let path = format!("/whatsapp/conversations/{id}/categorize");
    assert_eq!(agent.api.post(&path, json!({})).await.expect(201)["value"], "Matrícula");
    asked.will_say("satisfeito", json!({"category": "Futebol", "confidence": 0.9})).await;
    assert_eq!(agent.api.post(&path, json!({})).await.problem(409), "ai_unclear");
    let kept = agent.api.get(&format!("/whatsapp/conversations/{id}/insights")).await.expect(200);
    let values: Vec<&str> = kept["data"].as_array().expect("rows").iter().map(|row| text(&row["value"])).collect();
    assert_eq!(values, ["Matrícula", "Quer se matricular.", "negative", "positive"]);
}

pub async fn a_voice_note_is_written_down_once(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    let agent = &asked.company.agents[0];
    let client = fresh_number();
    let voice = media("audio/ogg; codecs=opus", &voice_note(3), json!({"voice": true}));
    asked.company.phone.receive(&client, voice).await;
    let id = asked.company.agents[0].conversation_id_of(&client).await;
    let message =
        asked.company.agents[0].message_when(&id, "the voice note", |message| message["file"]["status"] == "ready").await;
    let wish = json!({"message_id": message["id"]});
    assert_eq!(agent.api.post("/ai/transcribe", wish.clone()).await.problem(409), "ai_not_configured", "no model is for it");
    asked.set("ai_transcription_model", json!("whisper-large-v3-turbo")).await;
    let said = json!("Queria saber do boleto de julho");
    asked.script(json!({"match": "audio", "content": said, "delay_ms": 2_500, "times": 0})).await;
    let answers = join_all((0..8).map(|_| agent.api.post("/ai/transcribe", wish.clone()))).await;
    let words: Vec<String> = answers.into_iter().map(|answer| text(&answer.expect(200)["transcript"]).to_owned()).collect();
    assert!(words.iter().all(|said| *said == words[0]), "the first one's words stand: {words:?}");
    assert_eq!(asked.asked().await.len(), 1, "it is paid once");
    assert_eq!(asked.runs().await, [("transcribe".to_owned(), "done".to_owned(), None)]);
    let thread = asked.company.agents[0].thread(&id).await;
    assert_eq!((text(&thread[0]["body"]), &thread[0]["payload"]["transcribed"]), (words[0].as_str(), &json!(true)));
    // It is found by what was said.
    let word = words[0].split_whitespace().nth(1).expect("words").to_owned();
    eventually("the words found", || async {
        let found = agent.api.get(&format!("/messages/search?search={word}")).await;
        (found.status == 200 && found.body.to_string().contains(&id)).then_some(())
    })
    .await;
    let written =
        asked.company.agents[0].api.post("/ai/transcribe", json!({"message_id": asked.answers(&id, "Oi").await["id"]})).await;
    assert_eq!(written.problem(404), "not_found", "it is no voice note");
}

pub async fn an_agent_says_what_an_answer_was_worth(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    let [one, other] = [&asked.company.agents[0], &asked.company.agents[1]];
    asked.will_say("oi", json!({"text": "Olá!"})).await;
    let composed = one.api.post("/ai/compose-message", json!({"message": "oi"})).await.expect(200);
    let path = format!("/ai/runs/{}/feedback", text(&composed["run_id"]));
    one.api.post(&path, json!({"feedback": "accepted"})).await.expect(204);
    one.api.post(&path, json!({"feedback": "edited", "note": "mais curto"})).await.expect(204);
    assert_eq!(other.api.post(&path, json!({"feedback": "rejected"})).await.status, 404, "it is not theirs");
    asked.company.supervisor.api.post(&path, json!({"feedback": "rejected"})).await.expect(204);
    let usage = asked.company.supervisor.api.get("/ai/usage").await.expect(200);
    let compose = &usage["purposes"][0];
    assert_eq!(
        (text(&compose["purpose"]), compose["rejected"].as_i64(), compose["edited"].as_i64()),
        ("compose", Some(1), Some(0))
    );
    one.api.post(&path, json!({"feedback": "great"})).await.expect(422);
}

pub async fn nobody_asks_about_what_they_do_not_see(stack: Arc<Stack>) {
    let (asked, stranger) = (Asked::new(&stack, "gsk").await, Asked::new(&stack, "gsk").await);
    let id = asked.conversation("Oi").await;
    let api = &stranger.company.admin.api;
    for (path, body) in [
        ("/ai/respond", json!({"conversation_id": id})),
        ("/ai/compose-message", json!({"conversation_id": id, "message": "oi"})),
        ("/ai/suggest-replies", json!({"conversation_id": id})),
        ("/ai/learn", json!({"conversation_id": id})),
        ("/whatsapp/sentiment/analyze", json!({"conversation_id": id})),
        (&format!("/whatsapp/conversations/{id}/summary"), json!({})),
        (&format!("/whatsapp/conversations/{id}/categorize"), json!({})),
    ] {
        assert_eq!(api.post(path, body).await.problem(404), "not_found", "{path}");
    }
    assert!(stranger.asked().await.is_empty() && asked.asked().await.is_empty(), "no model has heard of it");
    asked.company.agents[0].api.get("/ai/usage").await.expect(403);
}

pub async fn what_is_asked_of_a_conversation_at_once_is_asked_once(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    let id = asked.conversation("Quero a segunda via do boleto").await;
    asked.answers(&id, "Enviada!").await;
    let agents = &asked.company.agents;
    let summary = format!("/whatsapp/conversations/{id}/summary");
    let of = json!({"conversation_id": id});
    let sum = async |agent: usize| agents[agent].api.post(&summary, json!({})).await.expect(201);
    let feel = async || agents[0].api.post("/whatsapp/sentiment/analyze", of.clone()).await.expect(201);
    asked.script(json!({"match": "segunda via", "content": {"summary": "Pediu o boleto.", "sentiment": "neutral", "score": 0.0, "confidence": 0.9}, "delay_ms": 2_500, "times": 0})).await;
    let (summaries, moods) = tokio::join!(join_all((0..8).map(|_| sum(0))), join_all((0..8).map(|_| feel())));
    for same in [&summaries, &moods] {
        assert!(same.iter().all(|insight| *insight == same[0]), "{same:?}");
    }
    assert_eq!((asked.asked().await.len(), asked.runs().await.len()), (2, 2), "one for each");
    let kept = agents[0].api.get(&format!("/whatsapp/conversations/{id}/insights")).await.expect(200);
    assert_eq!(kept["data"].as_array().map(Vec::len), Some(2), "{kept}");
    // Whoever asks afterwards asks anew.
    assert_ne!(sum(0).await["id"], summaries[0]["id"]);
    assert_eq!(asked.asked().await.len(), 3);
    // Where nobody could use what it said, the others ask again: once, too.
    let other = asked.conversation("Quero trancar a matrícula").await;
    asked.script(json!({"match": "trancar", "content": "nada", "delay_ms": 500})).await;
    asked.script(json!({"match": "trancar", "content": {"summary": "Quer trancar."}, "delay_ms": 500, "times": 0})).await;
    let path = format!("/whatsapp/conversations/{other}/summary");
    let answers = join_all((0..4).map(|_| agents[0].api.post(&path, json!({})))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 201, 201, 409]);
    assert_eq!(asked.asked().await.len(), 5);
}
