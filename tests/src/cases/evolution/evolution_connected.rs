//! POST /whatsapp/instances/{id}/connect, /test, /restart and /logout

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, company::text, sandbox::fresh_number};

use super::{INSTANCES, Server, act, company, create, listed, open};

pub async fn a_code_is_shown_until_somebody_scans_it(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let made = create(&company, &server, "Vendas").await;
    let code = act(&company, &made, "connect").await.expect(200);
    assert_eq!((text(&code["state"]), &code["pairing_code"]), ("connecting", &Value::Null));
    assert!(text(&code["qr_code"]).starts_with("data:image/png;base64,"), "{code}");
    let test = act(&company, &made, "test").await.expect(200);
    assert_eq!((&test["works"], text(&test["state"]), text(&test["server_version"])), (&json!(false), "connecting", "2.3.7"));
    let mut socket = company.agents[0].socket().await;
    let number = fresh_number();
    server.scan(&stack, &made, &number).await;
    let test = act(&company, &made, "test").await.expect(200);
    assert_eq!((&test["works"], text(&test["state"]), &test["problem"]), (&json!(true), "open", &Value::Null));
    assert!(test["latency_ms"].as_i64().is_some_and(|ms| (0..5000).contains(&ms)), "{test}");
    let instance = &test["instance"];
    assert_eq!((text(&instance["display_number"]), text(&instance["profile_name"])), (format!("+{number}").as_str(), "Loja"));
    assert_eq!((&instance["qr_code"], instance["seen_at"].is_string()), (&Value::Null, true));
    let told = socket.of_type("channel.updated").await;
    assert_eq!((&told["data"]["id"], text(&told["data"]["state"])), (&made["id"], "open"));
    assert!(!told.to_string().contains("data:image"), "{told}");
    // Of an open one there is no code.
    let again = act(&company, &made, "connect").await.expect(200);
    assert_eq!((text(&again["state"]), &again["qr_code"], &again["version"]), ("open", &Value::Null, &instance["version"]));
}

async fn connect_with(company: &Company, instance: &Value, number: &str) -> tests::Answer {
    company.admin.api.post(&format!("{INSTANCES}/{}/connect", text(&instance["id"])), json!({"number": number})).await
}

pub async fn a_number_is_paired_by_a_code_to_type(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let made = create(&company, &server, "Vendas").await;
    let paired = connect_with(&company, &made, "+55 (11) 98765-4321").await.expect(200);
    assert_eq!(text(&paired["pairing_code"]).len(), 8, "{paired}");
    let calls = server.calls(&stack, "instance/connect/").await;
    assert_eq!(calls.len(), 1);
    assert_eq!(connect_with(&company, &made, "agora").await.status, 422);
}

pub async fn a_number_is_connected_once(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let number = fresh_number();
    let first = open(&stack, &company, &server, ("Vendas", &number)).await;
    let second = create(&company, &server, "Suporte").await;
    let refused = connect_with(&company, &second, &number).await.expect(409);
    assert_eq!((text(&refused["code"]), &refused["current"]["channel_account_id"]), ("number_connected", &first["id"]));
    // Whoever scans the code says no number before: then both say so.
    server.scan(&stack, &second, &number).await;
    let second = act(&company, &second, "test").await.expect(200)["instance"].clone();
    assert_eq!(second["same_number_ids"], json!([first["id"]]));
    let shown = listed(&company).await;
    assert_eq!(shown[0]["same_number_ids"], json!([second["id"]]));
    act(&company, &second, "logout").await.expect(200);
    assert_eq!(listed(&company).await[0]["same_number_ids"], json!([]));
}

pub async fn restarting_needs_a_phone(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let instance = open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    let restarted = act(&company, &instance, "restart").await.expect(200);
    assert_eq!(text(&restarted["state"]), "open");
    act(&company, &instance, "logout").await.expect(200);
    assert_eq!(act(&company, &instance, "restart").await.problem(409), "not_linked");
    // Closed between the question and the restart: the server fails with 200.
    let said = json!({"kind": "error", "status": 200, "message": "Error: Connection Closed", "times": 1});
    act(&company, &instance, "connect").await.expect(200);
    server.fault(&stack, "evolution.instances", "instance/restart", said).await;
    let refused = act(&company, &instance, "restart").await.expect(409);
    assert_eq!((text(&refused["code"]), text(&refused["current"]["detail"])), ("refused_by_server", "Error: Connection Closed"));
}

pub async fn logging_out_twice_is_fine(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let instance = open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    for _ in 0..2 {
        let out = act(&company, &instance, "logout").await.expect(200);
        assert_eq!((text(&out["state"]), &out["problem"]), ("close", &Value::Null));
    }
    let calls = server.calls(&stack, "instance/logout").await;
    let statuses: Vec<i64> = calls.iter().filter_map(|call| call["status"].as_i64()).collect();
    assert_eq!(statuses, [200, 400]);
    let connected = act(&company, &instance, "connect").await.expect(200);
    assert_eq!(text(&connected["state"]), "connecting");
}

pub async fn what_the_server_answers_is_told(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let instance = open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    let cases = [
        (json!({"kind": "error", "status": 500}), 503, "server_silent", "unreachable"),
        (json!({"kind": "error", "status": 429}), 503, "server_silent", "unreachable"),
        (json!({"kind": "error", "status": 200, "body": "<html>"}), 503, "server_silent", "unreachable"),
        (json!({"kind": "refuse"}), 503, "server_silent", "unreachable"),
        (json!({"kind": "error", "status": 404, "message": "The instance does not exist"}), 409, "instance_missing", "missing"),
        (json!({"kind": "error", "status": 401}), 409, "key_refused", "key_refused"),
    ];
    for (fault, status, code, problem) in cases {
        server.fault(&stack, "evolution.instances", "/instance/", fault.clone()).await;
        for what in ["connect", "restart", "logout"] {
            assert_eq!(act(&company, &instance, what).await.problem(status), code, "{fault}: {what}");
        }
        let test = act(&company, &instance, "test").await.expect(200);
        assert_eq!((&test["works"], text(&test["problem"])), (&json!(false), problem), "{fault}");
        assert!(test["detail"].is_string(), "{fault}: {test}");
        assert_eq!(text(&listed(&company).await[0]["problem"]), problem, "{fault}");
        server.heal(&stack).await;
    }
    assert_eq!(text(&listed(&company).await[0]["status"]), "broken");
    let test = act(&company, &instance, "test").await.expect(200);
    assert_eq!((&test["works"], text(&test["instance"]["status"])), (&json!(true), "active"));
    let logged = company.admin.api.get("/integrations/logs?provider=evolution&failed=true&limit=100").await.expect(200);
    assert!(logged["data"].as_array().is_some_and(|calls| calls.len() >= 18), "every call is in the log of calls");
}
