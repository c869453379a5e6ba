use std::{sync::atomic::Ordering, time::Instant};

use serde_json::{Value, json};

use crate::stage::{NUMBER, Stage, names};

async fn sent(stage: &Stage) -> usize {
    let sent = stage.look(&format!("/whatsapp/sent?phone_number_id={NUMBER}")).await;
    sent.as_array().unwrap().len()
}

#[tokio::test]
async fn error_has_the_code_and_the_pause() {
    let stage = Stage::new().await;
    let fault = json!({"code": 130_429, "status": 429, "retry_after": 7, "times": 1});
    stage.fault("whatsapp.messages", "error", fault).await;
    let refused = stage.text().await;
    assert_eq!((refused.status, refused.code()), (429, 130_429));
    assert_eq!(refused.headers["retry-after"], "7");
    assert_eq!(stage.text().await.status, 200);
    assert_eq!(sent(&stage).await, 1);
    let calls = stage.look("/calls").await;
    assert_eq!(calls[0]["fault"]["kind"], "error");
    assert_eq!((&calls[0]["status"], &calls[1]["status"]), (&json!(429), &json!(200)));
}

#[tokio::test]
async fn refuse_closes_the_connection() {
    let stage = Stage::new().await;
    stage.fault("whatsapp.messages", "refuse", json!({"times": 1})).await;
    let url = format!("/graph/v25.0/{NUMBER}/messages");
    let body = json!({"messaging_product": "whatsapp", "to": "5511987654321", "type": "text", "text": {"body": "x"}});
    let error = stage.try_call("POST", &url, Some(&body)).await.err().unwrap();
    assert_ne!(error, "no answer");
    assert_eq!(sent(&stage).await, 0);
    assert_eq!(stage.text().await.status, 200);
}

#[tokio::test]
async fn timeouts_do_the_work_or_not_as_ordered() {
    let stage = Stage::new().await;
    let url = format!("/graph/v25.0/{NUMBER}/messages");
    let body = json!({"messaging_product": "whatsapp", "to": "5511987654321", "type": "text", "text": {"body": "x"}});
    stage.fault("whatsapp.messages", "timeout", json!({"times": 1})).await;
    stage.fault("whatsapp.messages", "accept_then_timeout", json!({"times": 1})).await;
    stage.fault("whatsapp.messages", "timeout", json!({"times": 1, "ms": 120})).await;
    assert_eq!(stage.try_call("POST", &url, Some(&body)).await.err().unwrap(), "no answer");
    assert_eq!(sent(&stage).await, 0);
    assert_eq!(stage.try_call("POST", &url, Some(&body)).await.err().unwrap(), "no answer");
    assert_eq!(sent(&stage).await, 1);
    let started = Instant::now();
    assert_eq!(stage.text().await.status, 200);
    assert!(started.elapsed().as_millis() >= 120);
    assert_eq!(stage.look("/faults").await, json!([]));
}

#[tokio::test]
async fn statuses_fail_vanish_or_come_in_another_order() {
    let stage = Stage::new().await;
    let settings = json!({"phone_number_id": NUMBER, "delays_ms": [1, 2, 3]});
    stage.order("/whatsapp/settings", settings).await;
    stage.fault("whatsapp.webhooks", "no_status", json!({"times": 1})).await;
    stage.text().await;
    stage.fault("whatsapp.webhooks", "reorder", json!({"times": 1})).await;
    stage.text().await;
    assert_eq!(names(&stage.statuses(3).await), ["read", "delivered", "sent"]);
    stage.fault("whatsapp.webhooks", "failed_status", json!({"times": 1, "code": 131_026})).await;
    stage.text().await;
    let statuses = stage.statuses(4).await;
    assert_eq!(statuses[3]["status"], "failed");
    assert_eq!(statuses[3]["errors"][0]["code"], 131_026);
}

#[tokio::test]
async fn webhooks_come_twice_as_ordered() {
    let stage = Stage::new().await;
    stage.fault("whatsapp.webhooks", "duplicate", json!({"times": 1})).await;
    let inbound = json!({"phone_number_id": NUMBER, "text": "Oi"});
    let answer = stage.order("/whatsapp/inbound", inbound).await;
    let messages = stage.arrived("messages");
    assert_eq!(messages.len(), 2);
    assert!(messages.iter().all(|message| message["id"] == answer["id"]));
}

#[tokio::test]
async fn webhooks_are_tried_until_taken() {
    let stage = Stage::new().await;
    let settings = json!({"phone_number_id": NUMBER, "webhook_backoff_ms": 10});
    stage.order("/whatsapp/settings", settings).await;
    stage.endpoint.refusals.store(2, Ordering::SeqCst);
    let answer = stage.order("/whatsapp/inbound", json!({"phone_number_id": NUMBER, "text": "Oi"})).await;
    assert_eq!(answer["status"], 500);
    for _ in 0..100 {
        if !stage.arrived("messages").is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(stage.arrived("messages").len(), 1);
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let deliveries = stage.look("/whatsapp/deliveries").await;
    let tried: Vec<&Value> = deliveries[0]["attempts"].as_array().unwrap().iter().map(|one| &one["status"]).collect();
    assert_eq!(tried, [500, 500, 200]);
}

#[tokio::test]
async fn one_number_does_not_disturb_another() {
    let stage = Stage::new().await;
    let fault = json!({"target": "whatsapp.messages", "kind": "refuse", "phone_number_id": "1"});
    let added = stage.order("/faults", fault).await;
    assert_eq!(stage.text().await.status, 200);
    stage.fault("whatsapp.messages", "error", json!({"code": 1})).await;
    stage.call("DELETE", "/_local/sandbox/everything?phone_number_id=210500000000002", None).await;
    assert_eq!(sent(&stage).await, 0);
    let left = stage.look("/faults").await;
    assert_eq!(left.as_array().unwrap().len(), 1);
    assert_eq!(left[0]["id"], added["id"]);
    let id = added["id"].as_str().unwrap();
    stage.call("DELETE", &format!("/_local/sandbox/faults?id={id}"), None).await;
    assert_eq!(stage.look("/faults").await, json!([]));
}

#[tokio::test]
async fn order_with_a_slip_is_refused() {
    let stage = Stage::new().await;
    let fault = json!({"target": "llm", "kind": "refuse", "phone_number": "1"});
    let answer = stage.call("POST", "/_local/sandbox/faults", Some(&fault)).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["error"], "unknown key phone_number");
}
