//! WhatsApp is busy, broken, silent or far away: every message is sent once or not at all, and says which.

use std::sync::Arc;

use serde_json::json;
use tests::{Stack, eventually};

use super::{Desk, dispatch, let_leases_pass, start, stop, until_all_done};

pub async fn a_busy_provider_is_asked_again_until_it_takes_the_message(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    for order in [
        json!({"kind": "error", "status": 429, "retry_after": 1, "body": "slow down"}),
        json!({"kind": "error", "code": 130_429}),
        json!({"kind": "error", "code": 131_056}),
    ] {
        let mut order = order;
        order["target"] = json!("whatsapp.messages");
        order["times"] = json!(1);
        desk.company.phone.fault(order).await;
    }
    desk.send("com calma").await.expect(201);
    desk.send("logo atrás").await.expect(201);
    desk.until("logo atrás", &["read"]).await;
    assert_eq!(desk.accepted().await, ["com calma", "logo atrás"]);
}

/// A connection that is refused has carried nothing.
pub async fn without_whatsapp_messages_wait_and_are_sent_once_later(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    stop(&stack, "sandbox").await;
    desk.send("sem rede").await.expect(201);
    desk.send("também").await.expect(201);
    let tried = "select exists (select from jobs where company_id = $1 and attempts > 0 and last_error is not null)";
    let database = stack.database().await;
    eventually("a refused attempt", || async {
        database.query_one(tried, &[&desk.company.id]).await.expect("a row").get::<_, bool>(0).then_some(())
    })
    .await;
    assert_eq!(desk.with_body("sem rede").await[0]["status"], "queued");
    start(&stack, "sandbox").await;
    let_leases_pass(&stack, &desk.company, "DeliveryQueue").await;
    desk.until("também", &["read"]).await;
    until_all_done(&stack, &desk.company).await;
    assert_eq!(desk.accepted().await, ["sem rede", "também"]);
}

/// A gateway's own error page may hide that the message was taken; so may a connection that broke.
pub async fn an_answer_that_says_nothing_is_not_followed_by_a_second_send(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    let target = "whatsapp.messages";
    let page = json!({"target": target, "kind": "error", "status": 502, "body": "<h1>Bad gateway</h1>", "times": 1});
    desk.company.phone.fault(page).await;
    desk.send("página").await.expect(201);
    desk.until("página", &["sending"]).await;
    desk.company.phone.fault(json!({"target": target, "kind": "refuse", "times": 1})).await;
    desk.send("cortada").await.expect(201);
    desk.until("cortada", &["sending"]).await;
    desk.send("seguinte").await.expect(201);
    desk.until("seguinte", &["read"]).await;
    for body in ["página", "cortada"] {
        let failed = eventually("the outcome given up", || async {
            dispatch(&stack, &desk.company).await;
            let found = desk.with_body(body).await.remove(0);
            (found["status"] == "failed").then_some(found)
        })
        .await;
        assert_eq!(failed["error_code"], "outcome_unknown");
    }
    until_all_done(&stack, &desk.company).await;
    assert_eq!(desk.accepted().await, ["seguinte"]);
}

pub async fn a_provider_that_never_answers_does_not_hold_up_the_conversation(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    for kind in ["accept_then_timeout", "no_status"] {
        desk.company.phone.fault(json!({"target": "whatsapp.messages", "kind": kind, "times": 1})).await;
    }
    desk.send("no vazio").await.expect(201);
    desk.send("em seguida").await.expect(201);
    desk.until("em seguida", &["read"]).await;
    let failed = eventually("the outcome given up", || async {
        dispatch(&stack, &desk.company).await;
        let found = desk.with_body("no vazio").await.remove(0);
        (found["status"] == "failed").then_some(found)
    })
    .await;
    assert_eq!(failed["error_code"], "outcome_unknown");
    assert_eq!(desk.accepted().await, ["no vazio", "em seguida"]);
}

pub async fn a_final_refusal_fails_the_message_and_the_lane_goes_on_in_order(stack: Arc<Stack>) {
    let desk = Desk::open(&stack).await;
    let refusal = json!({"target": "whatsapp.messages", "kind": "error", "code": 131_026, "times": 1, "contains": "recusada"});
    desk.company.phone.fault(refusal).await;
    for body in ["um", "recusada", "dois", "três"] {
        desk.send(body).await.expect(201);
    }
    desk.until("três", &["read"]).await;
    assert_eq!(desk.until("recusada", &["failed"]).await["error_code"], "131026");
    assert_eq!(desk.accepted().await, ["um", "dois", "três"]);
    until_all_done(&stack, &desk.company).await;
}
