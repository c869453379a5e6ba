//! How often one may call.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::Stack;

/// Calls a public route as often as an address may in two minutes: no two minutes may have begun meanwhile, so the last calls are refused.
async fn is_limited(stack: &Stack, body: Value, status: u16) {
    let (api, neighbour) = (stack.api(), stack.api());
    for _ in 0..100 {
        api.post("/auth/refresh", body.clone()).await.expect(status);
    }
    for _ in 0..101 {
        let answer = api.post("/auth/refresh", body.clone()).await;
        if answer.status == status {
            continue;
        }
        let seconds: u32 = answer.header("retry-after").and_then(|seconds| seconds.parse().ok()).expect("seconds");
        assert!((1..=60).contains(&seconds), "{seconds}");
        assert_eq!(answer.problem(429), "rate_limited");
        neighbour.post("/auth/refresh", body.clone()).await.expect(status);
        return;
    }
    panic!("201 requests were not refused");
}

pub async fn an_address_has_a_hundred_public_requests_a_minute(stack: Arc<Stack>) {
    is_limited(&stack, json!({"refresh_token": "nobody's"}), 401).await;
}

/// What never reaches a transaction costs as much.
pub async fn requests_refused_for_their_input_count_too(stack: Arc<Stack>) {
    is_limited(&stack, json!({}), 422).await;
}
