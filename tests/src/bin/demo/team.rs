//! Another act: two colleagues settle a customer's case by a card and a mention, in a channel of the team.

use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::json;
use tests::company::text;
use uuid::Uuid;

use crate::Play;

pub async fn play(play: &Play) -> Result<()> {
    println!("  Bruna asks Caio about Maria's case, without leaving the inbox.\n");
    let (bruna, caio, timeline) = (&play.cast.bruna, &play.cast.caio, &play.timeline);
    let all = "bot,pending,active,closed";
    let found = bruna.api.get(&format!("/conversations?search={}&category={all}", play.client)).await.expect(200);
    let conversation = text(&found["data"][0]["id"]).to_owned();
    let mut socket = caio.socket().await;
    let since = Instant::now();
    let name = format!("casos {}", &Uuid::new_v4().simple().to_string()[..6]);
    let asked = json!({"name": name, "kind": "private", "topic": "O que se resolve a dois", "member_ids": [caio.id]});
    let channel = text(&bruna.api.post("/channels", asked).await.expect(201)["id"]).to_owned();
    timeline.tell("Bruna", &format!("makes the private channel #{name} with Caio"), since);
    let since = Instant::now();
    let question = json!({
        "body": "@Caio, a Maria pede para parcelar. Pode ser em 3x?",
        "mentions": {"user_ids": [caio.id]},
        "cards": [{"kind": "conversation", "id": conversation}],
    });
    let messages = format!("/channels/{channel}/messages");
    let question = bruna.api.post(&messages, question).await.expect(201);
    socket.frame("the question", |frame| frame["data"]["message"]["id"] == question["id"]).await;
    timeline.tell("Bruna", "mentions him with the conversation's card; his socket has it", since);
    let since = Instant::now();
    let seen = caio.api.get(&format!("/chat/messages/{}", text(&question["id"]))).await.expect(200);
    let card = &seen["shown_cards"][0];
    let what = if card["is_visible"] == true {
        format!("sees the card: {}, {}", text(&card["title"]), text(&card["detail"]))
    } else {
        "sees that there is a card, and nothing of it: the conversation is not his to see".to_owned()
    };
    timeline.tell("Caio", &what, since);
    let since = Instant::now();
    let answer = json!({"body": "Pode, sem juros até 3x.", "root_id": question["id"]});
    caio.api.post(&messages, answer).await.expect(201);
    caio.api.post(&format!("/channels/{channel}/read"), json!({})).await.expect(200);
    let left = caio.api.get(&format!("/channels/{channel}")).await.expect(200);
    ensure!(left["membership"]["unread"] == 0 && left["membership"]["mentions"] == 0, "something is unread: {left}");
    timeline.tell("Caio", "answers in its thread: “Pode, sem juros até 3x.” Nothing is unread", since);
    let since = Instant::now();
    let unread = bruna.api.get("/chat/unread").await.expect(200);
    ensure!(unread["threads"][0]["root_id"] == question["id"], "the answer does not call Bruna: {unread}");
    bruna.api.post(&format!("/chat/messages/{}/reactions", text(&question["id"])), json!({"emoji": "✅"})).await.expect(200);
    timeline.tell("Bruna", "sees one unread answer, and ticks the case off with ✅", since);
    let hidden = play.cast.helena.api.get(&format!("/channels/{channel}")).await;
    ensure!(hidden.status == 404, "an admin sees a private channel: {}", hidden.body);
    println!("\n  A case settled by two, and seen by nobody else: not even by Helena, the admin.\n");
    Ok(())
}
