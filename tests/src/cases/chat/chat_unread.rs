//! How far people have read.

use std::sync::Arc;

use serde_json::json;
use tests::{Stack, Wanted};

use super::{channel, own, path_of, read, said, say};

pub async fn unread_is_what_lies_beyond_the_cursor(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (one, two) = (&company.agents[0], &company.agents[1]);
    let id = channel(one, "leitura", "public", &[two]).await;
    for _ in 0..5 {
        said(one, &id, "oi").await;
    }
    let last = say(one, &id, json!({"body": "e tu?", "mentions": {"user_ids": [two.id]}})).await;
    let of_two = async || {
        let own = own(two, &id).await;
        (own["unread"].clone(), own["mentions"].clone(), own["read_place"].clone())
    };
    assert_eq!(of_two().await, (json!(6), json!(1), json!(0)));
    assert_eq!(own(one, &id).await["unread"], 0, "who writes has read");
    read(two, &id, json!({"place": 4})).await;
    assert_eq!(of_two().await, (json!(2), json!(1), json!(4)));
    read(two, &id, json!({"place": 2})).await;
    assert_eq!(of_two().await, (json!(2), json!(1), json!(4)), "it never goes back");
    let beyond = read(two, &id, json!({"place": 4_000_000_000_000_i64})).await;
    assert_eq!((&beyond["read_place"], &beyond["mentions"]), (&json!(6), &json!(0)), "nor beyond what there is");
    read(two, &id, json!({"place": 3, "unread": true})).await;
    assert_eq!(of_two().await, (json!(4), json!(1), json!(2)), "unless they want it to");
    read(two, &id, json!({"unread": true})).await;
    assert_eq!(of_two().await.2, json!(0));
    let all = two.api.get("/chat/unread").await.expect(200);
    assert_eq!((&all["unread"], &all["mentions"], &all["channels"][0]["unread"]), (&json!(6), &json!(1), &json!(6)));
    // What is deleted keeps its place and mentions nobody.
    one.api.call(reqwest::Method::DELETE, &path_of(&last), None).await.expect(204);
    assert_eq!(of_two().await, (json!(6), json!(0), json!(0)));
    // What is muted is counted and not added up.
    let muted = json!({"is_muted": true});
    two.api.call(reqwest::Method::PUT, &format!("/channels/{id}/preferences"), Some(muted)).await.expect(200);
    let all = two.api.get("/chat/unread").await.expect(200);
    assert_eq!(
        (&all["unread"], &all["channels"][0]["unread"], &all["channels"][0]["is_silent"]),
        (&json!(0), &json!(6), &json!(true))
    );
    for wrong in [json!({"place": 0}), json!({"place": -1}), json!({"place": "x"})] {
        two.api.post(&format!("/channels/{id}/read"), wrong).await.expect(422);
    }
    assert_eq!(company.admin.api.post(&format!("/channels/{id}/read"), json!({})).await.problem(403), "not_member");
}

pub async fn another_device_follows(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (one, two) = (&company.agents[0], &company.agents[1]);
    let id = channel(one, "aparelhos", "public", &[two]).await;
    let (mut phone, mut others) = (two.socket().await, one.socket().await);
    said(one, &id, "oi").await;
    phone.frame("the message", |frame| frame["type"] == "chat.message_created" && frame["data"]["message"]["place"] == 1).await;
    read(two, &id, json!({})).await;
    let told = phone.of_type("chat.channel_read").await;
    assert_eq!((&told["data"]["read_place"], &told["data"]["mentions"]), (&json!(1), &json!(0)));
    two.api.call(reqwest::Method::PUT, &format!("/channels/{id}/draft"), Some(json!({"text": "já vou"}))).await.expect(200);
    assert_eq!(phone.of_type("chat.preferences_saved").await["data"]["preferences"]["draft"], "já vou");
    let seen = others.drain().await;
    assert!(
        !seen.iter().any(|frame| frame["type"] == "chat.channel_read" || frame["type"] == "chat.preferences_saved"),
        "{seen:?}"
    );
}
