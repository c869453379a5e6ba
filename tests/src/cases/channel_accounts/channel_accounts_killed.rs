//! Functions killed in the middle of what they do to channels.

use std::sync::Arc;

use serde_json::json;
use tests::{Stack, company::text, eventually, sandbox::fresh_number};

use super::{channel_accounts_contacts::job_when, company, listed, path, remove};
use crate::cases::{
    evolution,
    faults::{kill, let_leases_pass},
};

/// Nobody is asked after twice but those of the page that was lost, and each is counted once.
pub async fn a_job_over_people_whose_worker_is_killed_goes_on_where_it_was(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let server = evolution::Server::start(&stack).await;
    let instance = evolution::open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    for _ in 0..23 {
        let order = json!({"instance": instance["instance_name"], "from": fresh_number(), "text": "Oi"});
        server.order(&stack, "inbound", order).await;
    }
    let body = json!({"channel_account_id": instance["id"]});
    let started = company.supervisor.api.post("/whatsapp/contacts/sync-profiles", body).await.expect(202);
    let id = text(&started["data"][0]["job"]["id"]).to_owned();
    let database = stack.database().await;
    for least in [5_i64, 15] {
        let done = "select done from job_progress where id = $1::text::uuid and done >= $2 and finished_at is null";
        eventually("some pages", || async { database.query_opt(done, &[&id, &least]).await.expect("an answer") }).await;
        kill(&stack, "SyncContacts").await;
        let_leases_pass(&stack, &company, "ContactsQueue").await;
    }
    let done = job_when(&company, &id, "done").await;
    assert_eq!((&done["done"], &done["total"], &done["failed"]), (&json!(23), &json!(23), &json!(0)));
    let calls = server.calls(&stack, "chat/findContacts").await.len();
    assert!((23..=33).contains(&calls), "{calls}");
}

/// The server has it no more, and here it is until somebody asks again.
pub async fn a_channel_whose_removal_was_killed_is_removed_by_the_next(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let server = evolution::Server::start(&stack).await;
    let instance = evolution::open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    let id = text(&instance["id"]).to_owned();
    server.fault(&stack, "evolution.instances", "instance/delete", json!({"kind": "accept_then_timeout", "times": 1})).await;
    let api = company.admin.api.clone();
    let removing = tokio::spawn({
        let path = path(&id);
        async move { api.call(reqwest::Method::DELETE, &path, None).await }
    });
    eventually("no instance at the server", || async { server.instances(&stack).await.is_empty().then_some(()) }).await;
    kill(&stack, "DeleteIntegration").await;
    assert!(removing.await.expect("an answer").status >= 500);
    assert_eq!(listed(&company).await.len(), 2);
    remove(&company, &id, "").await.expect(204);
    assert_eq!(listed(&company).await.len(), 1);
}
