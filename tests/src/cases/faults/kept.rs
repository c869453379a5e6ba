//! Webhooks that are kept and cannot be applied, and that nobody sends again.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, eventually};

use super::{
    Desk, dispatch, kill, let_webhooks_wait,
    locks::{post, webhook_of},
    start, stop, until_all_done, until_blocked,
};

/// What this client wrote, in the order in which it was stored, without the first greeting.
async fn stored(stack: &Stack, company: &Company) -> Vec<String> {
    let sql = "select provider_id from messages where company_id = $1 and sender_type = 'client' and inbound_number > 1
                order by inbound_number";
    let rows = stack.database().await.query(sql, &[&company.id]).await.expect("messages");
    rows.iter().map(|row| row.get(0)).collect()
}

fn id(webhook: &Value) -> String {
    let message = &webhook["entry"][0]["changes"][0]["value"]["messages"][0];
    message["id"].as_str().expect("an id").to_owned()
}

fn answer(attempt: &Value) -> Value {
    assert_eq!(attempt["status"], 200, "{attempt}");
    serde_json::from_str(attempt["answer"].as_str().unwrap_or_default()).expect("JSON")
}

async fn hold(stack: &Stack, company: &Company) -> tokio_postgres::Client {
    let holder = stack.database().await;
    holder.batch_execute("begin").await.expect("a transaction");
    holder.query("select from conversations where company_id = $1 for update", &[&company.id]).await.expect("it is held");
    holder
}

/// The database is busy for the first; the second comes while that is left to a job, and again once it was applied.
pub async fn a_webhook_that_could_not_be_applied_is_and_what_came_after_it_comes_after_it(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    let webhooks = [0, 1].map(|_| webhook_of(&desk.company, &[desk.client.as_str()]));
    let holder = hold(&stack, &desk.company).await;
    let first = post(&desk.company, &webhooks[0]);
    until_blocked(&stack, 1).await;
    stop(&stack, "sqs").await;
    assert_eq!(answer(&first.await.expect("an answer")), json!({"stored": 0, "failed": 0, "left": 1}));
    holder.batch_execute("rollback").await.expect("it is let go");
    let second = post(&desk.company, &webhooks[1]).await.expect("an answer");
    assert_eq!(answer(&second), json!({"stored": 0, "failed": 0, "left": 1}));
    let other = webhook_of(&desk.company, &[&tests::sandbox::fresh_number()]);
    let other = post(&desk.company, &other).await.expect("an answer");
    assert_eq!(answer(&other), json!({"stored": 1, "failed": 0}), "another client waits for nobody");
    assert_eq!(stored(&stack, &desk.company).await, [""; 0]);
    start(&stack, "sqs").await;
    dispatch(&stack, &desk.company).await;
    until_all_done(&stack, &desk.company).await;
    let expected = webhooks.each_ref().map(id);
    assert_eq!(stored(&stack, &desk.company).await, expected);
    let again = post(&desk.company, &webhooks[0]).await.expect("an answer");
    assert_eq!(answer(&again), json!({"stored": 1, "failed": 0}));
    assert_eq!(stored(&stack, &desk.company).await, expected);
    let open = "select count(*) from inbound_webhooks where company_id = $1 and (outcome is null or failed_items > 0)";
    let open = stack.database().await.query_one(open, &[&desk.company.id]).await.expect("a count");
    assert_eq!(open.get::<_, i64>(0), 0);
}

pub async fn a_webhook_whose_function_was_killed_is_applied_by_a_job(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    let webhook = webhook_of(&desk.company, &[desk.client.as_str()]);
    let holder = hold(&stack, &desk.company).await;
    let killed = post(&desk.company, &webhook);
    until_blocked(&stack, 1).await;
    kill(&stack, "ReceiveWhatsappWebhook").await;
    assert_eq!(killed.await.expect("an answer")["status"], 500);
    holder.batch_execute("rollback").await.expect("it is let go");
    assert_eq!(let_webhooks_wait(&stack, &desk.company).await, 1);
    dispatch(&stack, &desk.company).await;
    eventually("the webhook applied", || async { (stored(&stack, &desk.company).await == [id(&webhook)]).then_some(()) }).await;
    until_all_done(&stack, &desk.company).await;
    let outcomes = desk.company.outcomes(&stack).await;
    assert!(outcomes.iter().all(|outcome| outcome == "stored"), "{outcomes:?}");
}
