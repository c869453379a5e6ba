//! How people want to be told.

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Socket, Stack, Wanted, company::text};

use super::{choose, of_type, unread};

fn of<'a>(preferences: &'a Value, kind: &str) -> &'a Value {
    let types = preferences["types"].as_array().expect("types");
    types.iter().find(|choice| choice["type"] == kind).expect("a choice of it")
}

pub async fn what_is_chosen_holds(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, ..Wanted::default() }).await;
    let agent = &company.agents[0];
    let built_in = agent.api.get("/notifications/preferences").await.expect(200);
    let message = of(&built_in, "message");
    assert_eq!(
        (text(&message["name"]), &message["screen"], &message["email"]),
        ("Mensagens nas minhas conversas", &json!(true), &json!(false))
    );
    assert_eq!(
        (&built_in["version"], &built_in["quiet_hours"], &built_in["email_after_minutes"]),
        (&json!(0), &Value::Null, &json!(15))
    );
    let (client, _) = company.served().await;
    let mut screen = agent.socket().await;
    let saved = choose(agent, json!({"types": {"message": {"sound": false}}})).await;
    assert_eq!(
        (&of(&saved, "message")["sound"], &of(&saved, "message")["screen"], &saved["version"]),
        (&json!(false), &json!(true), &json!(1))
    );
    assert_eq!(screen.of_type("notification.preferences_saved").await["data"]["preferences"], saved, "the other devices follow");
    company.phone.receive_text(&client, "Sem som").await;
    assert_eq!(screen.of_type("notification.created").await["data"]["sound"], Value::Null);
    // Not on the screen: neither listed nor counted. What was chosen before stays chosen.
    let saved = choose(agent, json!({"types": {"message": {"screen": false}}})).await;
    assert_eq!((&of(&saved, "message")["sound"], &of(&saved, "message")["screen"]), (&json!(false), &json!(false)));
    company.phone.receive_text(&client, "Sem tela").await;
    assert!(unread(agent).await.is_empty() && of_type(agent, "message").await.is_empty());
    choose(agent, json!({"types": {"message": {"screen": true, "sound": true}}})).await;
    company.phone.receive_text(&client, "Com tudo").await;
    let frame = screen.of_type("notification.created").await;
    assert_eq!((&frame["data"]["sound"], text(&frame["data"]["notification"]["body"])), (&json!("message"), "Com tudo"));
    assert_eq!(frame["data"]["notification"]["count"], 1, "what was not to be seen is not counted");
    // A burst sounds once.
    company.phone.receive_text(&client, "E mais").await;
    assert_eq!(screen.of_type("notification.created").await["data"]["sound"], Value::Null);
}

/// One agent, who hears one client.
struct Desk<'a> {
    company: &'a Company,
    client: String,
    id: String,
    screen: &'a mut Socket,
}

impl Desk<'_> {
    /// What a message sounds like, after all before it was read.
    async fn sound(&mut self, quiet: Value) -> Value {
        let agent = &self.company.agents[0];
        choose(agent, json!({"quiet_hours": quiet})).await;
        agent.api.post(&format!("/conversations/{}/read", self.id), json!({})).await.expect(200);
        self.company.phone.receive_text(&self.client, "Toc").await;
        self.screen.of_type("notification.created").await["data"]["sound"].clone()
    }
}

pub async fn quiet_hours_and_breaks_are_silent(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, ..Wanted::default() }).await;
    let agent = &company.agents[0];
    let (client, id) = company.served().await;
    let mut screen = agent.socket().await;
    let now = jiff::Timestamp::now().in_tz("America/Sao_Paulo").expect("a zone");
    let at = |minutes: i64| (&now + jiff::Span::new().minutes(minutes)).strftime("%H:%M").to_string();
    let mut desk = Desk { company: &company, client, id, screen: &mut screen };
    assert_eq!(desk.sound(Value::Null).await, "message");
    assert_eq!(desk.sound(json!({"from": at(-60), "until": at(60)})).await, Value::Null, "within, across midnight or not");
    assert_eq!(desk.sound(json!({"from": at(60), "until": at(-60)})).await, "message", "around it, the other way about");
    assert_eq!(desk.sound(json!({"from": at(60), "until": at(120)})).await, "message");
    assert_eq!(desk.sound(json!({"from": at(-120), "until": at(-60)})).await, "message");
    agent.api.post("/productivity/breaks", json!({"reason": "lunch"})).await.expect(201);
    assert_eq!(desk.sound(Value::Null).await, Value::Null, "on a break");
    agent.api.post("/productivity/breaks/end", json!({})).await.expect(200);
    assert_eq!(desk.sound(Value::Null).await, "message");
}

pub async fn what_is_wrong_with_preferences_is_said(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    for (wrong, field, code) in [
        (json!({"types": {"novidade": {"screen": true}}}), "types.novidade", "unknown_type"),
        (json!({"quiet_hours": {"from": "25:00", "until": "07:00"}}), "quiet_hours.from", "not_a_time"),
        (json!({"quiet_hours": {"from": "22:00", "until": "7:00"}}), "quiet_hours.until", "not_a_time"),
        (json!({"quiet_hours": {"from": "22:00", "until": "22:00"}}), "quiet_hours.until", "no_time"),
        (json!({"email_after_minutes": 0}), "email_after_minutes", "too_small"),
        (json!({"email_after_minutes": 1441}), "email_after_minutes", "too_large"),
    ] {
        let refused = agent.api.call(Method::PUT, "/notifications/preferences", Some(wrong.clone())).await;
        let problems = refused.expect(422);
        assert_eq!((text(&problems["errors"][0]["field"]), text(&problems["errors"][0]["code"])), (field, code), "{wrong}");
    }
    for wrong in [
        json!({"types": {"message": {"noise": true}}}),
        json!({"types": {"message": {"screen": "yes"}}}),
        json!({"quiet_hours": {"from": "22:00"}}),
    ] {
        agent.api.call(Method::PUT, "/notifications/preferences", Some(wrong)).await.expect(422);
    }
    assert_eq!(agent.api.get("/notifications/preferences").await.expect(200)["version"], 0, "nothing has changed");
}

pub async fn two_devices_that_choose_at_once_lose_nothing(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let kinds = ["message", "mention", "assignment", "transfer", "chat_message", "reminder"];
    let choosing = kinds.iter().map(async |kind| {
        let wanted = json!({"types": {*kind: {"sound": false}}});
        // Whoever comes second is told what it is now, and chooses again.
        for _ in 0..20 {
            let answer = agent.api.call(Method::PUT, "/notifications/preferences", Some(wanted.clone())).await;
            if answer.status == 200 {
                return;
            }
            assert_eq!(answer.problem(409), "stale_version");
        }
        panic!("never saved");
    });
    join_all(choosing).await;
    let saved = agent.api.get("/notifications/preferences").await.expect(200);
    assert!(kinds.iter().all(|kind| of(&saved, kind)["sound"] == false), "{saved}");
}
