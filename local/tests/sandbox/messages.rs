use serde_json::json;

use crate::stage::{NUMBER, PERSON, Stage, names};

#[tokio::test]
async fn accepted_message_is_followed_by_signed_statuses() {
    let stage = Stage::new().await;
    let message = json!({"type": "text", "text": {"body": "Olá"}, "biz_opaque_callback_data": "m:1"});
    let answer = stage.message(message).await;
    assert_eq!(answer.status, 200);
    let body = answer.json();
    assert_eq!(body["contacts"][0], json!({"input": PERSON, "wa_id": PERSON}));
    let id = body["messages"][0]["id"].as_str().unwrap();
    assert!(id.starts_with("wamid."));

    let statuses = stage.statuses(3).await;
    assert_eq!(names(&statuses), ["sent", "delivered", "read"]);
    for status in &statuses {
        assert_eq!(status["id"], id);
        assert_eq!(status["recipient_id"], PERSON);
        assert_eq!(status["biz_opaque_callback_data"], "m:1");
        assert!(status["timestamp"].is_string());
    }
    assert!(statuses[0]["conversation"]["expiration_timestamp"].is_string());
    assert!(statuses[1]["conversation"]["expiration_timestamp"].is_null());

    let path = format!("/whatsapp/sent?phone_number_id={NUMBER}&status=read&count=1&wait_ms=2000");
    let sent = stage.look(&path).await;
    assert_eq!(sent[0]["id"], id);
    assert_eq!(sent[0]["body"]["text"]["body"], "Olá");
    assert_eq!(sent[0]["statuses"][0]["answered"], 200);
    assert_eq!(stage.look("/whatsapp/sent?phone_number_id=other").await, json!([]));
}

#[tokio::test]
async fn accepts_every_type_of_the_contract() {
    let stage = Stage::new().await;
    let messages = [
        json!({"type": "text", "text": {"body": "x".repeat(4096), "preview_url": false},
            "context": {"message_id": "wamid.FAKE"}}),
        json!({"type": "image", "image": {"link": "https://cdn.exemplo.test/a.jpg"}}),
        json!({"type": "document", "document": {"link": "https://a.test/a", "filename": "a.pdf", "caption": "a"}}),
        json!({"type": "video", "video": {"link": "https://a.test/v.mp4", "caption": "Tour"}}),
        json!({"type": "sticker", "sticker": {"link": "https://a.test/s.webp"}}),
        json!({"type": "location", "location": {"latitude": -23.5, "longitude": -46.6, "name": "Loja", "address": "Rua A, 1"}}),
        json!({"type": "reaction", "reaction": {"message_id": "wamid.FAKE0001", "emoji": ""}}),
        json!({"type": "contacts", "contacts": [{"name": {"formatted_name": "João", "first_name": "João"}}]}),
        json!({"type": "interactive", "interactive": {"type": "cta_url", "body": {"text": "Entre"},
            "action": {"name": "cta_url", "parameters": {"display_text": "Abrir", "url": "https://app.exemplo.test/m/42"}}}}),
        json!({"recipient": "BR.1000000000000001", "type": "text", "text": {"body": "Oi"}}),
        json!({"type": "template", "template": {"name": "pedido_enviado", "language": {"code": "pt_BR"}, "components": [
            {"type": "body", "parameters": [{"type": "text", "parameter_name": "nome", "text": "Maria"},
                {"type": "text", "parameter_name": "numero", "text": "42"}]},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "42"}]}]}}),
        json!({"type": "template", "template": {"name": "lembrete_reuniao", "language": {"code": "pt_BR"}, "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Maria"}, {"type": "text", "text": "10h"}]},
            {"type": "button", "sub_type": "quick_reply", "index": "1", "parameters": [{"type": "payload", "payload": "OK:42"}]}]}}),
    ];
    for message in messages {
        let answer = stage.message(message.clone()).await;
        assert_eq!(answer.status, 200, "{message} gave {}", answer.json());
    }
    for typing in [json!({}), json!({"typing_indicator": {"type": "text"}})] {
        let mut read = json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.X"});
        read.as_object_mut().unwrap().extend(typing.as_object().unwrap().clone());
        let answer = stage.call("POST", &format!("/graph/v25.0/{NUMBER}/messages"), Some(&read)).await;
        assert_eq!(answer.json(), json!({"success": true}));
    }
}

#[tokio::test]
async fn free_text_fails_when_the_window_is_closed() {
    let stage = Stage::new().await;
    let settings = json!({"phone_number_id": NUMBER, "delays_ms": [1, 2, 3]});
    stage.order("/whatsapp/settings", settings).await;
    let inbound = json!({"phone_number_id": NUMBER, "from": PERSON, "text": "Oi"});
    stage.order("/whatsapp/inbound", inbound).await;
    stage.text().await;
    assert_eq!(names(&stage.statuses(3).await), ["sent", "delivered", "read"]);

    let shift = json!({"phone_number_id": NUMBER, "clock_shift_seconds": 90_000});
    stage.order("/whatsapp/settings", shift).await;
    assert_eq!(stage.text().await.status, 200);
    let statuses = stage.statuses(4).await;
    assert_eq!(statuses[3]["status"], "failed");
    assert_eq!(statuses[3]["errors"][0]["code"], 131_047);
    let template = json!({"type": "template",
        "template": {"name": "hello_world", "language": {"code": "en_US"}}});
    let answer = stage.message(template).await.json();
    assert_eq!(answer["messages"][0]["message_status"], "accepted");
    assert_eq!(stage.statuses(7).await[6]["status"], "read");
}

#[tokio::test]
async fn statuses_can_be_switched_off_and_sent_by_hand() {
    let stage = Stage::new().await;
    stage.order("/whatsapp/settings", json!({"phone_number_id": NUMBER, "statuses": false})).await;
    let id = stage.text().await.json()["messages"][0]["id"].clone();
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    assert_eq!(stage.arrived("statuses").len(), 0);
    let order = json!({"phone_number_id": NUMBER, "id": id, "status": "played",
        "with": {"pricing": null}});
    assert_eq!(stage.order("/whatsapp/status", order).await["status"], 200);
    let played = stage.statuses(1).await.remove(0);
    assert_eq!((&played["status"], &played["recipient_id"]), (&json!("played"), &json!(PERSON)));
}

#[tokio::test]
async fn lists_and_creates_templates() {
    let stage = Stage::new().await;
    let url = "/graph/v25.0/104200000000001/message_templates";
    let page = stage.call("GET", &format!("{url}?limit=2"), None).await.json();
    assert_eq!(page["data"].as_array().unwrap().len(), 2);
    assert_eq!(page["data"][0]["status"], "APPROVED");
    let next = page["paging"]["next"].as_str().unwrap();
    assert_eq!(stage.call("GET", next, None).await.json()["data"].as_array().unwrap().len(), 2);
    let template = json!({"name": "novo", "language": "pt_BR", "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Oi {{1}}"}]});
    assert_eq!(stage.call("POST", url, Some(&template)).await.json()["status"], "APPROVED");
    let found = stage.call("GET", &format!("{url}?name=novo"), None).await.json();
    assert_eq!(found["data"][0]["components"], template["components"]);
}

#[tokio::test]
async fn a_template_is_its_accounts() {
    let stage = Stage::new().await;
    let template = |account: &str, status: &str| json!({"name": "aviso", "waba_id": account, "status": status, "components": [{"type": "BODY", "text": "Olá"}]});
    let message = json!({"type": "template", "template": {"name": "aviso", "language": {"code": "pt_BR"}}});
    stage.order("/whatsapp/templates", template("900000000000001", "APPROVED")).await;
    assert_eq!(stage.message(message.clone()).await.code(), 132_001, "another's");
    stage.order("/whatsapp/templates", template("104200000000001", "APPROVED")).await;
    stage.order("/whatsapp/templates", template("900000000000001", "PAUSED")).await;
    assert_eq!(stage.message(message).await.status, 200);
}
