//! How channels fare, and what is noticed of instances.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Stack, company::text, eventually, sandbox::fresh_number};
use uuid::Uuid;

use super::{company, connect_number, listed, shown};
use crate::cases::evolution;

pub async fn how_a_channel_fares_is_in_the_list(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let id = company.channel_account_id.to_string();
    let idle = connect_number(&company, "Parado").await;
    let fresh = shown(&company, &id).await;
    assert_eq!(
        (&fresh["last_inbound_at"], &fresh["last_outbound_at"], &fresh["error_rate_24h"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    let (_, conversation) = company.served().await;
    let message = company.agents[0].say(&conversation, "Olá").await;
    company.agents[0].message_with_status(&message, "sent").await;
    let calls = "
        insert into integration_calls (id, company_id, channel_account_id, provider, operation, status, error_code, took_ms, at)
        select gen_random_uuid(), $1, $2, 'whatsapp_cloud', 'send', call.status, call.code, 1, now() - call.ago::interval
          from (values (400, '100', '1 hour'), (null, 'unknown', '23 hours'), (200, null, '2 hours'), (500, '2', '25 hours'))
               call (status, code, ago)";
    stack.database().await.execute(calls, &[&company.id, &company.channel_account_id]).await.expect("calls");
    let count = "
        select count(*), count(*) filter (where error_code is not null or status is null)
          from integration_calls
         where channel_account_id = $1 and at > now() - interval '24 hours'";
    let row = stack.database().await.query_one(count, &[&company.channel_account_id]).await.expect("a count");
    let (calls, errors): (i64, i64) = (row.get(0), row.get(1));
    let fares = shown(&company, &id).await;
    assert_eq!((fares["calls_24h"].as_i64(), fares["errors_24h"].as_i64(), errors), (Some(calls), Some(2), 2));
    let rate: f64 = text(&fares["error_rate_24h"]).parse().expect("a number");
    assert!((rate - 100.0 * 2.0 / f64::from(i32::try_from(calls).expect("few"))).abs() < 0.01, "{fares}");
    assert!(fares["last_inbound_at"].is_string() && fares["last_outbound_at"].is_string(), "{fares}");
    let still = shown(&company, text(&idle["id"])).await;
    assert_eq!((&still["calls_24h"], &still["last_inbound_at"]), (&json!(0), &Value::Null));
}

pub async fn a_webhook_that_was_changed_at_the_server_is_set_again(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let server = evolution::Server::start(&stack).await;
    let instance = evolution::open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    let name = text(&instance["instance_name"]);
    let ours = server.instances(&stack).await[0]["webhook"].clone();
    let mut elsewhere = ours.clone();
    elsewhere["url"] = json!("https://outro.exemplo.test/hook");
    let mut off = ours.clone();
    off["enabled"] = json!(false);
    let mut deaf = ours.clone();
    deaf["events"] = json!(["MESSAGES_UPSERT"]);
    for changed in [elsewhere, off, deaf] {
        let webhook = json!({"webhook": {"enabled": changed["enabled"], "url": changed["url"], "headers": changed["headers"],
            "byEvents": false, "base64": false, "events": changed["events"]}});
        let path = format!("/webhook/set/{name}");
        let (status, _) = server.call(&stack, reqwest::Method::POST, &path, &server.global_key, webhook).await;
        assert_eq!(status, 201);
        let due =
            "update evolution_instances set told_at = now() - interval '10 minutes' where channel_account_id = $1::text::uuid";
        stack.database().await.execute(due, &[&text(&instance["id"])]).await.expect("it is due");
        eventually("our webhook", || async {
            stack.control("POST", "/fire/CheckChannels", None).await;
            (server.instances(&stack).await[0]["webhook"] == ours).then_some(())
        })
        .await;
    }
    // What stands is left alone.
    let before = server.calls(&stack, "webhook/set").await.len();
    let due = "update evolution_instances set told_at = now() - interval '10 minutes' where channel_account_id = $1::text::uuid";
    stack.database().await.execute(due, &[&text(&instance["id"])]).await.expect("it is due");
    stack.control("POST", "/fire/CheckChannels", None).await;
    assert_eq!(server.calls(&stack, "webhook/set").await.len(), before);
}

pub async fn an_instance_is_the_same_in_any_writing(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let server = evolution::Server::start(&stack).await;
    let instance = evolution::open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    let port = server.base_url.split(':').nth(2).and_then(|rest| rest.split('/').next()).expect("a port");
    let name = &server.name;
    let encoded = name.bytes().fold(String::new(), |encoded, byte| format!("{encoded}%{byte:02x}"));
    for written in [
        server.base_url.clone(),
        format!("HTTP://127.0.0.1:{port}/evolution/{name}/"),
        format!("http://127.1:{port}/evolution/{name}"),
        format!("http://0x7f000001:{port}/evolution/{name}"),
        format!("http://127.0.0.1.:{port}/evolution/{name}"),
        format!("http://127.0.0.1:{port}/x/../evolution/{name}"),
        format!("http://127.0.0.1:{port}/evolution/{encoded}"),
        // Another name of the same server.
        format!("http://localhost:{port}/evolution/{name}"),
    ] {
        let claimed = json!({"kind": "evolution", "name": "Roubo", "base_url": written, "instance": instance["instance_name"],
            "api_key": server.global_key});
        let refused = other.admin.api.post("/integrations/config", claimed).await;
        assert_eq!(refused.problem(409), "instance_in_use", "{written}");
    }
    assert_eq!(listed(&other).await.len(), 1);
}

pub async fn answers_that_say_nothing_are_not_believed(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let server = evolution::Server::start(&stack).await;
    let instance = evolution::open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    for (call, what) in [("instance/logout", "logout"), ("instance/connect/", "connect"), ("instance/restart", "restart")] {
        for nothing in ["[]", "null"] {
            let answer = json!({"kind": "error", "status": 200, "body": nothing, "times": 1});
            server.fault(&stack, "evolution.instances", call, answer).await;
            let refused = evolution::act(&company, &instance, what).await;
            assert_eq!(refused.problem(503), "server_silent", "{what} {nothing}");
        }
    }
    assert_eq!(text(&evolution::act(&company, &instance, "test").await.expect(200)["state"]), "open");
}

pub async fn our_own_words_are_in_the_callers_language(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let server = evolution::Server::start(&stack).await;
    let instance = evolution::open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    let id: Uuid = text(&instance["id"]).parse().expect("an id");
    let moved = "update channel_accounts set settings = settings || '{\"base_url\": \"https://10.0.0.7\"}' where id = $1";
    stack.database().await.execute(moved, &[&id]).await.expect("it moves");
    let english = company.admin.api.with_header("accept-language", "en");
    let path = format!("/whatsapp/instances/{id}/test");
    let told = english.post(&path, json!({})).await.expect(200);
    assert_eq!(text(&told["detail"]), "This address is not a public one.");
    assert_eq!(text(&told["instance"]["detail"]), "This address is not a public one.");
    let told = company.admin.api.post(&path, json!({})).await.expect(200);
    assert_eq!(text(&told["detail"]), "Este endereço não é público.");
    let page = english.get("/whatsapp/instances").await.expect(200);
    assert_eq!(text(&page["data"][0]["detail"]), "This address is not a public one.");
}
