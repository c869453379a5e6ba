//! Functions killed between BotConversa's work and our record of it.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Stack, company::text, eventually};

use super::{Account, northern_number};
use crate::cases::{
    faults::{kill, let_leases_pass},
    jobs::progress_when,
};

pub async fn a_sync_whose_worker_is_killed_goes_on_and_makes_nobody_twice(stack: Arc<Stack>) {
    let account = Account::connect_with(&stack, json!({"tags": ["VIP"]}), json!({})).await;
    account.settings(json!({"page_size": 40})).await;
    let subscribers: Vec<Value> =
        (0..200).map(|_| json!({"phone": northern_number(), "first_name": "Ana", "tags": ["Nova"]})).collect();
    account.seed(json!({"subscribers": subscribers})).await;
    let agreed = northern_number();
    account.consenting(&agreed, json!({"tags": ["VIP"]})).await;
    account.fault("subscribers", json!({"kind": "timeout", "ms": 400})).await;
    let started = account.company.supervisor.api.post("/integrations/botconversa/sync", json!({})).await.expect(202);
    let database = stack.database().await;
    for least in [1_i64, 100] {
        let done = "select done from job_progress where company_id = $1 and done >= $2 and finished_at is null";
        let id = account.company.id;
        eventually("some pages", || async { database.query_opt(done, &[&id, &least]).await.expect("an answer") }).await;
        kill(&stack, "RunSync").await;
        let_leases_pass(&stack, &account.company, "SyncQueue").await;
    }
    account.heal().await;
    // Killed once more between telling of a client and noting that it was told.
    account.fault("/tags/", json!({"kind": "accept_then_timeout", "times": 1})).await;
    eventually("a tag that is put", || async {
        let subscribers = account.subscribers().await;
        subscribers.iter().any(|one| one["tags"].to_string().contains("VIP")).then_some(())
    })
    .await;
    kill(&stack, "RunSync").await;
    let_leases_pass(&stack, &account.company, "SyncQueue").await;
    let progress = progress_when(&account.company, text(&started["id"]), "done").await;
    assert_eq!(
        (&progress["result"]["made"], &progress["result"]["told"], &progress["failed"]),
        (&json!(200), &json!(1), &json!(0))
    );
    assert_eq!((&progress["done"], &progress["total"]), (&json!(401), &json!(401)), "{progress}");
    let counts = "
        select (select count(*) from clients where company_id = $1),
               (select count(*) from client_identities where company_id = $1 and kind = 'botconversa')";
    let row = database.query_one(counts, &[&account.company.id]).await.expect("counts");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (201, 201));
    assert_eq!(account.subscribers().await.len(), 201);
}
