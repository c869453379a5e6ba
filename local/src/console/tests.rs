use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{ConsoleSources, protect, router};
use crate::{
    journal::{Invocation, Journal, QueueSnapshot},
    sandbox::{Sandbox, SandboxOptions},
};

fn sources() -> ConsoleSources {
    let options = SandboxOptions {
        webhook_url: "http://127.0.0.1:9/".to_owned(),
        app_secret: "secret".to_owned(),
        verify_token: "token".to_owned(),
        public_url: "http://127.0.0.1:9".to_owned(),
    };
    let journal = Arc::new(Journal::default());
    for (function, status) in [("ListLeads", 200), ("CreateLead", 422)] {
        journal.record_invocation(Invocation {
            at: Timestamp::now(),
            request_id: "r".to_owned(),
            function: function.to_owned(),
            trigger: "http GET </script>".to_owned(),
            status: Some(status),
            error: None,
            took: Duration::from_micros(1234),
            cold: true,
        });
    }
    let queue = QueueSnapshot {
        logical_id: "BotDeadLetters".to_owned(),
        waiting: 1,
        in_flight: 0,
        oldest: Some(Duration::from_secs(3)),
        dead_letter: true,
    };
    ConsoleSources {
        journal,
        queues: Arc::new(move || vec![queue.clone()]),
        sockets: Arc::new(Vec::new),
        sandbox: Sandbox::new(options),
        dead_letters: Arc::new(|queue| vec![json!({"queue": queue})]),
        info: json!({"api": "http://127.0.0.1:8787", "database_url": "postgres://app:••••••@127.0.0.1/x"}),
        secrets: json!({"database_url": "postgres://app:pass-word@127.0.0.1/x"}),
    }
}

async fn get(path: &str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = axum::Router::new().nest("/_local", router(sources()));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .build_http::<http_body_util::Empty<bytes::Bytes>>();
    let uri = format!("http://{address}/_local{path}").parse().unwrap();
    let response = client.get(uri).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap();
    String::from_utf8(body.to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn state_shows_what_happened() {
    let state: Value = serde_json::from_str(&get("/state").await).unwrap();
    assert_eq!(state["invocations"][0]["function"], "CreateLead");
    assert_eq!(state["invocations"][0]["ms"], 1.2);
    assert_eq!(state["queues"][0]["oldest_seconds"], 3);
    let one: Value = serde_json::from_str(&get("/invocations?function=ListLeads").await).unwrap();
    assert_eq!(one.as_array().unwrap().len(), 1);
    let dead: Value = serde_json::from_str(&get("/dead-letters/BotDeadLetters").await).unwrap();
    assert_eq!(dead[0]["queue"], "BotDeadLetters");
}

#[tokio::test]
async fn page_needs_nothing_from_outside() {
    let page = get("").await;
    assert!(page.contains("Invocations") && page.contains("http://127.0.0.1:8787"));
    assert!(!page.contains("<link rel=\"stylesheet\"") && !page.contains("src="));
    assert_eq!(page.matches("</script>").count(), 2, "data must not end a script");
}

#[tokio::test]
async fn passwords_are_shown_to_who_asks_for_them() {
    let page = get("").await;
    assert!(page.contains("app:••••••@") && page.contains("show password") && !page.contains("pass-word"));
    assert!(!get("/info").await.contains("pass-word"));
    let info: Value = serde_json::from_str(&get("/info?secrets=true").await).unwrap();
    assert_eq!(info["database_url"], "postgres://app:pass-word@127.0.0.1/x");
    assert_eq!(info["api"], "http://127.0.0.1:8787");
}

/// A browser runs the page's script only when the policy names what the page really holds.
#[tokio::test]
async fn the_policy_allows_the_pages_own_script_and_style_only() {
    let page = get("").await;
    let mut answer = axum::response::Response::default();
    protect(&mut answer);
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    for (start, end) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let (_, rest) = page.split_once(start).unwrap();
        let (held, _) = rest.split_once(end).unwrap();
        let hash = ring::digest::digest(&ring::digest::SHA256, held.as_bytes());
        let hash = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, hash);
        assert!(policy.contains(&format!("'sha256-{hash}'")), "{start}");
    }
    assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"));
}

#[tokio::test]
async fn metrics_count_invocations() {
    let text = get("/metrics").await;
    let line = r#"local_invocations_total{cold="true",function="CreateLead",outcome="422"} 1"#;
    assert!(text.contains(line), "{text}");
}
