//! POST /webhooks/evolution/{token}, and what goes out through an instance.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Stack, company::text, eventually, sandbox::fresh_number};

use super::line::Line;
use crate::cases::upload::PNG;

fn words(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| text(&message["body"])).collect()
}

pub async fn a_message_comes_in_once_however_often_it_is_told(stack: Arc<Stack>) {
    let line = Line::open(&stack).await;
    let number = fresh_number();
    line.receive(&number, "Bom dia").await;
    let delivery = line.deliveries("messages.upsert", 1).await[0].clone();
    let (url, secret) = (text(&delivery["url"]), text(&delivery["headers"]["authorization"]));
    let again = (0..8).map(|_| line.post(url, secret, &delivery["body"]));
    assert!(join_all(again).await.iter().all(|status| *status == 200));
    // Without a token in the path the secret says whose it is.
    let bare = format!("{}/whatsapp/webhooks/evolution", stack.addresses.api);
    assert_eq!(line.post(&bare, secret, &delivery["body"]).await, 200);
    let conversation = line.conversation(&number).await;
    assert_eq!((&conversation["unread"], text(&conversation["status"])), (&json!(1), "pending"));
    let messages = line.messages(text(&conversation["id"])).await;
    assert_eq!(words(&messages), ["Bom dia"]);
    assert_eq!((text(&messages[0]["sender_type"]), text(&messages[0]["status"])), ("client", ""));
    // The key that came with it is nowhere.
    let key = text(&delivery["body"]["apikey"]);
    let kept = "select count(*), count(*) filter (where position(convert_to($2, 'UTF8') in body) > 0)
                  from inbound_webhooks where company_id = $1";
    let row = stack.database().await.query_one(kept, &[&line.company.id, &key]).await.expect("a count");
    assert!(!key.is_empty() && row.get::<_, i64>(0) > 0 && row.get::<_, i64>(1) == 0);
}

pub async fn secrets_open_their_own_channel_only(stack: Arc<Stack>) {
    let (line, other) = (Line::open(&stack).await, Line::open(&stack).await);
    let number = fresh_number();
    line.receive(&number, "Oi").await;
    other.receive(&fresh_number(), "Olá").await;
    let own = line.deliveries("messages.upsert", 1).await[0].clone();
    let foreign = other.deliveries("messages.upsert", 1).await[0].clone();
    let (url, secret) = (text(&own["url"]), text(&own["headers"]["authorization"]));
    let token = url.rsplit('/').next().unwrap_or_default();
    for (url, secret) in [
        (url, text(&foreign["headers"]["authorization"])),
        (text(&foreign["url"]), secret),
        (url, "Bearer wrong"),
        (url, ""),
        (url, &format!("Bearer {token}")),
        (url, &format!("Bearer {token}.guessed")),
    ] {
        assert_eq!(line.post(url, secret, &own["body"]).await, 401, "{url} {secret}");
    }
    let kept = "select count(*) from unrouted_webhooks where source = 'evolution'";
    let before: i64 = stack.database().await.query_one(kept, &[]).await.expect("a count").get(0);
    assert_eq!(line.post(url, secret, &json!({"event": "messages.upsert", "data": "<html>"})).await, 200);
    assert_eq!(line.post(url, secret, &json!([])).await, 200);
    let after: i64 = stack.database().await.query_one(kept, &[]).await.expect("a count").get(0);
    assert!(after <= before + 1);
    assert_eq!(words(&line.messages(text(&line.conversation(&number).await["id"])).await), ["Oi"]);
}

pub async fn an_answer_goes_out_once_and_its_echo_is_itself(stack: Arc<Stack>) {
    let line = Line::open(&stack).await;
    let number = fresh_number();
    let conversation = line.served(&number).await;
    for round in 0..5 {
        let sent = line.send(&conversation, json!({"kind": "text", "body": format!("Resposta {round}")})).await;
        line.once(&conversation, &sent, "delivered").await;
    }
    let messages = line.messages(&conversation).await;
    assert_eq!(words(&messages)[1..], ["Resposta 0", "Resposta 1", "Resposta 2", "Resposta 3", "Resposta 4"]);
    assert_eq!(line.server.calls(&stack, "sendText").await.len(), 5);
    // What the business types on its phone is its own.
    let key = json!({"remoteJid": format!("{number}@s.whatsapp.net"), "fromMe": true, "id": "3EB0PHONE1"});
    let echo =
        json!({"key": key, "message": {"conversation": "Do celular"}, "messageTimestamp": jiff::Timestamp::now().as_second()});
    line.tell("event", json!({"event": "messages.upsert", "data": echo})).await;
    let messages = line.messages(&conversation).await;
    let typed = messages.iter().find(|message| message["body"] == "Do celular").expect("what was typed");
    assert_eq!((text(&typed["sender_type"]), &typed["sender_id"]), ("agent", &Value::Null));
    assert_eq!(messages.len(), 7);
}

pub async fn files_places_and_reactions_go_both_ways(stack: Arc<Stack>) {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let line = Line::open(&stack).await;
    let number = fresh_number();
    let conversation = line.served(&number).await;
    let image = json!({"imageMessage": {"mimetype": "image/png", "caption": "Foto"}});
    let order = json!({"from": number, "with": {"message": image, "messageType": "imageMessage"}, "file": STANDARD.encode(PNG)});
    line.tell("inbound", order).await;
    let picture = eventually("a picture that is there", || async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let messages = line.messages(&conversation).await;
        messages.into_iter().find(|message| message["kind"] == "image" && message["file"]["status"] == "ready")
    })
    .await;
    assert_eq!((text(&picture["body"]), &picture["file"]["size"]), ("Foto", &json!(PNG.len())));
    let agent = &line.company.agents[0];
    let file = agent.upload("foto.png", "image/png", PNG).await;
    let sent =
        line.send(&conversation, json!({"kind": "image", "file_id": file, "body": "Segue", "reply_to_id": picture["id"]})).await;
    line.once(&conversation, &sent, "delivered").await;
    let call = &line.server.calls(&stack, "sendMedia").await[0];
    assert_eq!((text(&call["request"]["mediatype"]), text(&call["request"]["media"])), ("image", STANDARD.encode(PNG).as_str()));
    assert_eq!(text(&call["request"]["quoted"]["key"]["id"]).len(), "3EB0".len() + 18);
    let place = json!({"kind": "location", "location": {"latitude": -23.5, "longitude": -46.6, "name": "Escola"}});
    let sent = line.send(&conversation, place).await;
    line.once(&conversation, &sent, "delivered").await;
    // Told of before it is answered for, and by a name of its own, it is the same.
    line.server.fault(&stack, "evolution.messages", "sendLocation", json!({"kind": "timeout", "ms": 1500, "times": 1})).await;
    let place = json!({"kind": "location", "location": {"latitude": -23.6, "longitude": -46.7, "name": "Unidade 2"}});
    let sent = line.send(&conversation, place).await;
    line.once(&conversation, &sent, "delivered").await;
    let places = line.messages(&conversation).await.iter().filter(|message| message["kind"] == "location").count();
    assert_eq!(places, 2);
    agent.api.post(&format!("/messages/{}/reactions", text(&picture["id"])), json!({"emoji": "👍"})).await.expect(201);
    eventually("a reaction that is shown", || async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let messages = line.messages(&conversation).await;
        messages.into_iter().find(|message| message["id"] == picture["id"] && message["reactions"][0]["emoji"] == "👍")
    })
    .await;
    assert_eq!(line.server.calls(&stack, "sendReaction").await.len(), 1);
}

pub async fn who_writes_by_two_providers_and_two_ids_is_one_client(stack: Arc<Stack>) {
    let line = Line::open(&stack).await;
    let number = fresh_number();
    line.company.phone.receive_text(&number, "Pela Cloud").await;
    line.receive(&number, "Pela Evolution").await;
    let page = line.company.supervisor.api.get(&format!("/conversations?search={number}")).await.expect(200);
    let rows = page["data"].as_array().expect("rows");
    assert_eq!((rows.len(), text(&rows[0]["client_id"])), (2, text(&rows[1]["client_id"])));
    // Hidden first, with the number later.
    let (hidden, other) = (format!("1{}", &number[2..]), fresh_number());
    let key = |with: Value| {
        let mut key = json!({"fromMe": false, "id": format!("3EB0{}", uuid::Uuid::new_v4().simple())});
        key.as_object_mut().expect("an object").extend(with.as_object().cloned().unwrap_or_default());
        key
    };
    let lid = format!("{hidden}@lid");
    let by_number = format!("{other}@s.whatsapp.net");
    for (key, words) in [
        (key(json!({"remoteJid": lid})), "Quem sou?"),
        (key(json!({"remoteJid": by_number})), "Sou eu"),
        (key(json!({"remoteJid": lid, "remoteJidAlt": by_number})), "Eu mesma"),
    ] {
        let now = jiff::Timestamp::now().as_second();
        let data = json!({"key": key, "message": {"conversation": words}, "messageTimestamp": now, "pushName": "Rita"});
        line.tell("event", json!({"event": "messages.upsert", "data": data})).await;
    }
    let outcomes = line.company.outcomes(&stack).await;
    assert!(outcomes.iter().all(|outcome| outcome == "stored"), "{outcomes:?}");
    let conversation = line.conversation(&other).await;
    let messages = line.messages(text(&conversation["id"])).await;
    let mut said = words(&messages);
    said.sort_unstable();
    assert_eq!(said, ["Eu mesma", "Quem sou?", "Sou eu"]);
}

pub async fn the_phones_state_is_told_by_the_server_itself(stack: Arc<Stack>) {
    let line = Line::open(&stack).await;
    let path = "/whatsapp/instances";
    let state = async || {
        let page = line.company.admin.api.get(path).await.expect(200);
        text(&page["data"][0]["state"]).to_owned()
    };
    assert_eq!(state().await, "open");
    // What comes late is no news.
    line.tell("event", json!({"event": "connection.update", "data": {"state": "connecting", "statusReason": 200}})).await;
    line.tell("event", json!({"event": "qrcode.updated", "data": {"qrcode": {"base64": "data:image/png;base64,AAAA"}}})).await;
    assert_eq!(state().await, "open");
    line.tell("disconnect", json!({})).await;
    eventually("a phone that is gone", || async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        (state().await == "close").then_some(())
    })
    .await;
    super::act(&line.company, &line.instance, "connect").await.expect(200);
    let page = line.company.admin.api.get(path).await.expect(200);
    assert!(text(&page["data"][0]["qr_code"]).starts_with("data:image/png"), "{page}");
    assert_eq!(line.company.agents[0].api.get(path).await.expect(200)["data"][0]["qr_code"], Value::Null);
}

pub async fn what_is_longer_than_anybody_writes_is_kept_in_part_and_pages_have_room(stack: Arc<Stack>) {
    const LONGEST: usize = 65_536;
    let line = Line::open(&stack).await;
    let (number, head) = (fresh_number(), line.company.admin.head().await);
    line.receive(&number, &"á".repeat(2_000_000)).await;
    let conversation = text(&line.conversation(&number).await["id"]).to_owned();
    assert_eq!(text(&line.messages(&conversation).await[0]["body"]).chars().count(), LONGEST);
    // Each is as long as it may be: a hundred are no answer that a function can give.
    for _ in 0..40 {
        line.receive(&number, &"á".repeat(LONGEST)).await;
    }
    let mut seen = Vec::new();
    let mut path = format!("/messages?conversation_id={conversation}&limit=100");
    loop {
        let page = line.company.admin.api.get(&path).await.expect(200);
        let rows = page["data"].as_array().cloned().unwrap_or_default();
        assert!(!rows.is_empty() && page.to_string().len() < 6_000_000);
        seen.extend(rows.iter().map(|row| text(&row["id"]).to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/messages?conversation_id={conversation}&limit=100&cursor={cursor}");
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 41);
    let told = line.company.admin.events_after(&head).await;
    assert_eq!(told.iter().filter(|event| event["type"] == "message.created").count(), 41);
}

pub async fn codes_and_names_that_are_none_are_not_kept(stack: Arc<Stack>) {
    let line = Line::open(&stack).await;
    let webhook = line.server.instances(&stack).await[0]["webhook"].clone();
    let (url, secret) = (text(&webhook["url"]), text(&webhook["headers"]["authorization"]));
    let tell = async |event: &str, data: Value| line.post(url, secret, &json!({"event": event, "data": data})).await;
    let long = "a".repeat(300_000);
    for code in ["a\u{0}b", long.as_str(), "data:text/html,<script>", "12 34"] {
        let data = json!({"qrcode": {"pairingCode": code, "base64": format!("data:image/svg+xml,<svg>{code}")}});
        assert_eq!(tell("qrcode.updated", data).await, 200);
    }
    let listed = line.company.admin.api.get("/whatsapp/instances").await.expect(200);
    assert_eq!([&listed["data"][0]["qr_code"], &listed["data"][0]["pairing_code"]], [&Value::Null; 2], "{listed}");
    assert_eq!(tell(&"x".repeat(3_000_000), json!({"token": "segredo"})).await, 200);
    let kept = line.company.admin.api.get("/inbound-webhooks?limit=5").await.expect(200);
    assert!(kept.to_string().len() < 100_000, "{} bytes", kept.to_string().len());
    let raw = "select convert_from(body, 'utf8') from inbound_webhooks where company_id = $1 order by received_at desc limit 1";
    let raw: String = stack.database().await.query_one(raw, &[&line.company.id]).await.expect("a webhook").get(0);
    assert!(raw.len() > 3_000_000 && !raw.contains("segredo"));
}
