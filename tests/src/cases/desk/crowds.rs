//! More listeners than an answer waits for: a worker tells them, each once, in order, and only what they may see.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::future::{join, join_all, join4};
use serde_json::{Value, json};
use tests::{Company, Socket, Stack, Wanted, company::text, sandbox::fresh_number};

/// Tabs of each agent. Three agents' are more than are told within an answer.
const TABS: usize = 10;

async fn crowd(stack: &Stack) -> (Company, Vec<Vec<Socket>>) {
    let departments = vec![("Atendimento", vec![1, 2]), ("Financeiro", vec![3])];
    let company = stack.company(Wanted { agents: 3, students: 0, departments, ..Wanted::default() }).await;
    let mut tabs = Vec::new();
    for agent in &company.agents {
        tabs.push(join_all((0..TABS).map(|_| agent.socket())).await);
    }
    (company, tabs)
}

/// Cursors that frames of the feed stand for.
fn cursors(frames: &[Value]) -> Vec<String> {
    let of = |frame: &Value| {
        let merged = frame["also"].as_array().cloned().unwrap_or_default();
        merged.into_iter().chain([frame["cursor"].clone()]).map(|cursor| text(&cursor).to_owned()).collect::<Vec<_>>()
    };
    frames.iter().filter(|frame| frame["cursor"].is_string()).flat_map(of).collect()
}

pub async fn many_listeners_are_told_everything_once(stack: Arc<Stack>) {
    let (company, mut tabs) = crowd(&stack).await;
    let head = company.agents[0].head().await;
    let clients: Vec<String> = (0..6).map(|_| fresh_number()).collect();
    for round in 0..3 {
        let words = format!("Mensagem {round}");
        join_all(clients.iter().map(|client| company.phone.receive_text(client, &words))).await;
    }
    let ids = join_all(clients.iter().map(|client| company.admin.conversation_id_of(client))).await;
    join_all(ids.iter().map(|id| company.agents[0].take_over(id))).await;
    for (agent, sockets) in company.agents.iter().zip(&mut tabs) {
        let topic = format!("company:{}", company.id);
        let events = agent.events_after(&head).await;
        let expected: BTreeSet<String> = events
            .iter()
            .filter(|event| event["topic"] == topic.as_str())
            .map(|event| text(&event["cursor"]).to_owned())
            .collect();
        for socket in sockets {
            let of_inbox = |frame: &Value| frame["topic"] == topic.as_str();
            let mut told = Vec::new();
            while !expected.iter().all(|cursor| told.contains(cursor)) {
                told.extend(cursors(&[socket.frame("the rest of what the feed has", of_inbox).await]));
            }
            told.extend(cursors(&socket.drain().await.into_iter().filter(of_inbox).collect::<Vec<_>>()));
            let distinct: BTreeSet<&String> = told.iter().collect();
            assert_eq!(told.len(), distinct.len(), "told twice");
        }
    }
    // Nobody of the other department is told of any.
    assert!(company.agents[2].events_after(&head).await.iter().all(|event| !event["type"].to_string().contains("conversation")));
}

pub async fn many_listeners_are_told_in_order(stack: Arc<Stack>) {
    let (company, mut tabs) = crowd(&stack).await;
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    let id = company.admin.conversation_id_of(&client).await;
    join_all(tabs[..2].iter_mut().flatten().map(|socket| socket.follow(&id))).await;
    let words: Vec<String> = (0..12).map(|number| format!("linha {number}")).collect();
    for line in &words {
        company.phone.receive_text(&client, line).await;
    }
    for socket in tabs[..2].iter_mut().flatten() {
        for line in &words {
            // The first may still be on its way when the socket begins to follow.
            let is_later = |frame: &Value| frame["type"] == "message.created" && frame["data"]["message"]["body"] != "Oi";
            let next = socket.frame("the next line", is_later).await;
            assert_eq!(text(&next["data"]["message"]["body"]), line);
        }
    }
}

/// Frames of transactions that end at the same time may come in any order: the greatest revision is the row as it is.
pub async fn the_greatest_revision_is_the_row_as_it_is(stack: Arc<Stack>) {
    let (company, mut tabs) = crowd(&stack).await;
    for is_crowd in [true, false] {
        if !is_crowd {
            // Those who were many leave.
            join_all(tabs.drain(1..).flatten().map(Socket::close)).await;
            join_all(tabs[0].drain(2..).map(Socket::close)).await;
        }
        let client = fresh_number();
        company.phone.receive_text(&client, "Oi").await;
        let id = company.admin.conversation_id_of(&client).await;
        let [first, second, _] = &company.agents[..] else { panic!("three agents") };
        first.take_over(&id).await;
        join4(
            first.transfer(&id, json!({"to_user_id": second.id})),
            company.phone.receive_text(&client, "um"),
            company.phone.receive_text(&client, "dois"),
            company.supervisor.api.post(&format!("/conversations/{id}/read"), json!({})),
        )
        .await;
        company.supervisor.close(&id).await;
        let row = company.admin.conversation(&id).await;
        // Those of the other department see none of it.
        for socket in tabs.iter_mut().take(2).flatten() {
            let is_newest = |frame: &Value| {
                frame["data"]["conversation"]["id"] == id.as_str() && frame["data"]["conversation"]["revision"] == row["revision"]
            };
            let newest = socket.frame("the newest row", is_newest).await["data"]["conversation"].clone();
            for field in ["status", "assignee_id", "unread", "last_message_preview", "version"] {
                assert_eq!(newest[field], row[field], "{field}");
            }
            let of_row = |frame: &&Value| frame["data"]["conversation"]["id"] == id.as_str();
            let later = |frame: &Value| frame["data"]["conversation"]["revision"].as_i64() > row["revision"].as_i64();
            assert!(!socket.drain().await.iter().filter(of_row).any(later));
        }
    }
}

pub async fn who_loses_sight_in_a_crowd_is_told_nothing_from_then_on(stack: Arc<Stack>) {
    let (company, mut tabs) = crowd(&stack).await;
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    let id = company.admin.conversation_id_of(&client).await;
    join_all(tabs[0].iter_mut().map(|socket| socket.follow(&id))).await;
    let chatter = async {
        for number in 0..20 {
            company.phone.receive_text(&client, &format!("antes ou depois {number}")).await;
        }
    };
    let target = json!({"to_department_id": company.departments[1].1});
    let transfer = async {
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        company.supervisor.transfer(&id, target).await
    };
    join(chatter, transfer).await;
    company.phone.receive_text(&client, "segredo do financeiro").await;
    for socket in &mut tabs[2] {
        socket.frame("the secret", |frame| frame.to_string().contains("segredo do financeiro")).await;
    }
    for socket in &mut tabs[0] {
        let heard = socket.drain().await;
        assert!(heard.iter().any(|frame| frame["type"] == "conversation.transferred"), "{heard:?}");
        assert!(!heard.iter().any(|frame| frame.to_string().contains("segredo do financeiro")), "{heard:?}");
    }
}

/// A batch as Lambda hands it over: (message, group, transaction, times received).
fn batch(company: &Company, messages: &[(&str, u8, &str, u8)]) -> Value {
    let records = messages.iter().map(|(id, shard, tx, receives)| {
        let body = json!({"company_id": company.id, "tx": tx, "shard": shard}).to_string();
        let attributes =
            json!({"MessageGroupId": format!("{}.{shard}", company.id), "ApproximateReceiveCount": receives.to_string()});
        json!({"messageId": id, "receiptHandle": id, "body": body, "attributes": attributes})
    });
    json!({"Records": records.collect::<Vec<_>>()})
}

pub async fn handover_that_fails_holds_up_its_own_group_only(stack: Arc<Stack>) {
    let (company, mut tabs) = crowd(&stack).await;
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    let tx = "select tx::text from events where company_id = $1 and type = 'message.created'";
    let tx: String = stack.database().await.query_one(tx, &[&company.id]).await.expect("an event").get(0);
    for socket in tabs.iter_mut().flatten() {
        socket.drain().await;
    }
    // Postgres takes no such text: it is the first of the batch, and of one group of the eight.
    let mut messages = vec![("bad", 0, "\0", 1), ("after", 0, tx.as_str(), 1)];
    let ids: Vec<String> = (1..8).map(|shard| format!("good {shard}")).collect();
    messages.extend(ids.iter().zip(1..8).map(|(id, shard)| (id.as_str(), shard, tx.as_str(), 1)));
    let report = stack.control("POST", "/invoke/PushEvents", Some(batch(&company, &messages))).await["result"].clone();
    let failed = json!({"batchItemFailures": [{"itemIdentifier": "bad"}, {"itemIdentifier": "after"}]});
    assert_eq!(report, failed, "a group keeps its order, and no other waits for it");
    let mut told = 0;
    for socket in tabs[..2].iter_mut().flatten() {
        let frames = socket.drain().await;
        told += usize::from(frames.iter().any(|frame| frame["type"] == "conversation.created"));
    }
    assert!((1..=2 * TABS).contains(&told), "the other shards are told");
    // What never succeeds is lost in the end, and what came after it is not.
    let again = [("bad", 0, "\0", 3), ("after", 0, tx.as_str(), 2)];
    let report = stack.control("POST", "/invoke/PushEvents", Some(batch(&company, &again))).await["result"].clone();
    assert_eq!(report, json!({"batchItemFailures": [{"itemIdentifier": "after"}]}));
}
