//! Threads.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;
use tests::{Stack, Wanted, company::text};

use super::{bodies, channel, own, path_of, read, said, say};

pub async fn a_thread_has_its_own_places_and_followers(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 3, ..Wanted::default() }).await;
    let [one, two, three] = [&company.agents[0], &company.agents[1], &company.agents[2]];
    let id = channel(one, "fios", "public", &[two, three]).await;
    let root = said(one, &id, "Quem cobre sábado?").await;
    let answer = say(two, &id, json!({"body": "Eu", "root_id": root["id"]})).await;
    assert_eq!((&answer["place"], &answer["thread_place"]), (&json!(null), &json!(1)));
    say(one, &id, json!({"body": "Obrigado", "root_id": root["id"], "is_in_channel": true})).await;
    let mentioned = json!({"body": "Tu também?", "root_id": root["id"], "mentions": {"user_ids": [three.id]}});
    say(two, &id, mentioned).await;
    let listed = three.api.get(&format!("/channels/{id}/messages")).await.expect(200);
    assert_eq!(bodies(&listed), ["Obrigado", "Quem cobre sábado?"], "an answer is in its thread, or in both");
    assert_eq!((&listed["data"][1]["reply_count"], &own(three, &id).await["unread"]), (&json!(3), &json!(2)));
    let thread = three.api.get(&format!("{}/thread", path_of(&root))).await.expect(200);
    assert_eq!((bodies(&thread), text(&thread["root"]["body"])), (vec!["Eu", "Obrigado", "Tu também?"], "Quem cobre sábado?"));
    // Who began it, who answered and who is mentioned follow it.
    let unread = async |person: &tests::company::Person| {
        let unread = person.api.get("/chat/unread").await.expect(200);
        (unread["threads"][0]["unread"].clone(), unread["threads"][0]["mentions"].clone())
    };
    assert_eq!(unread(one).await, (json!(1), json!(0)), "read up to their own");
    assert_eq!(unread(three).await, (json!(1), json!(1)), "what was before they were called is read");
    assert_eq!(unread(two).await.0, json!(null));
    let marked = read(three, &id, json!({"root_id": root["id"]})).await;
    assert_eq!((&marked["read_place"], &marked["mentions"]), (&json!(3), &json!(0)));
    assert_eq!(unread(three).await.0, json!(null));
    let follow = format!("{}/thread/follow", path_of(&root));
    three.api.call(Method::PUT, &follow, Some(json!({"is_following": false}))).await.expect(200);
    say(one, &id, json!({"body": "Mais uma coisa", "root_id": root["id"]})).await;
    assert_eq!(unread(three).await.0, json!(null), "who does not follow is not called");
    assert_eq!(unread(two).await.0, json!(1));
    // Threads have no threads.
    let nested =
        two.api.post(&format!("/channels/{id}/messages"), json!({"body": "x", "root_id": answer["id"]})).await.expect(422);
    assert_eq!(text(&nested["errors"][0]["field"]), "root_id");
    company.admin.api.get(&format!("{}/thread", path_of(&root))).await.expect(404);
}
