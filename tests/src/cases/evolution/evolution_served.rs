//! The server of the sandbox, as the functions that talk to it find it.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, company::text, eventually};

use super::Server;

/// An instance whose webhooks go to a path of the API that answers 404.
async fn made(stack: &Stack, server: &Server, events: Value) -> String {
    let webhook = json!({"url": format!("{}/nowhere", stack.addresses.api), "events": events,
        "headers": {"authorization": "Bearer a-secret"}, "byEvents": false, "base64": false});
    let body = json!({"instanceName": "loja", "integration": "WHATSAPP-BAILEYS", "qrcode": true, "webhook": webhook});
    let (status, made) = server.call(stack, Method::POST, "/instance/create", &server.global_key, body).await;
    assert_eq!((status, text(&made["instance"]["status"])), (201, "connecting"), "{made}");
    text(&made["hash"]).to_owned()
}

async fn scanned(stack: &Stack, server: &Server) -> String {
    let token = made(stack, server, json!([])).await;
    server.order(stack, "scan", json!({"instance": "loja", "number": "5511940000000"})).await;
    token
}

async fn delivered(stack: &Stack, server: &Server, event: &str, count: usize) -> Vec<Value> {
    let path = format!("/sandbox/evolution/deliveries?server={}&event={event}&count={count}&wait_ms=5000", server.name);
    stack.control("GET", &path, None).await.as_array().cloned().unwrap_or_default()
}

pub async fn the_sandbox_guards_its_instances(stack: Arc<Stack>) {
    let server = Server::start(&stack).await;
    let token = made(&stack, &server, json!([])).await;
    let ask = async |method: Method, path: &str, key: &str, body: Value| server.call(&stack, method, path, key, body).await;
    let state = "/instance/connectionState/loja";
    let (status, answer) = ask(Method::GET, state, &token, Value::Null).await;
    assert_eq!((status, answer), (200, json!({"instance": {"instanceName": "loja", "state": "connecting"}})));
    let (status, refused) = ask(Method::GET, state, "wrong", Value::Null).await;
    assert_eq!(
        (status, refused),
        (401, json!({"status": 401, "error": "Unauthorized", "response": {"message": "Unauthorized"}}))
    );
    let (status, missing) = ask(Method::GET, "/instance/connectionState/outra", "wrong", Value::Null).await;
    assert_eq!((status, text(&missing["error"])), (404, "Not Found"));
    let taken = json!({"instanceName": "loja", "integration": "WHATSAPP-BAILEYS"});
    assert_eq!(ask(Method::POST, "/instance/create", "wrong", taken).await.0, 403);
    let second = json!({"instanceName": "outra", "integration": "WHATSAPP-BAILEYS"});
    assert_eq!(ask(Method::POST, "/instance/create", &token, second.clone()).await.0, 401);
    assert_eq!(ask(Method::POST, "/instance/create", &server.global_key, second).await.0, 201);
    let own = ask(Method::GET, "/instance/fetchInstances", &token, Value::Null).await.1;
    assert_eq!((own.as_array().map(Vec::len), text(&own[0]["name"])), (Some(1), "loja"));
    let all = ask(Method::GET, "/instance/fetchInstances", &server.global_key, Value::Null).await.1;
    assert_eq!(all.as_array().map(Vec::len), Some(2));
    assert_eq!(ask(Method::PUT, "/instance/restart/loja", &token, Value::Null).await.0, 404);
    // Of a closed one a restart fails with 200, and a logout with 400.
    let (status, failed) = ask(Method::POST, "/instance/restart/outra", &server.global_key, Value::Null).await;
    assert_eq!((status, &failed["error"]), (200, &json!(true)));
    assert_eq!(ask(Method::DELETE, "/instance/logout/outra", &server.global_key, Value::Null).await.0, 400);
    let (status, gone) = ask(Method::DELETE, "/instance/delete/outra", &server.global_key, Value::Null).await;
    assert_eq!((status, text(&gone["status"]), &gone["error"]), (200, "SUCCESS", &json!(false)));
    let welcome = ask(Method::GET, "/", "", Value::Null).await.1;
    assert_eq!(text(&welcome["version"]), "2.3.7");
}

pub async fn codes_are_renewed_until_there_were_too_many(stack: Arc<Stack>) {
    let server = Server::start(&stack).await;
    server.settings(&stack, json!({"qr_limit": 3})).await;
    made(&stack, &server, json!(["QRCODE_UPDATED", "CONNECTION_UPDATE"])).await;
    let first = delivered(&stack, &server, "qrcode.updated", 1).await[0]["body"]["data"]["qrcode"]["code"].clone();
    for _ in 0..2 {
        assert_eq!(server.order(&stack, "renew-code", json!({"instance": "loja"})).await["outcome"], "renewed");
    }
    let renewed = delivered(&stack, &server, "qrcode.updated", 3).await;
    assert_ne!(renewed[2]["body"]["data"]["qrcode"]["code"], first);
    assert_eq!(server.order(&stack, "renew-code", json!({"instance": "loja"})).await["outcome"], "ended");
    let last = delivered(&stack, &server, "qrcode.updated", 4).await[3]["body"]["data"].clone();
    assert_eq!((last["qrcode"].is_null(), &last["statusCode"]), (true, &json!(500)));
    let refused = delivered(&stack, &server, "connection.update", 2).await;
    let refused = &refused.last().expect("one")["body"]["data"];
    assert_eq!((text(&refused["state"]), &refused["statusReason"]), ("refused", &json!(428)));
    assert_eq!(text(&server.instances(&stack).await[0]["state"]), "close");
}

pub async fn webhooks_bring_their_header_and_are_tried_again(stack: Arc<Stack>) {
    let server = Server::start(&stack).await;
    server.settings(&stack, json!({"webhook_backoff_ms": 20, "webhook_attempts": 3})).await;
    let token = scanned(&stack, &server).await;
    let told = server.order(&stack, "inbound", json!({"instance": "loja", "from": "5511987654321", "text": "Oi"})).await;
    assert_eq!(told["status"], 404);
    let delivery = &delivered(&stack, &server, "messages.upsert", 1).await[0];
    assert_eq!(text(&delivery["headers"]["authorization"]), "Bearer a-secret");
    assert_eq!(delivery["attempts"].as_array().map(Vec::len), Some(1), "404 is final");
    let body = &delivery["body"];
    assert_eq!(
        (text(&body["event"]), text(&body["instance"]), text(&body["apikey"])),
        ("messages.upsert", "loja", token.as_str())
    );
    assert_eq!((text(&body["sender"]), text(&body["data"]["message"]["conversation"])), ("5511940000000@s.whatsapp.net", "Oi"));
    // Nobody answers there.
    let webhook = json!({"webhook": {"enabled": true, "url": "http://127.0.0.1:9/x", "events": []}});
    server.call(&stack, Method::POST, "/webhook/set/loja", &token, webhook).await;
    server.order(&stack, "event", json!({"instance": "loja", "event": "call", "data": {}})).await;
    eventually("three tries", || async {
        let found = delivered(&stack, &server, "call", 1).await;
        found[0]["attempts"].as_array().is_some_and(|tries| tries.len() == 3).then_some(())
    })
    .await;
    let jwt = json!({"webhook": {"enabled": true, "url": format!("{}/nowhere", stack.addresses.api), "events": [], "byEvents": true,
        "headers": {"jwt_key": "a-key"}}});
    server.call(&stack, Method::POST, "/webhook/set/loja", &token, jwt).await;
    server.order(&stack, "event", json!({"instance": "loja", "event": "chats.update", "data": {}})).await;
    let signed = &delivered(&stack, &server, "chats.update", 1).await[0];
    assert!(
        text(&signed["headers"]["authorization"]).starts_with("Bearer ey") && signed["headers"]["jwt_key"].is_null(),
        "{signed}"
    );
    assert!(text(&signed["url"]).ends_with("/nowhere/chats-update"), "{signed}");
}

pub async fn webhooks_come_twice_and_in_another_order(stack: Arc<Stack>) {
    let server = Server::start(&stack).await;
    scanned(&stack, &server).await;
    let say = async |words: &str| {
        server.order(&stack, "inbound", json!({"instance": "loja", "from": "5511987654321", "text": words})).await
    };
    server.fault(&stack, "evolution.webhooks", "Duas", json!({"kind": "duplicate", "times": 1})).await;
    say("Duas").await;
    let twice = &delivered(&stack, &server, "messages.upsert", 1).await[0];
    assert_eq!(twice["attempts"].as_array().map(Vec::len), Some(2));
    server.fault(&stack, "evolution.webhooks", "Primeira", json!({"kind": "reorder", "times": 1})).await;
    say("Primeira").await;
    say("Segunda").await;
    let (first, second) = eventually("both are tried", || async {
        let all = delivered(&stack, &server, "messages.upsert", 3).await;
        let at = |index: usize| all[index]["attempts"][0]["at"].as_str().map(str::to_owned);
        Some((at(1)?, at(2)?))
    })
    .await;
    assert!(first > second, "the first was overtaken: {first} {second}");
}

pub async fn messages_go_out_as_the_server_takes_them(stack: Arc<Stack>) {
    let server = Server::start(&stack).await;
    server.settings(&stack, json!({"without_whatsapp": ["551140000000"]})).await;
    let token = scanned(&stack, &server).await;
    let send =
        async |kind: &str, body: Value| server.call(&stack, Method::POST, &format!("/message/{kind}/loja"), &token, body).await;
    let number = "5541987654321";
    let (status, sent) = send("sendText", json!({"number": number, "text": "Olá!"})).await;
    assert_eq!((status, text(&sent["status"]), text(&sent["messageType"])), (201, "PENDING", "conversation"));
    assert_eq!((text(&sent["key"]["remoteJid"]), &sent["key"]["fromMe"]), ("554187654321@s.whatsapp.net", &json!(true)));
    assert_eq!(delivered(&stack, &server, "send.message", 1).await[0]["body"]["data"]["key"], sent["key"]);
    let updates = delivered(&stack, &server, "messages.update", 2).await;
    let statuses: Vec<&str> = updates.iter().map(|update| text(&update["body"]["data"]["status"])).collect();
    assert_eq!(statuses, ["SERVER_ACK", "DELIVERY_ACK"]);
    let (status, refused) = send("sendText", json!({"number": "551140000000", "text": "x"})).await;
    assert_eq!((status, &refused["response"]["message"][0]["exists"]), (400, &json!(false)));
    let prefixed =
        json!({"number": number, "mediatype": "image", "mimetype": "image/png", "media": "data:image/png;base64,AAAA"});
    let (status, refused) = send("sendMedia", prefixed).await;
    assert_eq!((status, text(&refused["response"]["message"][0])), (400, "Owned media must be a url or base64"));
    let key = sent["key"].clone();
    for (kind, body, message_type) in [
        ("sendMedia", json!({"number": number, "mediatype": "image", "media": "AAAA"}), "imageMessage"),
        ("sendWhatsAppAudio", json!({"number": number, "audio": "AAAA"}), "audioMessage"),
        ("sendReaction", json!({"key": key, "reaction": "👍"}), "reactionMessage"),
        ("sendLocation", json!({"number": number, "name": "Loja", "latitude": -23.5, "longitude": -46.6}), "locationMessage"),
        ("sendContact", json!({"number": number, "contact": [{"fullName": "João"}]}), "contactMessage"),
    ] {
        let (status, sent) = send(kind, body).await;
        assert_eq!((status, text(&sent["messageType"])), (201, message_type), "{kind}");
    }
    let chat = async |method: Method, action: &str, body: Value| {
        server.call(&stack, method, &format!("/chat/{action}/loja"), &token, body).await
    };
    let edit = json!({"number": number, "key": key, "text": "novo"});
    assert_eq!(chat(Method::POST, "updateMessage", edit).await.1["message"]["conversation"], "novo");
    assert_eq!(
        text(&delivered(&stack, &server, "messages.edited", 1).await[0]["body"]["data"]["editedMessage"]["conversation"]),
        "novo"
    );
    let found = chat(Method::POST, "findMessages", json!({"where": {"key": {"id": key["id"]}}})).await.1;
    assert_eq!(found["messages"]["total"], 1);
    let read = json!({"readMessages": [{"id": "x", "fromMe": false, "remoteJid": "1@s.whatsapp.net"}]});
    assert_eq!(
        chat(Method::POST, "markMessageAsRead", read).await,
        (201, json!({"message": "Read messages", "read": "success"}))
    );
    assert_eq!(chat(Method::DELETE, "deleteMessageForEveryone", key.clone()).await.0, 201);
    let known = chat(Method::POST, "whatsappNumbers", json!({"numbers": ["551140000000", number]})).await.1;
    assert_eq!((&known[0]["exists"], &known[1]["exists"]), (&json!(false), &json!(true)));
    let file = json!({"instance": "loja", "from": "5511987654321", "file": "SGk=",
        "with": {"messageType": "imageMessage", "message": {"imageMessage": {"mimetype": "image/png"}}}});
    let received = server.order(&stack, "inbound", file).await;
    let wanted = json!({"message": {"key": {"id": received["id"]}}});
    assert_eq!(text(&chat(Method::POST, "getBase64FromMediaMessage", wanted).await.1["base64"]), "SGk=");
    server.order(&stack, "disconnect", json!({"instance": "loja"})).await;
    assert_eq!(send("sendText", json!({"number": number, "text": "x"})).await.0, 400);
    let told = delivered(&stack, &server, "connection.update", 3).await;
    assert_eq!(told.last().expect("one")["body"]["data"]["statusReason"], 401);
}

pub async fn webhooks_are_configured_as_the_server_wants_it(stack: Arc<Stack>) {
    let server = Server::start(&stack).await;
    let token = made(&stack, &server, json!([])).await;
    let set = async |body: Value| server.call(&stack, Method::POST, "/webhook/set/loja", &token, body).await;
    assert_eq!(set(json!({"enabled": true, "url": "https://a.example", "events": []})).await.0, 400, "it must be wrapped");
    assert_eq!(set(json!({"webhook": {"enabled": true, "url": "https://a.example"}})).await.0, 500, "a list must be there");
    assert_eq!(
        set(json!({"webhook": {"enabled": true, "url": "https://a.example", "events": ["messages.upsert"]}})).await.0,
        400
    );
    let taken = json!({"webhook": {"enabled": true, "url": "https://a.example", "events": ["CALL"], "byEvents": true}});
    assert_eq!(set(taken).await.0, 201);
    let (_, found) = server.call(&stack, Method::GET, "/webhook/find/loja", &token, Value::Null).await;
    assert_eq!(
        (text(&found["url"]), &found["webhookByEvents"], &found["events"]),
        ("https://a.example", &json!(true), &json!(["CALL"]))
    );
}
