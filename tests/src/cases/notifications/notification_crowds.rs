//! Many at once.

use std::sync::Arc;

use futures_util::future::{join, join_all};
use serde_json::json;
use tests::{Stack, Wanted, company::text};

use super::{of_type, unread};

/// Clients write, people name one another in notes and in the chat, others read all: nothing is lost, told twice, or in one another's way.
pub async fn crowds_are_told_each_once(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 4, ..Wanted::default() }).await;
    let mut served = Vec::new();
    for agent in &company.agents {
        let client = tests::sandbox::fresh_number();
        company.phone.receive_text(&client, "Oi").await;
        let id = company.admin.conversation_id_of(&client).await;
        agent.take_over(&id).await;
        served.push((client, id));
    }
    let everybody: Vec<_> = company.agents.iter().map(|agent| agent.id).collect();
    let channel = json!({"name": "todos juntos", "kind": "private", "member_ids": everybody});
    let channel = text(&company.supervisor.api.post("/channels", channel).await.expect(201)["id"]).to_owned();
    let rounds = 6_usize;
    let told = i64::try_from(rounds).expect("a few");
    let acts = (0..rounds * 3).map(async |number| match number % 3 {
        0 => {
            // All clients at once, in another order each time.
            let mut order: Vec<_> = (0..served.len()).collect();
            order.rotate_left(number / 3 % served.len());
            let words = format!("mensagem {number}");
            join_all(order.into_iter().map(|client| company.phone.receive_text(&served[client].0, &words))).await;
        }
        1 => {
            let mut named = everybody.clone();
            named.rotate_left(number / 3 % served.len());
            let words = json!({"body": format!("aviso {number}"), "mentions": {"user_ids": named}});
            company.supervisor.api.post(&format!("/channels/{channel}/messages"), words).await.expect(201);
        }
        _ => {
            let note = json!({"conversation_id": served[number / 3 % served.len()].1, "text": format!("nota {number}"), "mention_ids": everybody});
            company.supervisor.api.post("/notes", note).await.expect(201);
        }
    });
    join_all(acts).await;
    let count = |rows: &[serde_json::Value]| rows.iter().map(|row| row["count"].as_i64().expect("a count")).sum::<i64>();
    for agent in &company.agents {
        let (messages, mentions) = (of_type(agent, "message").await, of_type(agent, "mention").await);
        assert_eq!(count(&messages), told, "{messages:?}");
        assert_eq!(count(&mentions), 2 * told, "of the channel and of notes: {mentions:?}");
    }
    // Reading everything while more comes: what came later is there, what was read is not.
    let reading = company.agents.iter().map(async |agent| {
        for _ in 0..5 {
            agent.api.post("/notifications/read-all", json!({})).await.expect(200);
        }
    });
    let writing = (0..8).map(async |number| {
        let words = json!({"body": format!("depois {number}"), "mentions": {"user_ids": everybody}});
        company.supervisor.api.post(&format!("/channels/{channel}/messages"), words).await.expect(201);
    });
    join(join_all(reading), join_all(writing)).await;
    for agent in &company.agents {
        let all = of_type(agent, "mention").await;
        assert_eq!(count(&all), 2 * told + 8, "none is lost, none is counted twice: {all:?}");
        agent.api.post("/notifications/read-all", json!({})).await.expect(200);
        assert!(unread(agent).await.is_empty(), "no badge sticks");
    }
}

/// What two tell at once is two for whoever is told, whatever way the frames come; and what is read at the same moment is counted, too.
pub async fn the_latest_number_is_the_right_one(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 4, ..Wanted::default() }).await;
    let (reader, writers) = company.agents.split_first().expect("people");
    let mut channels = Vec::new();
    for (number, writer) in writers.iter().enumerate() {
        let made = json!({"name": format!("canal {number}"), "kind": "private", "member_ids": [reader.id]});
        channels.push(text(&writer.api.post("/channels", made).await.expect(201)["id"]).to_owned());
    }
    let head = reader.head().await;
    for round in 0..12 {
        let writing = writers.iter().zip(&channels).map(|(writer, channel)| async move {
            let words = json!({"body": format!("rodada {round}"), "mentions": {"user_ids": [reader.id]}});
            writer.api.post(&format!("/channels/{channel}/messages"), words).await.expect(201);
        });
        let reading = async {
            if round % 2 == 0 {
                reader.api.post("/notifications/read-all", json!({})).await.expect(200);
            }
        };
        join(join_all(writing), reading).await;
    }
    let events = reader.events_after(&head).await;
    let latest = events
        .iter()
        .filter(|event| text(&event["type"]).starts_with("notification."))
        .max_by_key(|event| event["data"]["revision"].as_i64());
    let latest = &latest.expect("an event")["data"];
    let list = reader.api.get("/notifications?unread=true").await.expect(200);
    assert_eq!(
        (&latest["unread"], latest["revision"].as_i64() <= list["revision"].as_i64()),
        (&list["unread"], true),
        "{latest} {list}"
    );
    assert_eq!(list["data"].as_array().map(Vec::len), Some(3));
}

/// Whoever is named with many others is told on each of their sockets, once, whether the answer tells them or the worker does; and nobody else is.
pub async fn many_who_are_named_at_once_are_told_on_each_socket(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 13, ..Wanted::default() }).await;
    let (named, other) = (&company.agents[..12], &company.agents[12]);
    let everybody: Vec<_> = company.agents.iter().map(|agent| agent.id).collect();
    let channel = json!({"name": "muitos juntos", "kind": "private", "member_ids": everybody});
    let channel = text(&company.supervisor.api.post("/channels", channel).await.expect(201)["id"]).to_owned();
    let mentions = json!({"user_ids": named.iter().map(|agent| agent.id).collect::<Vec<_>>()});
    let mut sockets = join_all(named.iter().skip(1).map(async |agent| (agent.id, agent.socket().await))).await;
    let mut others = [other.socket().await, company.students[0].socket().await];
    // Few listeners, then many: each has two sockets, but for one who is away.
    for listeners in [11, 22] {
        while sockets.len() < listeners {
            let agent = &named[1 + sockets.len() - 11];
            sockets.push((agent.id, agent.socket().await));
        }
        let words = json!({"body": format!("@todos {listeners}"), "mentions": mentions});
        let said = company.supervisor.api.post(&format!("/channels/{channel}/messages"), words).await.expect(201);
        for (person, socket) in &mut sockets {
            let told = socket.of_type("notification.created").await;
            assert_eq!(told["topic"], format!("user:{person}"), "{told}");
            assert_eq!(told["data"]["notification"]["source_id"], said["id"], "{told}");
        }
        let again = join_all(sockets.iter_mut().map(|(_, socket)| socket.drain())).await.concat();
        assert!(!again.iter().any(|frame| frame["type"] == "notification.created"), "told twice: {again:?}");
    }
    let seen = join_all(others.iter_mut().map(tests::Socket::drain)).await.concat();
    assert!(!seen.iter().any(|frame| frame["type"] == "notification.created"), "{seen:?}");
}
