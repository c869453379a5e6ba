//! The second act: a flow that answers out of the knowledge base until it is in doubt, and leaves the rest to people, who read why.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, company::text, eventually};
use uuid::Uuid;

use crate::{Play, new_client};

const FLOW: &str = "/bot/flows/demo-duvidas";
const TITLE: &str = "Mensalidade do curso de inglês";
const ANSWER: &str = "A mensalidade do curso de inglês é R$ 349,90 e vence no dia 10.";
const ANSWERED: &str = "Qual é a mensalidade do curso de inglês?";
const UNANSWERED: &str = "E quem conserta geladeiras por aí?";
const HANDED_OVER: &str = "Vou chamar alguém da equipe.";

pub async fn play(stack: &Stack, play: &Play) -> Result<()> {
    let helena = &play.cast.helena.api;
    let base_url = format!("{}/llm/v1", stack.addresses.sandbox);
    let setup = helena.get("/setup/config").await.expect(200);
    if setup["ai"].is_object() && setup["ai"]["base_url"] != base_url.as_str() {
        println!(
            "  The company has a language model of its own, which is left as it is: the act with the sandbox's is left out.\n"
        );
        return Ok(());
    }
    let client = new_client();
    println!("  Rafael writes down what the school knows. João, a client, asks from +{client}.\n");
    let token = format!("demo-{}", Uuid::new_v4().simple());
    let articles = teach(play, (&base_url, &token)).await?;
    let said = json!({"answer": ANSWER, "sources": [1], "confidence": 0.95, "needs_human": false});
    // The bot asks, and an agent asks again.
    let script = json!({"token": token, "match": ANSWERED, "content": said, "times": 2});
    stack.control("POST", "/sandbox/llm/script", Some(script)).await;
    let id = ask(play, &client).await?;
    doubt(play, &client, &id).await?;
    let since = Instant::now();
    let rafael = &play.cast.rafael.api;
    for path in articles.iter().map(|id| format!("/knowledge/manage/{id}")).chain([FLOW.to_owned()]) {
        rafael.call(Method::DELETE, &path, None).await.expect(204);
    }
    helena.post("/setup/config", json!({"ai": {"base_url": null}})).await.expect(200);
    play.timeline.tell("Rafael", "takes flow and articles away again; what was said stays", since);
    println!("\n  What the school knows is answered at once, with its source; everything else by people.\n");
    Ok(())
}

/// A model, what it may answer from, and a flow that lets it.
async fn teach(play: &Play, (base_url, token): (&str, &str)) -> Result<Vec<String>> {
    let (helena, rafael, timeline) = (&play.cast.helena.api, &play.cast.rafael.api, &play.timeline);
    let since = Instant::now();
    helena.post("/setup/config", json!({"ai": {"base_url": base_url, "api_key": token}})).await.expect(200);
    timeline.tell("Helena", "gives the school a language model (the sandbox's)", since);
    let since = Instant::now();
    let mut articles = Vec::new();
    for (title, answer) in [(TITLE, ANSWER), ("Endereço da escola", "A escola fica na Rua das Flores, 100, no centro.")] {
        let article = rafael.post("/knowledge/manage", json!({"title": title, "answer": answer})).await.expect(201);
        articles.push(text(&article["id"]).to_owned());
    }
    timeline.tell("Rafael", &format!("writes {} articles into the knowledge base", articles.len()), since);
    let since = Instant::now();
    let definition = json!({"start": "ai", "triggers": [{"keywords": ["mensalidade"]}], "nodes": {
        "ai": {"type": "ai", "text": "Olá! Qual é a sua dúvida?", "at_once": true},
        "human": {"type": "handover", "text": HANDED_OVER},
    }});
    let flow = json!({"name": "Dúvidas", "definition": definition});
    let saved = rafael.call(Method::PUT, FLOW, Some(flow)).await.expect(200);
    ensure!(saved["problems"] == json!([]), "the flow has problems: {saved}");
    rafael.post(&format!("{FLOW}/publish"), json!({})).await.expect(200);
    timeline.tell("Rafael", "publishes a flow that answers from it; it begins at the word “mensalidade”", since);
    Ok(articles)
}

/// A question that an article answers.
async fn ask(play: &Play, client: &str) -> Result<String> {
    let (bruna, timeline) = (&play.cast.bruna, &play.timeline);
    let since = Instant::now();
    write(play, client, ANSWERED).await?;
    reached(play, client, ANSWER).await;
    timeline.tell("Bot", &format!("“{ANSWER}”"), since);
    let id = bruna.conversation_id_of(client).await;
    let since = Instant::now();
    let reply = bruna.api.post("/ai/respond", json!({"conversation_id": id})).await.expect(200);
    let source = reply["sources"][0]["title"].as_str().context("the answer names no source")?;
    ensure!(source == TITLE && reply["text"] == ANSWER, "the answer rests on something else: {reply}");
    let confidence = reply["confidence"].as_f64().unwrap_or_default() * 100.0;
    timeline.tell("Bruna", &format!("asks where that is from: article “{source}”, {confidence:.0} % sure"), since);
    Ok(id)
}

/// One that nothing answers, and what whoever takes over reads of it.
async fn doubt(play: &Play, client: &str, id: &str) -> Result<()> {
    let (bruna, timeline) = (&play.cast.bruna, &play.timeline);
    let mut socket = bruna.socket().await;
    let since = Instant::now();
    write(play, client, UNANSWERED).await?;
    let is_waiting = |frame: &Value| {
        let conversation = &frame["data"]["conversation"];
        conversation["id"] == id && conversation["status"] == "pending"
    };
    let waiting = socket.frame("the conversation waiting", is_waiting).await;
    socket.close().await;
    reached(play, client, HANDED_OVER).await;
    timeline.tell("Bot", &format!("is in doubt, and makes nothing up: “{HANDED_OVER}”"), since);
    let summary = text(&waiting["data"]["conversation"]["subject"]).to_owned();
    let (question, reason) = summary.split_once(" A IA ").context("there is no summary")?;
    ensure!(question.contains(UNANSWERED), "the summary is of something else: {summary}");
    timeline.tell("Bruna", "her socket shows the conversation waiting, with what it is about:", since);
    println!("{:24}{question}\n{:24}A IA {reason}", "", "");
    let since = Instant::now();
    bruna.take_over(id).await;
    bruna.close(id).await;
    timeline.tell("Bruna", "takes it over, and closes it", since);
    Ok(())
}

async fn write(play: &Play, client: &str, words: &str) -> Result<()> {
    let since = Instant::now();
    let received = play.cast.phone.receive(client, json!({"name": "João", "text": words})).await;
    ensure!(received["status"] == 200, "the webhook was answered with {received}");
    play.timeline.tell("João", &format!("writes “{words}”"), since);
    Ok(())
}

/// Until these words are where the client reads them.
async fn reached(play: &Play, client: &str, words: &str) {
    eventually("the words at WhatsApp", || async {
        let sent = play.cast.phone.sent().await;
        sent.iter().any(|sent| sent["to"] == client && sent["body"]["text"]["body"] == words).then_some(())
    })
    .await;
}
