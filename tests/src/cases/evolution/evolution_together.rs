//! Two admins at once.

use std::sync::Arc;

use serde_json::json;
use tests::{Stack, each};

use super::{INSTANCES, Server, act, company, create, listed, remove};

pub async fn two_who_make_the_same_name_make_one(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let answers = each(0..6, async |_| company.admin.api.post(INSTANCES, server.body("Vendas")).await).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        assert_eq!(answer.problem(409), "name_taken");
    }
    assert_eq!((listed(&company).await.len(), server.instances(&stack).await.len()), (1, 1));
    // Two who connect what was not made make it once.
    server.fault(&stack, "evolution.instances", "instance/create", json!({"kind": "error", "status": 500, "times": 1})).await;
    let second = create(&company, &server, "Suporte").await;
    let connected = each(0..4, async |_| act(&company, &second, "connect").await).await;
    assert!(
        connected.iter().all(|answer| answer.status == 200),
        "{:?}",
        connected.iter().map(|answer| answer.status).collect::<Vec<_>>()
    );
    assert_eq!(server.instances(&stack).await.len(), 2);
}

pub async fn an_instance_removed_while_it_is_connected_stays_away(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    for round in 0..4 {
        let instance = create(&company, &server, &format!("Vendas {round}")).await;
        server.fault(&stack, "evolution.instances", "instance/connect/", json!({"kind": "timeout", "ms": 100, "times": 1})).await;
        let (removed, connected) =
            futures_util::future::join(remove(&company, &instance, "conversations=keep"), act(&company, &instance, "connect"))
                .await;
        assert_eq!(removed.status, 204, "{}", removed.body);
        assert!([200, 404, 409].contains(&connected.status), "{} {}", connected.status, connected.body);
        assert_eq!(listed(&company).await.len(), 0, "round {round}");
        server.heal(&stack).await;
    }
    assert_eq!(server.instances(&stack).await.len(), 0);
}
