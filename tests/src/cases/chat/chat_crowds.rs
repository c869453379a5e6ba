//! Many at once.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use tests::{Stack, Wanted, company::text};
use uuid::Uuid;

use super::{channel, own, read, say};

pub async fn every_readers_unread_is_what_was_said(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 8, ..Wanted::default() }).await;
    let senders = &company.agents;
    let readers = [&company.admin, &company.supervisor, &company.agents[0], &company.agents[1]];
    let others: Vec<_> = company.agents[1..].iter().chain([&company.admin, &company.supervisor]).collect();
    let id = channel(&senders[0], "multidão", "public", &others).await;
    let each = 12;
    let talking = join_all(senders.iter().enumerate().map(|(number, sender)| {
        let id = &id;
        let reader = readers[number % 2];
        async move {
            for turn in 0..each {
                let message = json!({"body": format!("{number}.{turn}"), "client_message_id": format!("{number}.{turn}"),
                                     "mentions": if turn % 4 == 0 { json!({"user_ids": [reader.id]}) } else { json!({}) }});
                // Each is sent twice, as after a cut.
                let (first, second) = join(
                    sender.api.post(&format!("/channels/{id}/messages"), message.clone()),
                    sender.api.post(&format!("/channels/{id}/messages"), message),
                )
                .await;
                assert!(first.status < 300 && second.status < 300, "{} {}", first.body, second.body);
                assert_eq!(first.body["place"], second.body["place"]);
            }
        }
    }));
    let reading = join_all(readers.iter().map(|reader| {
        let id = &id;
        async move {
            for place in [3, 20, 5, 41, 40] {
                read(reader, id, json!({"place": place})).await;
                own(reader, id).await;
            }
        }
    }));
    join(talking, reading).await;
    let said = i64::try_from(senders.len() * each).expect("a number");
    let listed = company.admin.api.get(&format!("/channels/{id}/messages?limit=100&after=0")).await.expect(200);
    let places: Vec<i64> =
        listed["data"].as_array().into_iter().flatten().filter_map(|message| message["place"].as_i64()).collect();
    assert_eq!(places, (1..=said).collect::<Vec<_>>(), "no place is missing, none is there twice");
    let of_sender = |number: usize| {
        let said = listed["data"].as_array().into_iter().flatten().map(|message| text(&message["body"]).to_owned());
        said.filter(|body| body.starts_with(&format!("{number}."))).collect::<Vec<_>>()
    };
    for number in 0..senders.len() {
        let expected: Vec<_> = (0..each).map(|turn| format!("{number}.{turn}")).collect();
        assert_eq!(of_sender(number), expected, "each in the order of its sender");
    }
    let channel_id: Uuid = id.parse().expect("an id");
    let database = stack.database().await;
    for reader in readers {
        let sql = "select count(*), count(*) filter (where exists (select from chat_mentions where message_id = chat_messages.id and user_id = $2))
                     from chat_messages where channel_id = $1
                      and place > (select read_place from channel_members where channel_id = $1 and user_id = $2)";
        let row = database.query_one(sql, &[&channel_id, &reader.id]).await.expect("counts");
        let shown = own(reader, &id).await;
        assert_eq!((shown["unread"].as_i64(), shown["mentions"].as_i64()), (Some(row.get(0)), Some(row.get(1))));
        let end = read(reader, &id, json!({})).await;
        assert_eq!((&end["read_place"], &end["mentions"]), (&json!(said), &json!(0)));
        let all = reader.api.get("/chat/unread").await.expect(200);
        assert_eq!((&all["channels"], &all["mentions"]), (&json!([]), &json!(0)), "no badge sticks");
    }
}

/// More sockets than an answer waits for, and a few people among many.
pub async fn many_listeners_are_told_and_nobody_else(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 4, ..Wanted::default() }).await;
    let people = [&company.agents[0], &company.agents[1], &company.agents[2], &company.agents[3]];
    let large = channel(people[0], "grande", "private", &people[1..3]).await;
    let direct = people[0].api.post("/direct-messages", json!({"user_ids": [people[1].id]})).await.expect(201);
    let mut sockets = Vec::new();
    for person in people {
        for _ in 0..6 {
            sockets.push((person.id, person.socket().await));
        }
    }
    let say_all = async |channel: &str, words: &str| {
        for number in 0..3 {
            say(people[0], channel, json!({"body": format!("{words} {number}")})).await;
        }
    };
    join(say_all(&large, "a todos"), say_all(text(&direct["id"]), "a dois")).await;
    let heard = join_all(sockets.iter_mut().map(|(person, socket)| async move {
        let is_in = |frames: &[Value], words: &str| {
            let said = frames.iter().map(|frame| text(&frame["data"]["message"]["body"]).to_owned());
            said.filter(|body| body.starts_with(words)).collect::<BTreeSet<_>>().len()
        };
        let mut frames = socket.drain().await;
        for _ in 0..10 {
            let more = socket.drain().await;
            if more.is_empty() && !frames.is_empty() {
                break;
            }
            frames.extend(more);
        }
        (*person, is_in(&frames, "a todos"), is_in(&frames, "a dois"))
    }))
    .await;
    for (person, of_large, of_direct) in heard {
        let place = people.iter().position(|one| one.id == person);
        let expected = match place {
            Some(0 | 1) => (3, 3),
            Some(2) => (3, 0),
            _ => (0, 0),
        };
        assert_eq!((of_large, of_direct), expected, "{place:?}");
    }
}
