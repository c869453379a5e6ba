//! After a disconnect nothing is missing: the feed, the socket's `resume` and `ping` tell the same.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};
use tests::{Company, Socket, Stack, Wanted, company::text, eventually};

fn cursors(events: &[Value]) -> Vec<String> {
    events.iter().filter_map(|event| event["cursor"].as_str()).map(str::to_owned).collect()
}

/// Lets a whole conversation happen. Answers its id.
async fn happen(company: &Company) -> String {
    let (client, id) = company.served().await;
    for words in ["um", "dois", "três"] {
        company.phone.receive_text(&client, words).await;
        let message = company.agents[0].say(&id, &format!("sobre {words}")).await;
        company.agents[0].message_with_status(&message, "read").await;
    }
    company.agents[0].close(&id).await;
    id
}

/// The head once nothing moves any more.
async fn settled(company: &Company) -> String {
    eventually("a quiet feed", || async {
        let before = company.admin.head().await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let events = company.admin.events_after(&before).await;
        if events.is_empty() { Some(company.admin.head().await) } else { None }
    })
    .await
}

/// Resumes on this socket; answers the frames of events, in order, and the head.
async fn resume(socket: &mut Socket, after: &str) -> (Vec<Value>, String) {
    socket.drain().await;
    socket.send(json!({"action": "resume", "after": after})).await;
    let resumed = socket.of_type("resumed").await;
    let frames = socket.drain().await.into_iter().filter(|frame| frame["cursor"].is_string()).collect();
    (frames, text(&resumed["head"]).to_owned())
}

pub async fn who_was_away_gets_exactly_what_the_feed_has(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    let absent = &company.agents[1];
    let head = absent.head().await;
    let id = happen(&company).await;
    settled(&company).await;
    let mut socket = absent.socket().await;
    socket.follow(&id).await;
    let (frames, new_head) = resume(&mut socket, &head).await;
    let topics = format!("conversation:{id},company:{},user:{}", company.id, absent.id);
    let page = absent.api.get(&format!("/events?after={head}&topics={topics}")).await.expect(200);
    let upto: Vec<Value> = page["data"].as_array().expect("events").clone();
    // Opening the socket made this person online: that event may lie on either side of the resumption.
    let told =
        |events: &[Value]| -> Vec<Value> { events.iter().filter(|event| event["type"] != "user.presence").cloned().collect() };
    assert_eq!(cursors(&told(&frames)), cursors(&told(&upto)));
    assert_eq!(told(&frames), told(&upto), "frames say what the feed says");
    assert!(frames.len() > 20, "{}", frames.len());
    let (again, _) = resume(&mut socket, &new_head).await;
    assert_eq!(told(&again), Vec::<Value>::new());
}

pub async fn who_missed_much_gets_a_part_and_reads_on(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    let absent = &company.agents[1];
    let mut socket = absent.socket().await;
    let head = settled(&company).await;
    let many = "
        insert into events (company_id, topic, type, data)
        select $1, 'company:' || $1::uuid, 'conversation.typing',
               jsonb_build_object('conversation_id', $1::uuid, 'user_id', $1::uuid, 'name', number::text, 'state', true)
          from generate_series(1, $2) number";
    let database = stack.database().await;
    database.execute(many, &[&company.id, &700]).await.expect("much happens");
    settled(&company).await;
    socket.send(json!({"action": "resume", "after": head})).await;
    let resumed = socket.of_type("resumed").await;
    assert_eq!(resumed["more"], true, "{resumed}");
    let mut told: Vec<Value> = socket.drain().await.into_iter().filter(|frame| frame["cursor"].is_string()).collect();
    assert_eq!((told.len(), told.last().map(|frame| &frame["cursor"])), (300, Some(&resumed["head"])));
    told.extend(absent.events_after(text(&resumed["head"])).await);
    let numbers: Vec<&str> = told.iter().map(|event| text(&event["data"]["name"])).collect();
    assert_eq!(numbers, (1..=700).map(|number: u32| number.to_string()).collect::<Vec<_>>());
    database.execute(many, &[&company.id, &1301]).await.expect("too much happens");
    settled(&company).await;
    socket.send(json!({"action": "resume", "after": head})).await;
    socket.of_type("resync").await;
}

pub async fn live_frames_and_the_feed_are_the_same_events(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    let mut socket = company.supervisor.socket().await;
    let head = settled(&company).await;
    let (client, id) = company.served().await;
    socket.follow(&id).await;
    let followed = settled(&company).await;
    company.phone.receive_text(&client, "oi de novo").await;
    let message = company.agents[0].say(&id, "olá").await;
    company.agents[0].message_with_status(&message, "read").await;
    settled(&company).await;
    let live: BTreeSet<String> = cursors(&socket.drain().await).into_iter().collect();
    let feed = company.supervisor.events_after(&followed).await;
    let missing: Vec<&Value> = feed.iter().filter(|event| !live.contains(text(&event["cursor"]))).collect();
    assert!(missing.is_empty() && feed.len() >= 7, "pushed nowhere: {missing:?}");
    // A ping names whatever the connection should know.
    socket.send(json!({"action": "ping", "after": head})).await;
    let pong = socket.of_type("pong").await;
    let all = cursors(&company.supervisor.events_after(&head).await);
    let named: Vec<&str> = pong["cursors"].as_array().expect("cursors").iter().map(text).collect();
    assert_eq!(named, all);
}

pub async fn feed_is_paged_without_loss(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    let head = company.admin.head().await;
    let id = happen(&company).await;
    settled(&company).await;
    let whole = company.admin.events_after(&head).await;
    let (mut paged, mut after) = (Vec::new(), head.clone());
    loop {
        let page = company.admin.api.get(&format!("/events?after={after}&limit=3")).await.expect(200);
        paged.extend(page["data"].as_array().expect("events").iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { break };
        next.clone_into(&mut after);
    }
    assert_eq!(cursors(&paged), cursors(&whole));
    let topic = format!("conversation:{id}");
    let page = company.admin.api.get(&format!("/events?after={head}&topics={topic}")).await.expect(200);
    let of_topic: Vec<Value> = whole.iter().filter(|event| event["topic"] == topic.as_str()).cloned().collect();
    assert_eq!(page["data"], json!(of_topic));
}

pub async fn cursors_that_mean_nothing_ask_for_a_fresh_load(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    let head = company.admin.head().await;
    let (epoch, rest) = head.split_once('.').expect("a cursor");
    let tx: u64 = rest.split('.').next().and_then(|tx| tx.parse().ok()).expect("a transaction");
    let lost =
        [format!("zzzzzzzz.{rest}"), format!("{epoch}.{}.0", tx + 1_000_000), "nonsense".to_owned(), format!("{epoch}.x.y")];
    let mut socket = company.agents[0].socket().await;
    for cursor in &lost {
        assert_eq!(company.admin.api.get(&format!("/events?after={cursor}")).await.problem(410), "resync", "{cursor}");
        socket.send(json!({"action": "resume", "after": cursor})).await;
        socket.of_type("resync").await;
        socket.send(json!({"action": "ping", "after": cursor})).await;
        assert_eq!(socket.of_type("pong").await["resync"], true, "{cursor}");
    }
}

pub async fn screens_carry_the_cursor_to_continue_from(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    let (client, id) = company.served().await;
    let screens = ["/conversations".to_owned(), format!("/conversations/{id}"), format!("/messages?conversation_id={id}")];
    for path in screens {
        let answer = company.admin.api.get(&path).await;
        let cursor = answer.header("balcao-cursor").expect("the header").to_owned();
        answer.expect(200);
        company.phone.receive_text(&client, &format!("depois de {path}")).await;
        let events = company.admin.events_after(&cursor).await;
        let words = |event: &Value| event["data"]["message"]["body"] == format!("depois de {path}");
        assert!(events.iter().any(words), "{path}: {events:?}");
    }
}
