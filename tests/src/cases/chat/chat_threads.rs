//! Threads.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Stack, Wanted,
    company::{Person, text},
};

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

/// What is unread in the chat (in all, mentions, threads), and what the bell has.
async fn told(person: &Person) -> (Value, Value, Value, Value) {
    let chat = person.api.get("/chat/unread").await.expect(200);
    let bell = person.api.get("/notifications?unread=true").await.expect(200);
    let mentions =
        bell["data"].as_array().into_iter().flatten().map(|row| row["count"].as_i64().unwrap_or_default()).sum::<i64>();
    (chat["unread"].clone(), chat["mentions"].clone(), json!(chat["threads"].as_array().map(Vec::len)), json!(mentions))
}

fn are(unread: i64, mentions: i64, threads: usize, bell: i64) -> (Value, Value, Value, Value) {
    (json!(unread), json!(mentions), json!(threads), json!(bell))
}

pub async fn what_a_thread_tells_by_name_is_unread_too(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 3, ..Wanted::default() }).await;
    let [one, two, three] = [&company.agents[0], &company.agents[1], &company.agents[2]];
    let id = channel(one, "chamados", "private", &[two, three]).await;
    let root = said(one, &id, "Quem cobre sábado?").await;
    let answer = async |words: &str, mentions: Value, is_in_channel: bool| {
        let words = json!({"body": words, "root_id": root["id"], "mentions": mentions, "is_in_channel": is_in_channel});
        say(one, &id, words).await
    };
    for person in [two, three] {
        read(person, &id, json!({})).await;
    }
    // All of the channel, who do not follow the thread: told, and counted among the mentions only.
    answer("@canal alguém?", json!({"channel": true}), false).await;
    assert_eq!((told(two).await, told(three).await), (are(0, 1, 1, 1), are(0, 1, 1, 1)));
    let _online = two.socket().await;
    answer("@aqui", json!({"here": true}), false).await;
    assert_eq!((told(two).await, told(three).await), (are(0, 2, 1, 2), are(0, 1, 1, 1)), "who is online is told");
    let threads = three.api.get("/chat/unread").await.expect(200)["threads"].clone();
    let row = &threads[0];
    assert_eq!((&row["root_id"], &row["is_following"], &row["mentions"]), (&root["id"], &json!(false), &json!(1)));
    // Who is named follows from there, and what had mentioned them before stays unread.
    answer("@três", json!({"user_ids": [three.id]}), false).await;
    assert_eq!(told(three).await, are(3, 2, 1, 2));
    read(three, &id, json!({"root_id": root["id"]})).await;
    read(two, &id, json!({"root_id": root["id"]})).await;
    assert_eq!((told(two).await, told(three).await), (are(0, 0, 0, 0), are(0, 0, 0, 0)), "read is read in both");
    // What stands in the channel too is counted once, and read in either place.
    answer("@canal aqui também", json!({"channel": true}), true).await;
    assert_eq!(told(two).await, are(1, 1, 1, 1));
    read(two, &id, json!({})).await;
    assert_eq!(told(two).await, are(0, 0, 0, 0));
    read(three, &id, json!({"root_id": root["id"]})).await;
    read(three, &id, json!({})).await;
    // Who is named again follows again, whatever they had chosen.
    let follow = format!("{}/thread/follow", path_of(&root));
    three.api.call(Method::PUT, &follow, Some(json!({"is_following": false}))).await.expect(200);
    answer("sem você", json!({}), false).await;
    assert_eq!(told(three).await, are(0, 0, 0, 0));
    answer("@três, volte", json!({"user_ids": [three.id]}), false).await;
    assert_eq!(told(three).await, are(2, 1, 1, 1));
    // Whoever does not want to hear of it any more has nothing of it left.
    three.api.call(Method::PUT, &follow, Some(json!({"is_following": false}))).await.expect(200);
    assert_eq!(told(three).await, are(0, 0, 0, 0));
    three.api.call(Method::PUT, &follow, Some(json!({"is_following": true}))).await.expect(200);
    answer("e então?", json!({}), false).await;
    assert_eq!(told(three).await, are(1, 0, 1, 1));
    three.api.call(Method::PUT, &follow, Some(json!({"is_following": false}))).await.expect(200);
    assert_eq!(told(three).await, are(0, 0, 0, 0), "nor of what others answered");
}

pub async fn what_is_put_away_counts_nothing_until_it_is_back(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 2, ..Wanted::default() }).await;
    let [one, two] = [&company.agents[0], &company.agents[1]];
    let id = channel(one, "arquivo", "public", &[two]).await;
    let root = said(one, &id, "Assunto").await;
    let named = json!({"user_ids": [two.id]});
    say(one, &id, json!({"body": "@dois", "mentions": named})).await;
    say(one, &id, json!({"body": "@dois", "root_id": root["id"], "mentions": named})).await;
    let counted = async || {
        let chat = two.api.get("/chat/unread").await.expect(200);
        (chat["unread"].clone(), chat["mentions"].clone(), chat["channels"].clone(), chat["threads"].clone())
    };
    let before = counted().await;
    assert_eq!((&before.0, &before.1), (&json!(3), &json!(2)));
    one.api.call(Method::DELETE, &format!("/channels/{id}"), None).await.expect(204);
    assert_eq!(counted().await, (json!(0), json!(0), json!([]), json!([])));
    one.api.call(Method::PUT, &format!("/channels/{id}"), Some(json!({"is_archived": false}))).await.expect(200);
    assert_eq!(counted().await, before);
}
