//! The third act: the first client by an instance of an Evolution API server and by a flow of BotConversa.

use std::time::Instant;

use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, company::text, desk::text_message, eventually, evolution::Server};
use uuid::Uuid;

use crate::Play;

pub async fn play(stack: &Stack, play: &Play) -> Result<()> {
    println!("  Helena, the admin, connects two more channels. Maria uses both.\n");
    let instance = by_instance(stack, play).await?;
    let account = by_flow(stack, play).await?;
    let since = Instant::now();
    let helena = &play.cast.helena.api;
    let clients = helena.get(&format!("/clients?search={}", play.client)).await.expect(200);
    let all = "bot,pending,active,closed";
    let conversations = helena.get(&format!("/conversations?search={}&category={all}", play.client)).await.expect(200);
    let count = |page: &Value| page["data"].as_array().map_or(0, Vec::len);
    play.timeline.tell("Helena", &format!("sees {} client with {} conversations", count(&clients), count(&conversations)), since);
    ensure!(count(&clients) == 1 && count(&conversations) == 3, "Maria is not one client: {clients} {conversations}");
    let since = Instant::now();
    for id in [&instance, &account] {
        helena.call(Method::DELETE, &format!("/integrations/config/{id}?conversations=close"), None).await.expect(204);
    }
    play.timeline.tell("Helena", "removes both channels again; what was said stays", since);
    println!("\n  One client, three channels, one inbox.\n");
    Ok(())
}

/// By a phone that is linked to an instance.
async fn by_instance(stack: &Stack, play: &Play) -> Result<String> {
    let (helena, timeline) = (&play.cast.helena.api, &play.timeline);
    let server = Server::start(stack).await;
    let since = Instant::now();
    let made = helena.post("/whatsapp/instances", server.body(&server.name)).await.expect(201);
    let id = text(&made["id"]).to_owned();
    let code = text(&made["qr_code"]).len();
    timeline.tell("Helena", &format!("makes an instance at an Evolution API server: a code of {code} characters to scan"), since);
    let since = Instant::now();
    server.scan(stack, &made, &tests::sandbox::fresh_number()).await;
    let tested = helena.post(&format!("/whatsapp/instances/{id}/test"), json!({})).await.expect(200);
    ensure!(tested["instance"]["state"] == "open", "the instance is not connected: {tested}");
    timeline.tell("Helena", "scans it with the school's phone: connected, its webhooks are registered", since);
    let since = Instant::now();
    let told = json!({"instance": made["instance_name"], "from": play.client, "text": "Oi, é a Maria, pelo outro número"});
    let told = server.order(stack, "inbound", told).await;
    ensure!(told["status"] == 200, "the webhook was answered with {told}");
    timeline.tell("Maria", "writes to that phone", since);
    let there = format!("/sandbox/evolution/messages?server={}&instance={}", server.name, text(&made["instance_name"]));
    answer(stack, play, &id, ("Oi, Maria! Já vi que você falou com a gente.", &there)).await?;
    Ok(id)
}

/// By a flow that tells of her.
async fn by_flow(stack: &Stack, play: &Play) -> Result<String> {
    let (helena, timeline) = (&play.cast.helena.api, &play.timeline);
    let key = Uuid::new_v4().to_string();
    let seed = json!({"key": key, "subscribers": [{"phone": play.client, "first_name": "Maria"}]});
    stack.control("POST", "/sandbox/botconversa/seed", Some(seed)).await;
    let since = Instant::now();
    let connected = json!({"kind": "botconversa", "name": format!("Flows {}", &key[..8]), "api_key": key});
    let channel = helena.post("/integrations/config", connected).await.expect(200);
    let id = text(&channel["id"]).to_owned();
    let webhook = helena.get(&format!("/integrations/botconversa/{id}/webhook")).await.expect(200);
    timeline.tell("Helena", "connects an account of BotConversa; its key opens it", since);
    let since = Instant::now();
    let told = json!({"phone": play.client, "name": "Maria", "message": "Quero a segunda via", "message_id": Uuid::new_v4()});
    let posted = stack.http.post(text(&webhook["url"])).header(text(&webhook["header"]), text(&webhook["secret"])).json(&told);
    let answered: Value = posted.send().await?.json().await?;
    ensure!(answered["ok"] == true, "the flow was answered with {answered}");
    timeline.tell("Maria", "is in a flow, which tells what she wants: “Quero a segunda via”", since);
    let there = format!("/sandbox/botconversa/received?key={key}");
    answer(stack, play, &id, ("Segue a segunda via, Maria.", &there)).await?;
    Ok(id)
}

/// Bruna takes over and answers, until the words are where the client reads them.
async fn answer(stack: &Stack, play: &Play, channel: &str, (words, there): (&str, &str)) -> Result<()> {
    let (bruna, timeline) = (&play.cast.bruna, &play.timeline);
    let since = Instant::now();
    let waiting = bruna.api.get(&format!("/conversations?search={}&channel={channel}", play.client)).await.expect(200);
    let id = text(&waiting["data"][0]["id"]).to_owned();
    bruna.take_over(&id).await;
    bruna.api.post("/messages", text_message(&id, words)).await.expect(201);
    eventually("the answer with the client", || async {
        let received = stack.control("GET", there, None).await.to_string();
        received.contains(words).then_some(())
    })
    .await;
    timeline.tell("Bruna", &format!("takes over and answers “{words}”"), since);
    Ok(())
}
