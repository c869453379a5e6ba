//! POST /integrations/config/{id}/test

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, company::text, sandbox::fresh_number};

use super::{company, path, shown};
use crate::cases::evolution;

async fn test(company: &Company, id: &str) -> Value {
    company.admin.api.post(&format!("{}/test", path(id)), json!({})).await.expect(200)
}

pub async fn a_number_is_asked_about_and_stands_as_its_provider_says(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let id = company.channel_account_id.to_string();
    let works = test(&company, &id).await;
    assert_eq!((&works["works"], &works["problem"], text(&works["quality"])), (&json!(true), &Value::Null, "GREEN"));
    assert_eq!((text(&works["name"]), text(&works["integration"]["status"])), ("Empresa Teste", "active"));
    assert!(text(&works["display_number"]).starts_with("+55"), "{works}");
    let mut socket = company.agents[0].socket().await;
    company.phone.fault(json!({"target": "whatsapp.account", "kind": "error", "status": 401, "code": 190, "times": 1})).await;
    let broken = test(&company, &id).await;
    assert_eq!((&broken["works"], text(&broken["problem"])), (&json!(false), "190"));
    assert!(broken["detail"].is_string(), "{broken}");
    assert_eq!(text(&broken["integration"]["status"]), "broken");
    assert_eq!(text(&socket.of_type("channel.updated").await["data"]["status"]), "broken");
    assert_eq!(text(&test(&company, &id).await["integration"]["status"]), "active");
    let calls = company.admin.api.get("/integrations/logs?operation=look_up_number").await.expect(200);
    let codes: Vec<&Value> = calls["data"].as_array().into_iter().flatten().map(|call| &call["error_code"]).collect();
    assert_eq!(codes, [&Value::Null, &json!("190"), &Value::Null]);
    // One that was switched off stays so, whatever its provider says.
    super::change(&company, &id, json!({"status": "disabled"})).await.expect(200);
    assert_eq!(text(&test(&company, &id).await["integration"]["status"]), "disabled");
}

pub async fn silence_says_nothing_of_the_credentials(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let id = company.channel_account_id.to_string();
    for fault in [json!({"kind": "error", "status": 503, "code": 2}), json!({"kind": "refuse"})] {
        let mut order = json!({"target": "whatsapp.account", "times": 1});
        order.as_object_mut().expect("an object").extend(fault.as_object().cloned().unwrap_or_default());
        company.phone.fault(order).await;
        let silent = test(&company, &id).await;
        assert_eq!((&silent["works"], text(&silent["integration"]["status"])), (&json!(false), "active"), "{silent}");
        assert!(silent["problem"].is_string(), "{silent}");
    }
    let lost = "delete from channel_credentials where channel_account_id = $1";
    stack.database().await.execute(lost, &[&company.channel_account_id]).await.expect("they go");
    let without = test(&company, &id).await;
    assert_eq!((&without["works"], text(&without["problem"])), (&json!(false), "credentials"));
}

pub async fn an_instance_is_asked_about(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let server = evolution::Server::start(&stack).await;
    let instance = evolution::open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    let id = text(&instance["id"]);
    let works = test(&company, id).await;
    assert_eq!((&works["works"], text(&works["state"])), (&json!(true), "open"));
    assert!(works["server_version"].is_string(), "{works}");
    let refusal = json!({"kind": "error", "status": 401, "times": 1});
    server.fault(&stack, "evolution.instances", "connectionState", refusal).await;
    let refused = test(&company, id).await;
    assert_eq!((&refused["works"], text(&refused["problem"])), (&json!(false), "key_refused"));
    assert_eq!(text(&refused["integration"]["status"]), "broken");
    assert_eq!(text(&test(&company, id).await["integration"]["status"]), "active");
    assert_eq!(text(&shown(&company, id).await["state"]), "open");
}
