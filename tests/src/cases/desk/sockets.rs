//! Sockets: tickets, presence, typing, topics, and what is not understood.

use std::sync::Arc;

use futures_util::{SinkExt as _, future::join_all};
use serde_json::{Value, json};
use tests::{Company, Lock, Socket, Stack, Wanted, company::Person, company::text, desk::text_message, sandbox::fresh_number};
use tokio_tungstenite::tungstenite::Message;

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { students: 1, ..Wanted::default() }).await
}

async fn address(person: &Person) -> String {
    let ticket = person.api.post("/realtime/tickets", json!({})).await.expect(201);
    text(&ticket["url"]).to_owned()
}

/// The lock under which the connections of this person open and close.
fn presence_lock(company: &Company, person: &Person) -> String {
    format!("presence:{}{}", company.id, person.id)
}

async fn leases(stack: &Stack, person: &Person) -> i64 {
    let count = "select count(*) from presence_leases where user_id = $1";
    stack.database().await.query_one(count, &[&person.id]).await.expect("a count").get(0)
}

/// The status with which a handshake is refused.
async fn refusal(url: &str) -> u16 {
    let url = url::Url::parse(url).expect("an address");
    match tokio_tungstenite::connect_async(url.as_str()).await {
        Err(tokio_tungstenite::tungstenite::Error::Http(response)) => response.status().as_u16(),
        other => panic!("the handshake was answered with {:?}", other.map(|_| "an open socket")),
    }
}

/// Sends this and answers the code of the error that comes back.
async fn error_of(socket: &mut Socket, message: impl Into<String>) -> String {
    socket.send_text(message).await;
    let error = socket.of_type("error").await;
    assert!(error["status"].is_number() && error["title"].is_string(), "{error}");
    text(&error["code"]).to_owned()
}

pub async fn ticket_opens_one_socket_only(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let url = address(&company.agents[0]).await;
    let mut socket = Socket::open(&url).await.expect("it opens");
    socket.send(json!({"action": "ping"})).await;
    socket.of_type("pong").await;
    assert_eq!(refusal(&url).await, 401);
    let (base, _) = url.split_once('?').expect("a query");
    for query in ["", "?ticket=", "?ticket=nonsense", &format!("?ticket={}", "x".repeat(2000))] {
        assert_eq!(refusal(&format!("{base}{query}")).await, 401, "{query}");
    }
    stack.api().post("/realtime/tickets", json!({})).await.expect(401);
}

/// The URL opens as it stands; who adds the ticket once more, as it used to be done, is let in too.
pub async fn front_ends_that_add_the_ticket_to_the_url_are_let_in(stack: Arc<Stack>) {
    let company = company(&stack).await;
    for separator in ["?", "&"] {
        let ticket = company.agents[0].api.post("/realtime/tickets", json!({})).await.expect(201);
        let (url, ticket) = (text(&ticket["url"]), text(&ticket["ticket"]));
        assert!(url.ends_with(&format!("?ticket={ticket}")), "{url}");
        let mut socket = Socket::open(&format!("{url}{separator}ticket={ticket}")).await.expect("it opens");
        socket.send(json!({"action": "ping"})).await;
        socket.of_type("pong").await;
    }
}

pub async fn ticket_of_an_ended_session_opens_nothing(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let url = address(&company.agents[0]).await;
    company.agents[0].api.post("/auth/logout", json!({})).await;
    assert_eq!(refusal(&url).await, 401);
}

/// The logout happens after the handshake has found the session standing and before anybody can find the connection.
pub async fn socket_that_opens_while_logging_out_is_refused(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let url = address(agent).await;
    let lock = Lock::hold(&stack, &presence_lock(&company, agent)).await;
    let handshake = tokio::spawn(async move { refusal(&url).await });
    lock.until_waited_for(1).await;
    agent.api.post("/auth/logout", json!({})).await.expect(204);
    lock.release().await;
    assert_eq!(handshake.await.expect("an answer"), 401);
    assert_eq!(leases(&stack, agent).await, 0, "refused, but shown as online");
}

pub async fn what_is_not_understood_is_answered_with_an_error(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut socket = company.agents[0].socket().await;
    let cases = [
        (json!({"action": "dance"}).to_string(), "unknown_action"),
        (json!({}).to_string(), "unknown_action"),
        (json!({"action": "$connect"}).to_string(), "unknown_action"),
        (json!({"action": 7}).to_string(), "unknown_action"),
        ("{\"action\":".to_owned(), "malformed"),
        ("hello".to_owned(), "malformed"),
        ("[1,2]".to_owned(), "malformed"),
        (json!({"action": "subscribe"}).to_string(), "invalid"),
        (json!({"action": "subscribe", "topic": 7}).to_string(), "invalid"),
        (json!({"action": "ping", "extra": true}).to_string(), "invalid"),
        (json!({"action": "setPresence", "status": "dancing"}).to_string(), "invalid"),
        (json!({"action": "setPresence", "status": "offline"}).to_string(), "invalid"),
    ];
    for (message, code) in cases {
        assert_eq!(error_of(&mut socket, message.clone()).await, code, "{message}");
        tokio::time::sleep(std::time::Duration::from_millis(60)).await;
    }
    socket.send(json!({"action": "ping"})).await;
    socket.of_type("pong").await;
    // Students have no presence to renew, and a socket to check.
    let mut student = company.students[0].socket().await;
    student.send(json!({"action": "ping"})).await;
    student.of_type("pong").await;
}

pub async fn frames_over_the_gateways_limit_end_the_socket(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let padded = |size: usize| json!({"action": "dance", "padding": "x".repeat(size)}).to_string();
    let mut within = company.agents[0].socket().await;
    assert_eq!(error_of(&mut within, padded(31 * 1024)).await, "unknown_action");
    let mut over = company.agents[0].socket().await;
    over.send_text(padded(33 * 1024)).await;
    assert_eq!(over.closed().await, Some(1009));
    let mut far_over = company.agents[0].socket().await;
    let _ = far_over.stream().send(Message::text(padded(130 * 1024))).await;
    assert_eq!(far_over.closed().await, Some(1009));
}

pub async fn topics_that_are_not_ones_own_are_refused(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let other = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let client = fresh_number();
    other.phone.receive_text(&client, "segredo").await;
    let foreign = other.admin.conversation_id_of(&client).await;
    let mut socket = company.agents[0].socket().await;
    let topics = [
        format!("conversation:{foreign}"),
        format!("conversation:{}", company.id),
        format!("company:{}", other.id),
        format!("user:{}", company.agents[1].id),
        format!("dashboard:{}", company.id),
        "conversation:*".to_owned(),
        "everything".to_owned(),
        String::new(),
    ];
    for topic in topics {
        let code = error_of(&mut socket, json!({"action": "subscribe", "topic": topic}).to_string()).await;
        assert_eq!(code, "topic_refused", "{topic}");
        tokio::time::sleep(std::time::Duration::from_millis(60)).await;
    }
    let own = format!("company:{}", company.id);
    assert_eq!(error_of(&mut socket, json!({"action": "unsubscribe", "topic": own}).to_string()).await, "topic_refused");
    let mut lead = company.supervisor.socket().await;
    lead.send(json!({"action": "subscribe", "topic": format!("dashboard:{}", company.id)})).await;
    lead.of_type("subscribed").await;
    let dashboard = json!({"action": "subscribe", "topic": format!("dashboard:{}", other.id)});
    assert_eq!(error_of(&mut lead, dashboard.to_string()).await, "topic_refused");
}

pub async fn after_unsubscribing_nothing_comes(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (client, id) = company.served().await;
    let mut socket = company.agents[1].socket().await;
    socket.follow(&id).await;
    company.phone.receive_text(&client, "ouvida").await;
    socket.frame("the message", |frame| frame["data"]["message"]["body"] == "ouvida").await;
    socket.send(json!({"action": "unsubscribe", "topic": format!("conversation:{id}")})).await;
    socket.of_type("unsubscribed").await;
    company.phone.receive_text(&client, "não ouvida").await;
    let heard = socket.drain().await;
    assert!(!heard.iter().any(|frame| frame["type"] == "message.created"), "{heard:?}");
    assert!(heard.iter().any(|frame| frame["type"] == "conversation.updated"), "{heard:?}");
}

pub async fn typing_is_told_to_those_who_follow_and_not_stored(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let topic = format!("conversation:{id}");
    let mut writer = company.agents[0].socket().await;
    let typing = json!({"action": "typing", "topic": topic, "state": true});
    assert_eq!(error_of(&mut writer, typing.to_string()).await, "topic_refused");
    let mut reader = company.agents[1].socket().await;
    let mut elsewhere = company.supervisor.socket().await;
    writer.follow(&id).await;
    reader.follow(&id).await;
    let head = company.supervisor.head().await;
    for _ in 0..3 {
        writer.send(typing.clone()).await;
    }
    let told = reader.of_type("conversation.typing").await;
    assert_eq!((&told["cursor"], &told["data"]["state"]), (&Value::Null, &json!(true)));
    assert_eq!(
        (text(&told["data"]["user_id"]), text(&told["data"]["name"])),
        (company.agents[0].id.to_string().as_str(), "Bruna Lima")
    );
    let is_typing = |frame: &Value| frame["type"] == "conversation.typing";
    assert_eq!(reader.drain().await.iter().filter(|frame| is_typing(frame)).count(), 0, "it was told again at once");
    assert!(!writer.drain().await.iter().any(is_typing) && !elsewhere.drain().await.iter().any(is_typing));
    writer.send(json!({"action": "typing", "topic": topic, "state": false})).await;
    assert_eq!(reader.of_type("conversation.typing").await["data"]["state"], false);
    assert!(!company.supervisor.events_after(&head).await.iter().any(is_typing));
}

pub async fn presence_is_seen_by_colleagues_only(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut watcher = company.supervisor.socket().await;
    let (me, mut student) = (&company.agents[0], company.students[0].socket().await);
    let is = |status: &'static str| {
        let id = me.id.to_string();
        move |frame: &Value| frame["type"] == "user.presence" && frame["data"] == json!({"user_id": id, "status": status})
    };
    let mut tab = me.socket().await;
    watcher.frame("online", is("online")).await;
    let mut other_tab = me.socket().await;
    tab.send(json!({"action": "setPresence", "status": "break"})).await;
    assert_eq!(tab.of_type("presence").await["status"], "break");
    watcher.frame("break", is("break")).await;
    other_tab.send(json!({"action": "setPresence", "status": "busy"})).await;
    watcher.frame("busy", is("busy")).await;
    tab.close().await;
    let heard = watcher.drain().await;
    assert!(!heard.iter().any(is("offline")), "one tab is left: {heard:?}");
    other_tab.close().await;
    watcher.frame("offline", is("offline")).await;
    assert_eq!(error_of(&mut student, json!({"action": "setPresence", "status": "busy"}).to_string()).await, "forbidden");
    let heard = student.drain().await;
    assert!(!heard.iter().any(|frame| frame["type"] == "user.presence"), "{heard:?}");
}

pub async fn presence_set_in_many_tabs_at_once_is_set(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut tabs = Vec::new();
    for _ in 0..8 {
        tabs.push(company.agents[0].socket().await);
    }
    for _ in 0..6 {
        let setting = tabs.iter_mut().zip(["busy", "away", "break", "online"].into_iter().cycle());
        let answers = setting.map(async |(tab, status)| {
            tab.send(json!({"action": "setPresence", "status": status})).await;
            tab.frame("an answer", |frame| frame["type"] == "presence" || frame["type"] == "error").await
        });
        let answers = join_all(answers).await;
        assert!(answers.iter().all(|answer| answer["type"] == "presence"), "{answers:?}");
    }
    let statuses = "select count(distinct status) from presence_leases where user_id = $1";
    let row = stack.database().await.query_one(statuses, &[&company.agents[0].id]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 1, "all tabs show the same");
}

/// The sweep has listed the lease as lapsed when its connection pings.
pub async fn presence_renewed_during_the_sweep_goes_on(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let (mut socket, mut watcher) = (agent.socket().await, company.supervisor.socket().await);
    let lapse = "update presence_leases set lease_until = now() - interval '1 second' where user_id = $1";
    stack.database().await.execute(lapse, &[&agent.id]).await.expect("the lease lapses");
    let lock = Lock::hold(&stack, &presence_lock(&company, agent)).await;
    let sweeping = {
        let stack = Arc::clone(&stack);
        tokio::spawn(async move { stack.control("POST", "/fire/SweepExpired", None).await })
    };
    lock.until_waited_for(1).await;
    socket.send(json!({"action": "ping"})).await;
    socket.of_type("pong").await;
    lock.release().await;
    sweeping.await.expect("it sweeps");
    assert_eq!(leases(&stack, agent).await, 1);
    let heard = watcher.drain().await;
    assert!(!heard.iter().any(|frame| frame["data"]["status"] == "offline"), "{heard:?}");
    let (_, id) = company.served().await;
    socket.follow(&id).await;
}

pub async fn too_many_messages_are_limited(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut socket = company.agents[0].socket().await;
    // How many of a burst fall into one second is the machine's matter: the excess is told first, more of it closes.
    let mut was_told = false;
    for _ in 0..10 {
        let mut is_open = true;
        for _ in 0..200 {
            is_open &= socket.stream().send(Message::text("{}")).await.is_ok();
        }
        was_told |= socket.drain().await.iter().any(|frame| frame["code"] == "rate_limited");
        if !is_open {
            assert!(was_told, "it was closed without a word");
            return;
        }
    }
    panic!("2,000 messages at once were taken");
}

pub async fn large_event_comes_without_data_and_with_its_path(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (client, id) = company.served().await;
    let mut socket = company.agents[0].socket().await;
    socket.follow(&id).await;
    let poll = json!({"type": "unsupported", "unsupported": {"type": "poll", "padding": "é".repeat(40_000)}});
    company.phone.receive(&client, json!({"message": poll})).await;
    let frame = socket.of_type("message.created").await;
    assert_eq!(frame["data"], Value::Null);
    let fetched = company.agents[0].api.get(text(&frame["fetch"])).await.expect(200);
    let message = fetched["data"].as_array().and_then(|rows| rows.iter().find(|row| row["kind"] == "unsupported"));
    assert!(message.is_some_and(|message| message["payload"].to_string().len() > 40_000), "{}", frame["fetch"]);
    let topic = format!("conversation:{id}");
    let own = frame["cursor"].clone();
    let events = company.agents[0].events_after(&before(text(&own))).await;
    let event = events.iter().find(|event| event["cursor"] == own).expect("the feed has it whole");
    assert_eq!((text(&event["topic"]), text(&event["data"]["message"]["kind"])), (topic.as_str(), "unsupported"));
}

/// The cursor just before this one.
fn before(cursor: &str) -> String {
    let (rest, id) = cursor.rsplit_once('.').expect("a cursor");
    format!("{rest}.{}", id.parse::<i64>().expect("a number") - 1)
}

pub async fn ended_session_loses_its_sockets(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let socket = company.agents[0].socket().await;
    company.agents[0].api.post("/auth/logout", json!({})).await;
    socket.closed().await;
    company.agents[0].api.post("/messages", text_message(&company.id.to_string(), "x")).await.expect(401);
}

/// Both sessions are one person's, and so is the topic `user:…`.
pub async fn socket_hears_of_its_sessions_company_only(stack: Arc<Stack>) {
    let (home, second) = (company(&stack).await, company(&stack).await);
    let person = &home.agents[1];
    let join = "insert into memberships (company_id, user_id, role) values ($1, $2, 'agent')";
    stack.database().await.execute(join, &[&second.id, &person.id]).await.expect("joins");
    let selected = person.api.post(&format!("/auth/companies/{}/select", second.id), json!({})).await.expect(200);
    let in_second = Person { api: stack.api().with_token(text(&selected["access_token"])), ..person.clone() };
    let (mut here, mut there) = (person.socket().await, in_second.socket().await);
    let (_, id) = home.served().await;
    home.agents[0].transfer(&id, json!({"to_user_id": person.id})).await;
    here.of_type("conversation.assigned").await;
    let heard = there.drain().await;
    assert!(!heard.iter().any(|frame| frame.to_string().contains(&id)), "{heard:?}");
    let (_, id) = second.served().await;
    second.agents[0].transfer(&id, json!({"to_user_id": person.id})).await;
    there.of_type("conversation.assigned").await;
    let heard = here.drain().await;
    assert!(!heard.iter().any(|frame| frame.to_string().contains(&id)), "{heard:?}");
}
