use serde_json::json;

use crate::stage::{NUMBER, PERSON, Stage};

#[tokio::test]
async fn message_arrives_as_meta_writes_it() {
    let stage = Stage::new().await;
    let order = json!({"phone_number_id": NUMBER, "from": PERSON, "user_id": "BR.1", "name": "João",
        "text": "Olá 😀 a/b", "id": "wamid.A", "timestamp": 1_764_600_000, "copies": 2});
    let answer = stage.order("/whatsapp/inbound", order).await;
    assert_eq!((&answer["status"], &answer["id"]), (&json!(200), &json!("wamid.A")));
    assert_eq!(answer["attempts"].as_array().unwrap().len(), 2);
    let received = stage.endpoint.received.lock().unwrap().clone();
    assert_eq!(received.len(), 2);
    assert!(received[0].signed);
    assert!(received[0].raw.contains(r"Ol\u00e1 \ud83d\ude00 a\/b"));
    assert!(received[0].raw.is_ascii());
    let value = &received[0].body["entry"][0]["changes"][0]["value"];
    assert_eq!(value["metadata"]["phone_number_id"], NUMBER);
    assert_eq!(value["contacts"][0], json!({"profile": {"name": "João"}, "wa_id": PERSON, "user_id": "BR.1"}));
    assert_eq!(
        value["messages"][0],
        json!({"from": PERSON, "from_user_id": "BR.1", "id": "wamid.A", "timestamp": "1764600000",
            "type": "text", "text": {"body": "Olá 😀 a/b"}})
    );
}

#[tokio::test]
async fn person_without_a_number_has_only_the_user_id() {
    let stage = Stage::new().await;
    let order = json!({"phone_number_id": NUMBER, "user_id": "BR.7",
        "button_reply": {"id": "confirmar:42", "title": "Confirmar"},
        "context": {"id": "wamid.Q"}});
    stage.order("/whatsapp/inbound", order).await;
    let message = stage.arrived("messages").remove(0);
    assert!(message.get("from").is_none());
    assert_eq!(message["from_user_id"], "BR.7");
    assert_eq!(message["interactive"]["button_reply"]["id"], "confirmar:42");
    assert_eq!(message["context"]["id"], "wamid.Q");
    assert!(stage.arrived("contacts")[0].get("wa_id").is_none());
}

#[tokio::test]
async fn echo_names_the_business_as_sender() {
    let stage = Stage::new().await;
    let order = json!({"phone_number_id": NUMBER, "from": PERSON, "text": "Já te ligo"});
    stage.order("/whatsapp/echo", order).await;
    let echo = stage.arrived("message_echoes").remove(0);
    assert_eq!(echo["to"], PERSON);
    assert_ne!(echo["from"], PERSON);
}

#[tokio::test]
async fn change_of_an_account_names_no_number() {
    let stage = Stage::new().await;
    for of_account in [false, true] {
        let order =
            json!({"phone_number_id": NUMBER, "field": "security", "value": {"event": "PIN_CHANGED"}, "of_account": of_account});
        assert_eq!(stage.order("/whatsapp/change", order).await["status"], 200);
    }
    let received = stage.endpoint.received.lock().unwrap().clone();
    let values: Vec<_> = received.iter().map(|received| &received.body["entry"][0]["changes"][0]["value"]).collect();
    assert_eq!(values[0]["metadata"]["phone_number_id"], NUMBER);
    assert_eq!(*values[1], json!({"event": "PIN_CHANGED"}));
}

#[tokio::test]
async fn raw_webhook_is_signed_as_ordered() {
    let stage = Stage::new().await;
    let raw = r#"{"text":"\u00e1"}"#;
    for (signature, status) in [("valid", 200), ("none", 401), ("wrong", 401), ("sha256=zz", 401)] {
        let order = json!({"raw": raw, "signature": signature});
        assert_eq!(stage.order("/whatsapp/webhook", order).await["status"], status, "{signature}");
    }
    assert_eq!(stage.endpoint.received.lock().unwrap()[0].raw, raw);
}

#[tokio::test]
async fn endpoint_proves_itself() {
    let stage = Stage::new().await;
    let proof = stage.order("/whatsapp/verify", json!({"challenge": "a b&c"})).await;
    assert_eq!((&proof["status"], &proof["answer"]), (&json!(200), &json!("a b&c")));
}

#[tokio::test]
async fn answer_goes_to_the_account_that_wrote() {
    let stage = Stage::new().await;
    let order = json!({"phone_number_id": NUMBER, "from": "553187654321", "text": "Oi"});
    stage.order("/whatsapp/inbound", order).await;
    let message = json!({"to": "+5531987654321", "type": "text", "text": {"body": "Oi"}});
    let contact = stage.message(message).await.json()["contacts"][0].clone();
    assert_eq!(contact, json!({"input": "+5531987654321", "wa_id": "553187654321"}));
}

#[tokio::test]
async fn unclear_order_is_refused_with_the_reason() {
    let stage = Stage::new().await;
    for order in [json!({"text": "Oi"}), json!({"phone_number_id": "1"}), json!({"phone_number_id": "1", "txt": ""})] {
        let answer = stage.call("POST", "/_local/sandbox/whatsapp/inbound", Some(&order)).await;
        assert_eq!(answer.status, 400);
        assert!(answer.json()["error"].is_string());
    }
}
