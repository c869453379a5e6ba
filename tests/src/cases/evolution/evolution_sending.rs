//! What goes out through an instance besides messages: other words, what is taken back, questions after numbers; and how fast.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, company::text, eventually, sandbox::fresh_number};
use uuid::Uuid;

use super::line::Line;

/// The message once what is asked of it at the client's is so far.
async fn changed(line: &Line, conversation: &str, id: &str, status: &str) -> Value {
    eventually(&format!("a change that is {status}"), || async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let messages = line.messages(conversation).await;
        messages.into_iter().find(|message| message["id"] == id && message["change"]["status"] == status)
    })
    .await
}

/// A text that the client has.
async fn delivered(line: &Line, conversation: &str, words: &str) -> Value {
    let sent = line.send(conversation, json!({"kind": "text", "body": words})).await;
    line.once(conversation, &sent, "delivered").await
}

pub async fn words_of_staff_are_changed_at_the_clients(stack: Arc<Stack>) {
    let line = Line::open(&stack).await;
    // WhatsApp knows this number without its ninth digit.
    let number = format!("5541987{}", &fresh_number()[7..]);
    let conversation = line.served(&number).await;
    let sent = delivered(&line, &conversation, "Bom dai").await;
    let path = format!("/messages/{}", text(&sent["id"]));
    let agent = &line.company.agents[0];
    let asked = agent.api.call(Method::PUT, &path, Some(json!({"body": "Bom dia"}))).await.expect(200);
    assert_eq!((text(&asked["change"]["kind"]), text(&asked["change"]["body"])), ("edit", "Bom dia"));
    let shown = changed(&line, &conversation, text(&sent["id"]), "sent").await;
    assert_eq!((text(&shown["body"]), shown["edited_at"].is_string()), ("Bom dia", true));
    let calls = line.server.calls(&stack, "updateMessage").await;
    assert_eq!(
        (calls.len(), &calls[0]["request"]["key"]["id"], text(&calls[0]["request"]["text"])),
        (1, &sent["provider_id"], "Bom dia")
    );
    // The server tells of it as of what was typed on the phone: it is the same.
    line.deliveries("messages.edited", 1).await;
    let revisions = agent.api.get(&format!("{path}/revisions")).await.expect(200);
    assert_eq!(revisions["data"].as_array().map(Vec::len), Some(1), "{revisions}");
    assert_eq!(text(&line.company.admin.conversation(&conversation).await["last_message_preview"]), "Bom dia");
    // Nobody knows what came of the first try: it is done again.
    line.server.fault(&stack, "evolution.messages", "updateMessage", json!({"kind": "error", "status": 502, "times": 1})).await;
    agent.api.call(Method::PUT, &path, Some(json!({"body": "Boa tarde"}))).await.expect(200);
    let shown = eventually("the newest words", || async {
        let shown = changed(&line, &conversation, text(&sent["id"]), "sent").await;
        (shown["body"] == "Boa tarde").then_some(shown)
    })
    .await;
    assert_eq!(shown["change"]["error_code"], Value::Null);
    // Later WhatsApp changes nothing any more.
    let id: Uuid = text(&sent["id"]).parse().expect("an id");
    let late = "update messages set sent_at = now() - interval '16 minutes' where id = $1";
    stack.database().await.execute(late, &[&id]).await.expect("it is older");
    let refused = agent.api.call(Method::PUT, &path, Some(json!({"body": "Boa noite"}))).await.expect(409);
    assert_eq!((text(&refused["code"]), text(&refused["current"]["body"])), ("too_late", "Boa tarde"));
    assert_eq!(line.company.agents[1].api.call(Method::PUT, &path, Some(json!({"body": "x"}))).await.problem(403), "not_author");
}

pub async fn what_staff_delete_goes_from_the_clients_phone(stack: Arc<Stack>) {
    let line = Line::open(&stack).await;
    let number = fresh_number();
    let conversation = line.served(&number).await;
    let [first, second] = [delivered(&line, &conversation, "Engano").await, delivered(&line, &conversation, "Outro").await];
    let path = |message: &Value| format!("/messages/{}", text(&message["id"]));
    let agent = &line.company.agents[0];
    let gone = agent.api.call(Method::DELETE, &path(&first), None).await.expect(200);
    assert_eq!((&gone["client_keeps_copy"], text(&gone["change"]["kind"])), (&json!(false), "revoke"));
    let shown = changed(&line, &conversation, text(&first["id"]), "sent").await;
    assert_eq!((text(&shown["body"]), shown["deleted_at"].is_string()), ("", true));
    let calls = line.server.calls(&stack, "deleteMessageForEveryone").await;
    assert_eq!(
        (calls.len(), &calls[0]["request"]["id"], &calls[0]["request"]["fromMe"]),
        (1, &first["provider_id"], &json!(true))
    );
    // What the server refuses is said to have stayed.
    line.server
        .fault(&stack, "evolution.messages", "deleteMessage", json!({"kind": "error", "status": 400, "message": "x"}))
        .await;
    agent.api.call(Method::DELETE, &path(&second), None).await.expect(200);
    let kept = changed(&line, &conversation, text(&second["id"]), "failed").await;
    assert_eq!((text(&kept["change"]["error_code"]), kept["deleted_at"].is_string()), ("400", true));
    // What a client wrote is nobody's to take back.
    line.server.heal(&stack).await;
    let theirs = line.messages(&conversation).await[0].clone();
    let hidden = line.company.supervisor.api.call(Method::DELETE, &path(&theirs), None).await.expect(200);
    assert_eq!((&hidden["client_keeps_copy"], &hidden["change"]), (&json!(true), &Value::Null));
    assert_eq!(line.server.calls(&stack, "deleteMessageForEveryone").await.len(), 2);
}

async fn begin(line: &Line, to: Value, words: &str) -> tests::Answer {
    let mut body = json!({"channel_account_id": line.instance["id"], "message": {"kind": "text", "body": words}});
    body.as_object_mut().expect("an object").extend(to.as_object().cloned().unwrap_or_default());
    line.company.agents[0].api.post("/conversations", body).await
}

pub async fn a_number_is_asked_after_once_and_its_ids_are_one_client(stack: Arc<Stack>) {
    let line = Line::open(&stack).await;
    let (number, hidden) = (fresh_number(), format!("1{}", &fresh_number()[2..]));
    line.server.settings(&stack, json!({"hidden_ids": {number.as_str(): hidden}})).await;
    // Somebody who hides their number has written before.
    let key = json!({"remoteJid": format!("{hidden}@lid"), "fromMe": false, "id": "3EB0HIDDEN"});
    let data = json!({"key": key, "message": {"conversation": "Quem sou?"}, "messageTimestamp": Timestamp::now().as_second()});
    line.tell("event", json!({"event": "messages.upsert", "data": data})).await;
    let begun = begin(&line, json!({"phone": number}), "Olá").await.expect(201);
    let sent = begun["message"].clone();
    let conversation = eventually("one client with one conversation", || async {
        let page = line.company.admin.api.get("/conversations?category=bot,pending,active").await.expect(200);
        let rows = page["data"].as_array().cloned().unwrap_or_default();
        (rows.len() == 1).then(|| text(&rows[0]["id"]).to_owned())
    })
    .await;
    let page = line.company.admin.api.get(&format!("/clients?search={number}")).await.expect(200);
    assert_eq!(page["data"].as_array().map(Vec::len), Some(1), "{page}");
    line.once(&conversation, &sent, "delivered").await;
    delivered(&line, &conversation, "De novo").await;
    let asked = line.server.calls(&stack, "whatsappNumbers").await;
    assert_eq!((asked.len(), &asked[0]["request"]["numbers"]), (1, &json!([number])));
    // Who has written needs no question.
    let other = fresh_number();
    let conversation = line.served(&other).await;
    delivered(&line, &conversation, "Oi").await;
    assert_eq!(line.server.calls(&stack, "whatsappNumbers").await.len(), 1);
}

pub async fn who_has_no_whatsapp_is_sent_nothing(stack: Arc<Stack>) {
    let line = Line::open(&stack).await;
    let number = fresh_number();
    line.server.settings(&stack, json!({"without_whatsapp": [number]})).await;
    let begun = begin(&line, json!({"phone": number}), "Olá").await.expect(201);
    let conversation = text(&begun["id"]).to_owned();
    let failed = line.once(&conversation, &begun["message"], "failed").await;
    assert_eq!(
        (text(&failed["error_code"]), text(&failed["error_detail"])),
        ("not_on_whatsapp", "Este número não tem WhatsApp.")
    );
    assert!(line.server.calls(&stack, "sendText").await.is_empty());
    // A server that says nothing is asked again, and sends nothing until it has answered.
    let other = fresh_number();
    line.server.fault(&stack, "evolution.messages", "whatsappNumbers", json!({"kind": "error", "status": 502, "times": 1})).await;
    let begun = begin(&line, json!({"phone": other}), "Olá").await.expect(201);
    line.once(text(&begun["id"]), &begun["message"], "delivered").await;
    assert_eq!(line.server.calls(&stack, "sendText").await.len(), 1);
}

pub async fn who_has_only_an_id_of_the_channel_is_written_to_by_it(stack: Arc<Stack>) {
    let line = Line::open(&stack).await;
    let hidden = format!("1{}", &fresh_number()[2..]);
    let key = json!({"remoteJid": format!("{hidden}@lid"), "fromMe": false, "id": "3EB0ONLYLID"});
    let data = json!({"key": key, "message": {"conversation": "Oi"}, "messageTimestamp": Timestamp::now().as_second()});
    line.tell("event", json!({"event": "messages.upsert", "data": data})).await;
    let page = line.company.admin.api.get("/conversations?category=bot,pending,active").await.expect(200);
    let (id, client) = (text(&page["data"][0]["id"]).to_owned(), page["data"][0]["client_id"].clone());
    line.company.supervisor.api.post(&format!("/conversations/{id}/close"), json!({})).await.expect(200);
    let begun = begin(&line, json!({"client_id": client}), "Olá").await.expect(201);
    line.once(text(&begun["id"]), &begun["message"], "delivered").await;
    assert_eq!(text(&line.server.calls(&stack, "sendText").await[0]["request"]["number"]), format!("{hidden}@lid"));
    // Another channel does not reach them.
    let body = json!({"client_id": client, "channel_account_id": line.company.channel_account_id});
    let refused = line.company.agents[0].api.post("/conversations", body).await.expect(422);
    assert_eq!((text(&refused["errors"][0]["field"]), text(&refused["errors"][0]["code"])), ("client_id", "no_phone"));
}

pub async fn a_burst_waits_its_turn_and_keeps_its_order(stack: Arc<Stack>) {
    const PAUSE: i64 = 1_200;
    let line = Line::open(&stack).await;
    let settings = json!({"kind": "evolution", "name": "Vendas", "base_url": line.server.base_url,
        "instance": line.instance["instance_name"], "pause_ms": PAUSE, "messages_per_minute": 600});
    let saved = line.company.admin.api.post("/integrations/config", settings).await.expect(200);
    assert_eq!((&saved["settings"]["pause_ms"], &saved["settings"]["messages_per_minute"]), (&json!(PAUSE), &json!(600)));
    let numbers: Vec<String> = (0..4).map(|_| fresh_number()).collect();
    let mut conversations = Vec::new();
    for number in &numbers {
        conversations.push(line.served(number).await);
    }
    for round in 0..3 {
        let words = format!("linha {round}");
        join_all(conversations.iter().map(|conversation| line.send(conversation, json!({"kind": "text", "body": words})))).await;
    }
    let calls = eventually("all that was sent", || async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let calls = line.server.calls(&stack, "sendText").await;
        (calls.len() >= 12).then_some(calls)
    })
    .await;
    assert_eq!(calls.len(), 12);
    let of = |call: &Value| text(&call["request"]["number"]).to_owned();
    for number in &numbers {
        let said: Vec<&str> =
            calls.iter().filter(|call| of(call) == *number).map(|call| text(&call["request"]["text"])).collect();
        assert_eq!(said, ["linha 0", "linha 1", "linha 2"], "{number}");
    }
    let at = |call: &Value| text(&call["at"]).parse::<Timestamp>().expect("a time").as_millisecond();
    for pair in calls.windows(2).filter(|pair| of(&pair[0]) != of(&pair[1])) {
        // Between the turn that was taken and the call that is made for it.
        assert!(at(&pair[1]) - at(&pair[0]) > PAUSE - 500, "{} {}", pair[0]["at"], pair[1]["at"]);
    }
}

pub async fn a_minute_has_room_for_so_many(stack: Arc<Stack>) {
    let line = Line::open(&stack).await;
    let settings = json!({"kind": "evolution", "name": "Vendas", "base_url": line.server.base_url,
        "instance": line.instance["instance_name"], "pause_ms": 0, "messages_per_minute": 3});
    line.company.admin.api.post("/integrations/config", settings).await.expect(200);
    let conversation = line.served(&fresh_number()).await;
    for round in 0..4 {
        line.send(&conversation, json!({"kind": "text", "body": format!("linha {round}")})).await;
    }
    eventually("three that were sent", || async { (line.server.calls(&stack, "sendText").await.len() == 3).then_some(()) }).await;
    tests::soon().await;
    let waiting = line.messages(&conversation).await;
    let last = waiting.iter().find(|message| message["body"] == "linha 3").expect("the last one");
    assert_eq!((line.server.calls(&stack, "sendText").await.len(), text(&last["status"])), (3, "queued"));
    // With more room it goes at once when it is looked at again.
    let mut more = json!({"kind": "evolution", "name": "Vendas", "base_url": line.server.base_url, "instance": line.instance["instance_name"]});
    more["messages_per_minute"] = json!(600);
    line.company.admin.api.post("/integrations/config", more).await.expect(200);
    eventually("the last one", || async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        (line.server.calls(&stack, "sendText").await.len() == 4).then_some(())
    })
    .await;
}

pub async fn a_removed_instance_sends_nothing_and_says_so(stack: Arc<Stack>) {
    let line = Line::open(&stack).await;
    let conversation = line.served(&fresh_number()).await;
    super::remove(&line.company, &line.instance, "conversations=keep").await.expect(204);
    let agent = &line.company.agents[0];
    let words = json!({"conversation_id": conversation, "kind": "text", "body": "Olá"});
    let refused = agent.api.post("/messages", words).await.expect(409);
    assert_eq!((text(&refused["code"]), &refused["current"]["id"]), ("channel_removed", &json!(conversation)));
    let theirs = line.messages(&conversation).await[0].clone();
    let reaction = agent.api.post(&format!("/messages/{}/reactions", text(&theirs["id"])), json!({"emoji": "👍"})).await;
    assert_eq!(reaction.problem(409), "channel_removed");
    let later = Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let planned = json!({"conversation_id": conversation, "kind": "text", "body": "Olá", "due_at": later});
    assert_eq!(agent.api.post("/scheduled-messages", planned).await.problem(409), "channel_removed");
    assert_eq!(line.messages(&conversation).await.len(), 1);
}

pub async fn a_new_code_is_told_to_admins_and_shown_where_they_ask(stack: Arc<Stack>) {
    let (company, server) = (super::company(&stack).await, super::Server::start(&stack).await);
    let heads = [company.admin.head().await, company.agents[0].head().await, company.supervisor.head().await];
    let made = super::create(&company, &server, "Vendas").await;
    server.order(&stack, "renew-code", json!({"instance": made["instance_name"]})).await;
    let told = eventually("two codes", || async {
        let events = company.admin.events_after(&heads[0]).await;
        let codes: Vec<Value> = events.into_iter().filter(|event| event["type"] == "channel.code_shown").collect();
        (codes.len() >= 2).then_some(codes)
    })
    .await;
    assert!(told.iter().all(|event| event["data"]["channel_account_id"] == made["id"]), "{told:?}");
    let shown = &super::listed(&company).await[0];
    assert!(text(&shown["qr_code"]).starts_with("data:image/png"), "{shown}");
    assert!(!json!(told).to_string().contains("data:image"), "the event has no code");
    for (person, head) in [(&company.agents[0], &heads[1]), (&company.supervisor, &heads[2])] {
        let events = person.events_after(head).await;
        assert!(events.iter().all(|event| event["type"] != "channel.code_shown"), "{events:?}");
    }
}
