//! What every answer looks like, whatever the route.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Api, Stack, Wanted, company::text, openapi::Operation};
use uuid::Uuid;

const SECURITY: [(&str, &str); 5] = [
    ("strict-transport-security", "max-age=63072000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
];

const ORIGIN: &str = "http://localhost:3000";

/// Calls the operation with nothing it asks for: most refuse.
async fn poke(api: &Api, operation: &Operation, prefix: &str) -> Answer {
    let parts =
        operation.path.split('/').map(|part| if part.starts_with('{') { Uuid::nil().to_string() } else { part.to_owned() });
    let path = format!("{prefix}{}", parts.collect::<Vec<_>>().join("/"));
    let body = (operation.method != "GET").then(|| json!({}));
    api.call(operation.method.parse().expect("a method"), &path, body).await
}

fn assert_secure(answer: &Answer, of: &str) {
    for (name, value) in SECURITY {
        assert_eq!(answer.header(name), Some(value), "{of} {}", answer.status);
    }
}

pub async fn every_answer_has_the_security_headers(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    for operation in stack.openapi.operations() {
        assert_secure(&poke(&stack.api(), &operation, "").await, &operation.id);
    }
    for path in ["/auth/me", "/users", "/conversations", "/integrations/config"] {
        let answer = company.admin.api.get(path).await;
        assert_eq!(answer.status, 200);
        assert_secure(&answer, path);
    }
}

pub async fn problems_are_told_in_portuguese_or_english(stack: Arc<Stack>) {
    let api = stack.api();
    let english = api.with_header("accept-language", "en-US,en;q=0.9,pt;q=0.1");
    let other = api.with_header("accept-language", "fr");
    for operation in stack.openapi.operations() {
        let answer = poke(&api, &operation, "").await;
        if answer.status < 400 {
            continue;
        }
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", operation.id);
        let (portuguese, english) = (answer.body, poke(&english, &operation, "").await.body);
        for problem in [&portuguese, &english] {
            assert_eq!(problem["status"], answer.status, "{problem}");
            assert_eq!(
                text(&problem["type"]),
                format!("https://balcao.app/problems/{}", text(&problem["code"]).replace('_', "-"))
            );
            assert!(!text(&problem["request_id"]).is_empty(), "{problem}");
        }
        assert_eq!(portuguese["code"], english["code"]);
        assert_ne!(portuguese["detail"], english["detail"], "{}", operation.id);
        assert_ne!(portuguese["title"], english["title"], "{}", operation.id);
        assert_eq!(poke(&other, &operation, "").await.body["detail"], portuguese["detail"], "{}", operation.id);
    }
}

pub async fn the_three_prefixes_reach_the_same_routes(stack: Arc<Stack>) {
    let api = stack.api();
    for operation in stack.openapi.operations() {
        let plain = poke(&api, &operation, "").await;
        // Hooks have one address, which third parties know.
        if operation.path.starts_with("/webhooks") || operation.path == "/health" {
            continue;
        }
        for prefix in ["/api", "/api/v1"] {
            let prefixed = poke(&api, &operation, prefix).await;
            assert_eq!(
                (prefixed.status, &prefixed.body["code"]),
                (plain.status, &plain.body["code"]),
                "{prefix} {}",
                operation.id
            );
        }
    }
    assert_eq!(api.get("/api/v2/auth/me").await.status, 404);
}

async fn preflight(stack: &Stack, path: &str, origin: &str) -> Answer {
    let api = stack.api().with_header("origin", origin).with_header("access-control-request-method", "POST");
    api.with_header("access-control-request-headers", "authorization,content-type,idempotency-key")
        .send(Method::OPTIONS, path, None)
        .await
}

fn lists(answer: &Answer, header: &str, wanted: &[&str]) {
    let value = answer.header(header).unwrap_or_default().to_lowercase();
    for one in wanted {
        assert!(value.split(',').any(|listed| listed.trim() == one.to_lowercase()), "{header}: {value} without {one}");
    }
}

pub async fn allowed_origins_may_call_and_read_what_they_need(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    for path in ["/departments", "/api/departments", "/api/v1/departments", "/auth/login"] {
        let answer = preflight(&stack, path, ORIGIN).await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN), "{path}");
        assert_eq!(answer.header("access-control-max-age"), Some("600"));
        lists(&answer, "access-control-allow-methods", &["GET", "POST", "PUT", "PATCH", "DELETE"]);
        let headers = ["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "Accept-Language"];
        lists(&answer, "access-control-allow-headers", &headers);
    }
    let from_browser = company.admin.api.with_header("origin", ORIGIN);
    for answer in [from_browser.get("/departments").await, stack.api().with_header("origin", ORIGIN).get("/auth/me").await] {
        assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN), "{}", answer.status);
        lists(&answer, "access-control-expose-headers", &["Balcao-Cursor", "Retry-After", "Idempotency-Replayed"]);
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
}

pub async fn other_origins_may_not(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    for origin in ["https://evil.example", "http://localhost:3000.evil.example", "null"] {
        assert_eq!(preflight(&stack, "/departments", origin).await.header("access-control-allow-origin"), None, "{origin}");
        let answer = company.admin.api.with_header("origin", origin).get("/departments").await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
    }
}

pub async fn webhooks_are_not_for_browsers(stack: Arc<Stack>) {
    let answer = preflight(&stack, "/webhooks/whatsapp", ORIGIN).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

pub async fn snapshots_say_where_the_feed_stands(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    for path in ["/conversations", "/departments", "/users", "/users/online", "/auth/me"] {
        let answer = company.admin.api.get(path).await;
        let cursor = answer.header("balcao-cursor").map(str::to_owned).unwrap_or_default();
        let after: Value = company.admin.api.get(&format!("/events?after={cursor}")).await.expect(200);
        assert!(after["data"].is_array(), "{path}: {after}");
    }
    assert_eq!(stack.api().get("/auth/me").await.header("balcao-cursor"), None);
}

pub async fn health_tells_of_each_service_what_it_is(stack: Arc<Stack>) {
    let before = jiff::Timestamp::now();
    let health = stack.api().get("/health").await.expect(200);
    // Other tests leave jobs behind on purpose.
    assert!(["ok", "degraded"].contains(&text(&health["status"])), "{health}");
    assert_eq!(health["services"], json!({"database": "ok", "redis": "ok", "storage": "ok", "queue": "ok"}));
    let at: jiff::Timestamp = text(&health["timestamp"]).parse().expect("a time");
    assert!(at.as_second() >= before.as_second() - 1 && at <= jiff::Timestamp::now(), "{health}");
    assert_eq!(health.get("error"), None);
}
