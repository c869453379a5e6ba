//! Flows that answer out of the knowledge base.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Stack, Wanted,
    company::text,
    desk::{media, voice_note},
    eventually,
    sandbox::fresh_number,
    soon,
};

use super::Asked;

const ANSWER: &str = "A mensalidade do curso de inglês é R$ 349,90 e vence no dia 10.";

pub(super) async fn with_flow(stack: &Arc<Stack>) -> Asked {
    let asked = Asked::made(stack, "gsk", Wanted { agents: 1, students: 0, bot: true, ..Wanted::default() }).await;
    let definition = json!({"start": "ai", "nodes": {
        "ai": {"type": "ai", "text": "Olá! Qual é a sua dúvida?", "at_once": true},
        "human": {"type": "handover", "text": "Vou chamar alguém da equipe."},
    }});
    let supervisor = &asked.company.supervisor.api;
    let flow = json!({"name": "Dúvidas", "definition": definition});
    let saved = supervisor.call(Method::PUT, "/bot/flows/menu", Some(flow)).await.expect(200);
    assert_eq!(saved["problems"], json!([]), "{saved}");
    supervisor.post("/bot/flows/menu/publish", json!({})).await.expect(200);
    asked.article("Mensalidade do curso de inglês", ANSWER).await;
    asked
}

fn sure() -> Value {
    json!({"answer": ANSWER, "sources": [1], "confidence": 0.95, "needs_human": false})
}

async fn said(asked: &Asked, client: &str, count: usize) -> Vec<String> {
    let id = asked.company.agents[0].conversation_id_of(client).await;
    eventually("the bot's words", || async {
        let thread = asked.company.agents[0].thread(&id).await;
        let words: Vec<String> = thread
            .iter()
            .filter(|message| message["sender_type"] == "bot")
            .map(|message| text(&message["body"]).to_owned())
            .collect();
        (words.len() >= count).then_some(words)
    })
    .await
}

pub async fn a_flow_answers_until_it_is_in_doubt(stack: Arc<Stack>) {
    let asked = with_flow(&stack).await;
    let client = fresh_number();
    asked.company.phone.receive_text(&client, "Oi").await;
    assert_eq!(said(&asked, &client, 1).await, ["Olá! Qual é a sua dúvida?"], "a greeting is no question");
    asked.will_say("mensalidade", sure()).await;
    asked.company.phone.receive_text(&client, "Qual é a mensalidade do curso de inglês?").await;
    assert_eq!(said(&asked, &client, 2).await[1], ANSWER);
    asked.company.phone.receive_text(&client, "E quem conserta geladeiras por aí?").await;
    assert_eq!(said(&asked, &client, 3).await[2], "Vou chamar alguém da equipe.");
    let conversation = asked.company.agents[0].conversation_of(&client).await;
    assert_eq!((text(&conversation["mode"]), text(&conversation["status"])), ("human", "pending"));
    assert!(text(&conversation["subject"]).contains("E quem conserta geladeiras por aí?"), "{conversation}");
    let figures = asked.company.supervisor.api.get("/bot/analytics?key=menu").await.expect(200);
    assert_eq!((figures["entries"].as_i64(), figures["handed_over"].as_i64()), (Some(1), Some(1)), "{figures}");
}

pub async fn a_person_who_is_faster_has_the_word(stack: Arc<Stack>) {
    let asked = with_flow(&stack).await;
    let client = fresh_number();
    asked.script(json!({"match": "mensalidade", "content": sure(), "delay_ms": 2_000})).await;
    asked.company.phone.receive_text(&client, "Qual é a mensalidade do curso de inglês?").await;
    let id = asked.company.agents[0].conversation_id_of(&client).await;
    eventually("the model is asked", || async { (!asked.asked().await.is_empty()).then_some(()) }).await;
    asked.company.agents[0].take_over(&id).await;
    soon().await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let thread = asked.company.agents[0].thread(&id).await;
    assert!(thread.iter().all(|message| message["sender_type"] != "bot"), "{thread:?}");
}

pub async fn what_is_said_while_it_thinks_is_answered_too(stack: Arc<Stack>) {
    let asked = with_flow(&stack).await;
    let client = fresh_number();
    asked.script(json!({"match": "mensalidade", "content": sure(), "delay_ms": 1_500, "times": 0})).await;
    asked.company.phone.receive_text(&client, "Qual é a mensalidade").await;
    eventually("the model is asked", || async { (!asked.asked().await.is_empty()).then_some(()) }).await;
    asked.company.phone.receive_text(&client, "do curso de inglês?").await;
    assert_eq!(said(&asked, &client, 1).await, [ANSWER]);
    soon().await;
    assert_eq!(said(&asked, &client, 1).await.len(), 1, "one answer to both");
    let last = asked.asked().await.pop().expect("a call");
    let data: Value = serde_json::from_str(text(&last["request"]["messages"][1]["content"])).expect("data");
    assert_eq!(data["question"], "Qual é a mensalidade\ndo curso de inglês?");
}

pub async fn a_played_flow_asks_no_model(stack: Arc<Stack>) {
    let asked = with_flow(&stack).await;
    let play = async |run: Value, event: Value| {
        let turn = json!({"key": "menu", "run": run, "event": event});
        asked.company.supervisor.api.post("/bot/simulate", turn).await.expect(200)
    };
    let first = play(json!({}), json!({"kind": "text", "text": "Quanto custa?"})).await;
    assert_eq!((text(&first["next"]), &first["effects"]), ("call", &json!([{"kind": "model"}])), "{first}");
    let answered = play(first["run"].clone(), json!({"kind": "called", "ok": true, "body": {"text": "R$ 10"}})).await;
    assert_eq!((text(&answered["says"][0]["text"]), text(&answered["next"])), ("R$ 10", "wait"));
    let again = play(answered["run"].clone(), json!({"kind": "text", "text": "E o espanhol?"})).await;
    assert_eq!(text(&again["next"]), "call");
    let doubt = json!({"doubt": "low_confidence", "summary": "Espanhol?"});
    let doubted = play(again["run"].clone(), json!({"kind": "called", "ok": true, "body": doubt})).await;
    assert_eq!((text(&doubted["next"]), text(&doubted["effects"][0]["subject"])), ("handover", "Espanhol?"));
    let failed = play(again["run"].clone(), json!({"kind": "called", "ok": false})).await;
    assert_eq!(text(&failed["next"]), "handover");
    assert!(asked.asked().await.is_empty());
    // A way that comes back to the model without asking anybody would go round and round.
    let round = json!({"start": "ai", "nodes": {
        "ai": {"type": "ai", "text": "?", "at_once": true, "on_doubt": "back"},
        "back": {"type": "goto", "go_to": "ai"},
    }});
    let flow = json!({"name": "Círculo", "definition": round});
    let saved = asked.company.supervisor.api.call(Method::PUT, "/bot/flows/circulo", Some(flow)).await.expect(200);
    assert!(saved["problems"].as_array().is_some_and(|problems| !problems.is_empty()), "{saved}");
}

/// A model writes whatever it likes.
pub async fn what_no_text_may_have_keeps_no_client_waiting(stack: Arc<Stack>) {
    let asked = with_flow(&stack).await;
    let client = fresh_number();
    let content = json!({"answer": format!("{ANSWER}\0\u{7}"), "sources": [1], "confidence": 0.95, "needs_human": false});
    asked.script(json!({"match": "mensalidade", "content": content})).await;
    asked.company.phone.receive_text(&client, "Qual é a mensalidade do curso de inglês?").await;
    assert_eq!(said(&asked, &client, 1).await, [ANSWER]);
    assert_eq!(asked.asked().await.len(), 1, "it is asked once");
    let id = asked.company.agents[0].conversation_id_of(&client).await;
    asked.will_say("mensalidade", json!({"summary": "Pergunta\0 da mensalidade"})).await;
    let summary = asked.company.agents[0].api.post(&format!("/whatsapp/conversations/{id}/summary"), json!({})).await.expect(201);
    assert_eq!(text(&summary["value"]), "Pergunta da mensalidade");
    asked.will_say("Bom dia", json!({"text": "Ol\0á"})).await;
    let composed = asked.company.agents[0].api.post("/ai/compose-message", json!({"message": "Bom dia"})).await.expect(200);
    assert_eq!(text(&composed["text"]), "Olá");
}

/// Names in braces stand for nothing, be they the model's or an article's: what they would stand for nobody has looked at.
pub async fn what_a_model_writes_is_said_as_it_is(stack: Arc<Stack>) {
    let asked = with_flow(&stack).await;
    let words = "A mensalidade do curso de inglês vence no dia 10, {{first_name}}.";
    asked.article("Vencimento da mensalidade do curso de inglês", words).await;
    let client = fresh_number();
    asked.will_say("mensalidade", json!({"answer": words, "sources": [1, 2], "confidence": 0.95, "needs_human": false})).await;
    asked.company.phone.receive_text(&client, "Quando vence a mensalidade do curso de inglês?").await;
    assert_eq!(said(&asked, &client, 1).await, [words]);
}

/// The turn waits until it is written down.
pub async fn what_is_said_into_a_phone_is_heard(stack: Arc<Stack>) {
    let asked = with_flow(&stack).await;
    asked.set("ai_transcription_model", json!("whisper-large-v3-turbo")).await;
    asked.set("ai_transcribes_on_arrival", json!(true)).await;
    let definition = json!({"start": "menu", "nodes": {
        "menu": {"type": "menu", "text": "O que você procura?", "options": [
            {"id": "a", "title": "Cursos", "go_to": "ai"},
            {"id": "b", "title": "Outra coisa", "go_to": "human"},
        ]},
        "ai": {"type": "ai", "text": "Qual é a sua dúvida?"},
        "human": {"type": "handover", "text": "Vou chamar alguém da equipe."},
    }});
    let supervisor = &asked.company.supervisor.api;
    let flow = json!({"name": "Dúvidas", "definition": definition});
    supervisor.call(Method::PUT, "/bot/flows/menu", Some(flow)).await.expect(200);
    supervisor.post("/bot/flows/menu/publish", json!({})).await.expect(200);
    let client = fresh_number();
    asked.company.phone.receive_text(&client, "Oi").await;
    said(&asked, &client, 1).await;
    let speak = async |words: &str| {
        asked.script(json!({"match": "audio", "content": words, "delay_ms": 1_200})).await;
        let voice = media("audio/ogg; codecs=opus", &voice_note(2), json!({"voice": true}));
        asked.company.phone.receive(&client, voice).await;
    };
    speak("Cursos").await;
    assert_eq!(said(&asked, &client, 2).await[1], "Qual é a sua dúvida?");
    asked.will_say("mensalidade", sure()).await;
    speak("Qual é a mensalidade do curso de inglês?").await;
    assert_eq!(said(&asked, &client, 3).await[2], ANSWER);
}

/// Their question was open when they were blocked: it is not looked at again only when its job comes back.
pub async fn who_is_unblocked_is_answered_at_once(stack: Arc<Stack>) {
    let asked = with_flow(&stack).await;
    let client = fresh_number();
    asked.script(json!({"match": "mensalidade", "content": sure(), "delay_ms": 1_500, "times": 0})).await;
    asked.company.phone.receive_text(&client, "Qual é a mensalidade do curso de inglês?").await;
    eventually("the model is asked", || async { (!asked.asked().await.is_empty()).then_some(()) }).await;
    let conversation = asked.company.agents[0].conversation_of(&client).await;
    let path = format!("/clients/{}", text(&conversation["client_id"]));
    asked.company.supervisor.api.post(&format!("{path}/block"), json!({})).await.expect(200);
    let database = stack.database().await;
    let put_off =
        "select count(*) from jobs where company_id = $1 and kind = 'call_for_bot' and run_at > now() + interval '5 minutes'";
    eventually("the answer put off", || async {
        (database.query_one(put_off, &[&asked.company.id]).await.expect("jobs").get::<_, i64>(0) == 1).then_some(())
    })
    .await;
    assert!(
        asked.company.phone.sent().await.iter().all(|sent| sent["body"]["to"] != client.as_str()),
        "nobody answers a blocked client"
    );
    asked.company.supervisor.api.post(&format!("{path}/unblock"), json!({})).await.expect(200);
    assert_eq!(said(&asked, &client, 1).await, [ANSWER]);
    soon().await;
    assert_eq!(said(&asked, &client, 1).await.len(), 1);
}
