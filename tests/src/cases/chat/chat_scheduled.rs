//! Messages for later.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, Wanted, company::Person, company::text, eventually};

use super::{bodies, channel};

async fn plan(person: &Person, channel: &str, words: &str, seconds: i64) -> Value {
    let due_at = (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds)).to_string();
    let plan = json!({"channel_id": channel, "message": {"body": words}, "due_at": due_at});
    person.api.post("/chat/scheduled", plan).await.expect(201)
}

async fn state(person: &Person, planned: &Value) -> Value {
    let list = person.api.get("/chat/scheduled").await.expect(200);
    let found = list["data"].as_array().into_iter().flatten().find(|row| row["id"] == planned["id"]);
    found.cloned().unwrap_or_default()
}

async fn settled(person: &Person, planned: &Value) -> Value {
    eventually("a planned message to be settled", || async {
        let now = state(person, planned).await;
        (now["state"] != "waiting").then_some(now)
    })
    .await
}

pub async fn a_planned_message_is_posted_once(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (one, two) = (&company.agents[0], &company.agents[1]);
    let id = channel(one, "agenda", "public", &[two]).await;
    let (soon, never) = (plan(one, &id, "Bom dia, equipe!", 2).await, plan(one, &id, "nunca", 2).await);
    assert_eq!(two.api.get("/chat/scheduled").await.expect(200)["data"], json!([]), "it is its author's alone");
    two.api.call(Method::DELETE, &format!("/chat/scheduled/{}", text(&soon["id"])), None).await.expect(404);
    one.api.call(Method::DELETE, &format!("/chat/scheduled/{}", text(&never["id"])), None).await.expect(204);
    let posted = settled(one, &soon).await;
    assert_eq!(text(&posted["state"]), "posted");
    let listed = two.api.get(&format!("/channels/{id}/messages")).await.expect(200);
    assert_eq!((bodies(&listed), &listed["data"][0]["id"]), (vec!["Bom dia, equipe!"], &posted["message_id"]));
    assert_eq!(super::own(one, &id).await["unread"], 0, "who had read everything has read their own");
    let over = one.api.call(Method::DELETE, &format!("/chat/scheduled/{}", text(&soon["id"])), None).await;
    assert_eq!(over.body["current"]["state"], "posted");
    assert_eq!(over.problem(409), "not_waiting");
    assert_eq!(text(&state(one, &never).await["state"]), "cancelled");
    for (due_at, code) in [("2020-01-01T00:00:00Z", "in_the_past"), ("2099-01-01T00:00:00Z", "too_late")] {
        let refused = json!({"channel_id": id, "message": {"body": "x"}, "due_at": due_at});
        let refused = one.api.post("/chat/scheduled", refused).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["code"]), code);
    }
}

pub async fn what_has_changed_meanwhile_is_judged(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (one, two) = (&company.agents[0], &company.agents[1]);
    let away = channel(two, "arquivado", "public", &[one]).await;
    let left = channel(two, "deixado", "public", &[one]).await;
    let (archived, gone) = (plan(one, &away, "tarde demais", 2).await, plan(one, &left, "de fora", 2).await);
    two.api.call(Method::DELETE, &format!("/channels/{away}"), None).await.expect(204);
    one.api.post(&format!("/channels/{left}/leave"), json!({})).await.expect(204);
    let failed = settled(one, &archived).await;
    assert_eq!((text(&failed["state"]), text(&failed["failure"])), ("failed", "channel_archived"));
    let sql = "select state, failure from scheduled_chat_messages where id = $1::text::uuid";
    let database = stack.database().await;
    let row = eventually("the one of who has left", || async {
        let row = database.query_one(sql, &[&text(&gone["id"])]).await.expect("its row");
        (row.get::<_, &str>(0) != "waiting").then(|| row.get::<_, Option<String>>(1))
    })
    .await;
    assert_eq!(row.as_deref(), Some("not_member"));
    for channel in [&away, &left] {
        assert_eq!(two.api.get(&format!("/channels/{channel}/messages")).await.expect(200)["data"], json!([]));
    }
}
