//! GET /whatsapp/instances/check-status and the schedule `check_channels`

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, company::text, sandbox::fresh_number, wait::eventually};

use super::{Server, check, company, create, listed, open};

async fn told(company: &Company, head: &str) -> Vec<String> {
    let events = company.admin.events_after(head).await;
    let flags = events.iter().filter(|event| event["type"] == "channel.flagged");
    flags.map(|event| text(&event["data"]["code"]).to_owned()).collect()
}

pub async fn an_instance_that_goes_down_is_told_to_admins_once(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let instance = open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    let (head, agents) = (company.admin.head().await, company.agents[0].head().await);
    check(&stack, &company).await;
    assert_eq!(told(&company, &head).await, [""; 0], "it works");
    let silently = json!({"instance": instance["instance_name"], "silently": true});
    server.order(&stack, "disconnect", silently).await;
    for _ in 0..3 {
        check(&stack, &company).await;
    }
    assert_eq!(told(&company, &head).await, ["instance_closed"]);
    let seen = company.agents[0].events_after(&agents).await;
    let seen: Vec<&str> = seen.iter().map(|event| text(&event["type"])).collect();
    assert_eq!(seen, ["channel.updated"], "agents are told how it stands, and not to act");
    assert_eq!((text(&listed(&company).await[0]["state"]), listed(&company).await[0]["seen_at"].is_string()), ("close", true));
    // It comes back, and goes down again.
    super::act(&company, &instance, "connect").await.expect(200);
    server.scan(&stack, &instance, &fresh_number()).await;
    check(&stack, &company).await;
    assert_eq!(text(&listed(&company).await[0]["state"]), "open");
    server.order(&stack, "disconnect", json!({"instance": instance["instance_name"], "silently": true})).await;
    check(&stack, &company).await;
    assert_eq!(told(&company, &head).await, ["instance_closed", "instance_closed"]);
    // Who logs it out knows.
    super::act(&company, &instance, "connect").await.expect(200);
    server.scan(&stack, &instance, &fresh_number()).await;
    check(&stack, &company).await;
    super::act(&company, &instance, "logout").await.expect(200);
    check(&stack, &company).await;
    assert_eq!(told(&company, &head).await.len(), 2);
}

pub async fn a_server_that_is_dead_is_noticed_and_comes_back(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let number = fresh_number();
    open(&stack, &company, &server, ("Vendas", &number)).await;
    let head = company.admin.head().await;
    server.fault(&stack, "evolution.instances", "", json!({"kind": "refuse"})).await;
    check(&stack, &company).await;
    check(&stack, &company).await;
    assert_eq!(told(&company, &head).await, ["server_unreachable"]);
    let down = &listed(&company).await[0];
    assert_eq!((text(&down["state"]), text(&down["problem"])), ("close", "unreachable"));
    server.heal(&stack).await;
    check(&stack, &company).await;
    let back = &listed(&company).await[0];
    assert_eq!((text(&back["state"]), &back["problem"]), ("open", &Value::Null));
    server.fault(&stack, "evolution.instances", "", json!({"kind": "error", "status": 401})).await;
    check(&stack, &company).await;
    assert_eq!(told(&company, &head).await, ["server_unreachable", "key_refused"]);
    assert_eq!(text(&listed(&company).await[0]["status"]), "broken");
    server.heal(&stack).await;
    check(&stack, &company).await;
    assert_eq!(text(&listed(&company).await[0]["status"]), "active");
}

pub async fn a_moment_of_silence_is_no_news(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let before = open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    let head = company.admin.head().await;
    server.fault(&stack, "evolution.instances", "", json!({"kind": "error", "status": 502, "body": "<html>", "times": 1})).await;
    check(&stack, &company).await;
    assert_eq!(company.admin.events_after(&head).await, [Value::Null; 0]);
    let after = &listed(&company).await[0];
    assert_eq!((text(&after["state"]), &after["problem"], &after["version"]), ("open", &Value::Null, &before["version"]));
}

pub async fn all_instances_are_asked_at_once(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let dead = Server::start(&stack).await;
    let mut socket = company.agents[1].socket().await;
    for name in ["Um", "Dois", "Três"] {
        let made = create(&company, &server, name).await;
        server.scan(&stack, &made, &fresh_number()).await;
    }
    for name in ["Quatro", "Cinco", "Seis"] {
        create(&company, &dead, name).await;
    }
    dead.fault(&stack, "evolution.instances", "", json!({"kind": "timeout"})).await;
    // What a server still tells of its instance, late, counts for more than its silence.
    eventually("silent servers to be told as such", || async {
        let started = std::time::Instant::now();
        let checked = company.agents[0].api.get("/whatsapp/instances/check-status").await.expect(200);
        assert!(started.elapsed().as_secs() < 10, "silent servers are waited for together: {:?}", started.elapsed());
        let states: Vec<(&str, &str)> = checked["data"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|instance| (text(&instance["state"]), text(&instance["problem"])))
            .collect();
        assert_eq!(states[..3], [("open", ""); 3]);
        (states[3..] == [("connecting", "unreachable"); 3]).then_some(())
    })
    .await;
    for _ in 0..3 {
        while text(&socket.of_type("channel.updated").await["data"]["state"]) != "open" {}
    }
    // Nothing changes, and nobody is told.
    dead.heal(&stack).await;
    let head = company.admin.head().await;
    company.agents[0].api.get("/whatsapp/instances/check-status").await.expect(200);
    assert_eq!(company.admin.events_after(&head).await, [Value::Null; 0]);
}

pub async fn an_instance_that_was_not_made_is_made_by_the_next_check(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    server.fault(&stack, "evolution.instances", "instance/create", json!({"kind": "refuse", "times": 1})).await;
    create(&company, &server, "Vendas").await;
    assert_eq!((server.instances(&stack).await.len(), text(&listed(&company).await[0]["problem"])), (0, "unreachable"));
    let head = company.admin.head().await;
    check(&stack, &company).await;
    let made = &listed(&company).await[0];
    assert_eq!((server.instances(&stack).await.len(), &made["problem"], &made["has_webhook"]), (1, &Value::Null, &json!(true)));
    assert_eq!(told(&company, &head).await, [""; 0]);
}
