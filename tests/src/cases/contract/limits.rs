//! How often one may call.

use std::sync::Arc;

use serde_json::json;
use tests::Stack;

pub async fn an_address_has_a_hundred_public_requests_a_minute(stack: Arc<Stack>) {
    let (api, neighbour) = (stack.api(), stack.api());
    let body = json!({"refresh_token": "nobody's"});
    for _ in 0..100 {
        assert_eq!(api.post("/auth/refresh", body.clone()).await.problem(401), "refresh_token_invalid");
    }
    // A new minute may have begun, but no two.
    for _ in 0..101 {
        let answer = api.post("/auth/refresh", body.clone()).await;
        if answer.status == 401 {
            continue;
        }
        let seconds: u32 = answer.header("retry-after").and_then(|seconds| seconds.parse().ok()).expect("seconds");
        assert!((1..=60).contains(&seconds), "{seconds}");
        assert_eq!(answer.problem(429), "rate_limited");
        assert_eq!(neighbour.post("/auth/refresh", body.clone()).await.problem(401), "refresh_token_invalid");
        return;
    }
    panic!("201 requests were not refused");
}
