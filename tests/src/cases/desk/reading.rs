//! Reading a thread: both directions, a window around a message, what was read, and what front ends keep of their own.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text};

struct Scene {
    company: Company,
    client: String,
    id: String,
    /// The ids of twelve messages, the oldest first.
    whole: Vec<String>,
}

async fn scene(stack: &Stack) -> Scene {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (client, id) = company.served().await;
    let now = jiff::Timestamp::now().as_second();
    for index in 1..11 {
        // Several with the same time: the id decides then.
        company.phone.receive(&client, json!({"text": index.to_string(), "timestamp": now + 1 + index / 4})).await;
    }
    let thread = company.agents[0].thread(&id).await;
    let whole: Vec<String> = thread.iter().map(|message| text(&message["id"]).to_owned()).collect();
    assert_eq!(whole.len(), 12);
    Scene { company, client, id, whole }
}

impl Scene {
    async fn page(&self, query: &str) -> Value {
        let path = format!("/messages?conversation_id={}&{query}", self.id);
        self.company.agents[0].api.get(&path).await.expect(200)
    }
}

fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().expect("rows").iter().map(|message| text(&message["id"]).to_owned()).collect()
}

pub async fn messages_go_on_in_both_directions(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let (mut paged, mut query) = (Vec::new(), "order=asc&limit=5".to_owned());
    let last = loop {
        let page = scene.page(&query).await;
        paged.extend(ids(&page));
        let Some(cursor) = page["next_cursor"].as_str() else { break page };
        query = format!("order=asc&limit=5&cursor={cursor}");
    };
    assert_eq!(paged, scene.whole);
    // Back from the last page, and forward again from the newest to what is yet to come.
    let back = scene.page(&format!("limit=4&cursor={}", text(&last["previous_cursor"]))).await;
    assert_eq!(ids(&back), scene.whole[6..10].iter().rev().cloned().collect::<Vec<_>>());
    let newest = scene.page("limit=3").await;
    let onward = format!("order=asc&cursor={}", text(&newest["previous_cursor"]));
    let nothing = scene.page(&onward).await;
    assert_eq!((&nothing["data"], &nothing["next_cursor"]), (&json!([]), &Value::Null));
    let later = jiff::Timestamp::now().as_second() + 30;
    scene.company.phone.receive(&scene.client, json!({"text": "novidade", "timestamp": later})).await;
    let come = scene.page(&onward).await;
    assert_eq!((come["data"].as_array().map(Vec::len), text(&come["data"][0]["body"])), (Some(1), "novidade"));
}

pub async fn window_is_shown_in_either_order(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let around = format!("around={}&limit=5", scene.whole[6]);
    let newest_first = scene.page(&around).await;
    assert_eq!(ids(&newest_first), scene.whole[4..9].iter().rev().cloned().collect::<Vec<_>>());
    let oldest_first = scene.page(&format!("{around}&order=asc")).await;
    assert_eq!(ids(&oldest_first), scene.whole[4..9]);
    let alone = scene.page(&format!("around={}&limit=1", scene.whole[6])).await;
    assert_eq!(ids(&alone), scene.whole[6..7]);
    // Each goes on at both of its ends.
    let newer = scene.page(&format!("order=asc&cursor={}", text(&oldest_first["next_cursor"]))).await;
    assert_eq!(ids(&newer), scene.whole[9..]);
    let older = scene.page(&format!("cursor={}", text(&oldest_first["previous_cursor"]))).await;
    assert_eq!(ids(&older), scene.whole[..4].iter().rev().cloned().collect::<Vec<_>>());
    let newer = scene.page(&format!("order=asc&cursor={}", text(&newest_first["previous_cursor"]))).await;
    assert_eq!(ids(&newer), scene.whole[9..]);
    let path = format!("/messages?conversation_id={}&{around}&cursor={}", scene.id, text(&older["previous_cursor"]));
    let refused = scene.company.agents[0].api.get(&path).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "around");
}

pub async fn window_around_a_message_elsewhere_is_not_found(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let other = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (_, theirs) = other.served().await;
    let (_, beside) = scene.company.served().await;
    let elsewhere = [
        text(&other.admin.thread(&theirs).await[0]["id"]).to_owned(),
        text(&scene.company.admin.thread(&beside).await[0]["id"]).to_owned(),
        uuid::Uuid::now_v7().to_string(),
    ];
    for id in elsewhere {
        for order in ["asc", "desc"] {
            let path = format!("/messages?conversation_id={}&around={id}&order={order}", scene.id);
            scene.company.agents[0].api.get(&path).await.expect(404);
        }
    }
}

pub async fn reading_up_to_a_message_elsewhere_is_not_found(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let other = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (_, theirs) = other.served().await;
    let (_, beside) = scene.company.served().await;
    let agent = &scene.company.agents[0];
    let head = agent.head().await;
    let elsewhere = [
        other.admin.thread(&theirs).await[0]["id"].clone(),
        scene.company.admin.thread(&beside).await[0]["id"].clone(),
        json!(uuid::Uuid::now_v7()),
    ];
    for id in elsewhere {
        agent.api.post(&format!("/conversations/{}/read", scene.id), json!({"message_id": id})).await.expect(404);
    }
    assert_eq!(agent.conversation(&scene.id).await["unread"], 11);
    assert!(agent.events_after(&head).await.iter().all(|event| event["type"] != "conversation.read"));
}

pub async fn messages_tell_whether_they_were_read(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let agent = &scene.company.agents[0];
    let read = async || {
        let thread = agent.thread(&scene.id).await;
        thread
            .iter()
            .filter(|message| message["sender_type"] == "client")
            .map(|message| message["is_read"] == true)
            .collect::<Vec<_>>()
    };
    assert_eq!(read().await, [false; 11]);
    let path = format!("/conversations/{}/read", scene.id);
    // The first is the client's, the second tells of the takeover.
    agent.api.post(&path, json!({"message_id": scene.whole[4]})).await.expect(200);
    assert_eq!(read().await, [[true; 4].as_slice(), [false; 7].as_slice()].concat());
    let sent = agent.say(&scene.id, "Bom dia").await;
    assert_eq!(sent["is_read"], false);
    assert_eq!(read().await, [true; 11]);
    assert_eq!(agent.message_with_status(&sent, "read").await["is_read"], true);
}

pub async fn metadata_is_answered_and_has_a_limit(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let agent = &scene.company.agents[0];
    let conversation = agent.conversation(&scene.id).await;
    assert_eq!((&conversation["metadata"], &conversation["client"]["metadata"]), (&json!({}), &json!({})));
    let row: uuid::Uuid = scene.id.parse().expect("an id");
    let database = stack.database().await;
    let on_both = "with kept as (update conversations set metadata = $2 where id = $1 returning client_id)
                   update clients set metadata = $2 from kept where clients.id = kept.client_id";
    let metadata = json!({"pedido": {"id": 7, "itens": ["a", "b"]}});
    database.execute(on_both, &[&row, &metadata]).await.expect("it is kept");
    let conversation = agent.conversation(&scene.id).await;
    assert_eq!((&conversation["metadata"], &conversation["client"]["metadata"]), (&metadata, &metadata));
    assert_eq!(agent.conversation_of(&scene.client).await["metadata"], metadata);
    for too_much in [json!({"a": "x".repeat(16_384)}), json!([])] {
        let refused = database.execute(on_both, &[&row, &too_much]).await.expect_err("it is refused");
        assert_eq!(refused.code(), Some(&tokio_postgres::error::SqlState::CHECK_VIOLATION));
    }
}
