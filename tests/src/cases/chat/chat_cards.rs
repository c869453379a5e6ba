//! What is shared in a channel shows to each what they may see of it.

use std::sync::Arc;

use serde_json::json;
use tests::{Stack, Wanted, company::text};

use super::{channel, path_of, say};

pub async fn a_card_shows_to_each_what_they_may_see(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agent_visibility: "own", ..Wanted::default() }).await;
    let (one, two) = (&company.agents[0], &company.agents[1]);
    let (_, conversation) = company.served().await;
    let canary = "Canário Zebedeu";
    let client = text(&one.conversation(&conversation).await["client_id"]).to_owned();
    one.api.call(reqwest::Method::PUT, &format!("/clients/{client}"), Some(json!({"name": canary}))).await.expect(200);
    let note = one.api.post("/notes", json!({"conversation_id": conversation, "text": "Canário da nota"})).await.expect(201);
    let id = channel(one, "casos", "public", &[two, &company.supervisor]).await;
    let (mut seen, mut other) = (one.socket().await, two.socket().await);
    let head = two.head().await;
    let cards = json!([{"kind": "conversation", "id": conversation}, {"kind": "note", "id": note["id"]}]);
    let message = json!({"body": "Quem pode ver este caso?", "cards": cards, "mentions": {"user_ids": [two.id]}});
    let message = say(one, &id, message).await;
    seen.of_type("chat.message_created").await;
    let told = other.of_type("chat.message_created").await;
    let of = async |person: &tests::company::Person| person.api.get(&path_of(&message)).await.expect(200)["shown_cards"].clone();
    for person in [one, &company.supervisor] {
        let shown = of(person).await;
        assert_eq!((&shown[0]["is_visible"], text(&shown[0]["title"])), (&json!(true), canary));
        assert_eq!(text(&shown[1]["detail"]), "Canário da nota");
    }
    let hidden = of(two).await;
    for card in hidden.as_array().into_iter().flatten() {
        assert_eq!(
            (&card["is_visible"], &card["title"], &card["detail"], &card["person_name"]),
            (&json!(false), &json!(null), &json!(null), &json!(null))
        );
    }
    // Nothing of it anywhere: frames, feed, lists, search, mentions, notifications.
    let mut all = vec![told, hidden];
    all.extend(other.drain().await);
    all.extend(two.events_after(&head).await);
    for path in [
        format!("/channels/{id}/messages"),
        "/chat/search?q=caso".to_owned(),
        "/notifications".to_owned(),
        "/chat/mentions".to_owned(),
        "/channels".to_owned(),
    ] {
        all.push(two.api.get(&path).await.expect(200));
    }
    let leaked: Vec<_> = all.iter().filter(|answer| answer.to_string().contains("Canário da nota")).collect();
    assert!(leaked.is_empty(), "{leaked:?}");
    let search = two.api.get("/chat/search?q=caso").await.expect(200);
    assert_eq!(search["data"].as_array().map(Vec::len), Some(1), "the words themselves are the channel's");
    // Who does not see it shares it with nobody.
    let refused = two.api.post(&format!("/channels/{id}/messages"), json!({"body": "x", "cards": cards})).await.expect(422);
    assert_eq!(text(&refused["errors"][0]["field"]), "cards[0].id");
}
