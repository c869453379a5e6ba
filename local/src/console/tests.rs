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
        kept: None,
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
        held: Arc::new(Vec::new),
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
async fn flows_are_played_by_the_pages_own_script() {
    let (headers, page) = answer(&router(sources()), "/flows").await;
    let policy = headers["content-security-policy"].to_str().unwrap();
    let held = |start: &str, end: &str| -> Vec<String> {
        page.split(start).skip(1).map(|rest| rest.split(end).next().unwrap_or_default().to_owned()).collect()
    };
    let (scripts, styles) = (held("<script>", "</script>"), held("<style>", "</style>"));
    assert_eq!((scripts.len(), styles.len()), (1, 2));
    for own in scripts.iter().chain(&styles) {
        let hash = ring::digest::digest(&ring::digest::SHA256, own.as_bytes());
        let hash = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, hash);
        assert!(policy.contains(&format!("'sha256-{hash}'")));
    }
    assert!(policy.contains("default-src 'none'") && policy.contains("connect-src 'self'") && !policy.contains("unsafe"));
    assert_eq!(headers["x-frame-options"], "DENY");
    assert_eq!(headers["cache-control"], "no-store");
    assert!(!page.contains("src=") && !page.contains(" style=") && !page.contains("onclick"), "{page}");
    assert!(scripts[0].contains("/bot/simulate") && !scripts[0].contains("innerHTML"), "what flows say is text");
    // Every element that the script names is there.
    for id in scripts[0].split("at(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
}

#[tokio::test]
async fn metrics_count_invocations() {
    let text = get("/metrics").await;
    let line = r#"local_invocations_total{cold="true",function="CreateLead",outcome="422"} 1"#;
    assert!(text.contains(line), "{text}");
}

const LETTER: &str =
    "<html><head><title>x</title></head><body style=\"color:red\"><script>alert(1)</script><a href=\"https://a.test\">a</a>";

/// The console with one mail of somebody who means harm, and the mail's path.
async fn with_a_mail() -> (axum::Router, String) {
    let sources = sources();
    let sandbox = Arc::clone(&sources.sandbox);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut stream = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let server = tokio::spawn(Arc::clone(&sandbox).serve_smtp(listener));
    let mail = format!(
        "MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\nSubject: </title><script>1</script>\r\nContent-Type: text/html\r\n\r\n{LETTER}\r\n.\r\nQUIT\r\n"
    );
    tokio::io::AsyncWriteExt::write_all(&mut stream, mail.as_bytes()).await.unwrap();
    tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut Vec::new()).await.unwrap();
    server.abort();
    let path = format!("/mails/{}", sandbox.mails()[0].id);
    (router(sources), path)
}

async fn answer(router: &axum::Router, path: &str) -> (http::HeaderMap, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = router.clone().layer(axum::middleware::map_response(|mut answer: axum::response::Response| async move {
        protect(&mut answer);
        answer
    }));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .build_http::<http_body_util::Empty<bytes::Bytes>>();
    let answer = client.get(format!("http://{address}{path}").parse().unwrap()).await.unwrap();
    let headers = answer.headers().clone();
    let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
    (headers, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_mail_is_shown_and_can_do_nothing() {
    let (router, path) = with_a_mail().await;
    let policy = |headers: &http::HeaderMap| headers["content-security-policy"].to_str().unwrap().to_owned();

    let (headers, page) = answer(&router, &path).await;
    assert!(!page.contains("<script>") && page.contains("&lt;script&gt;1&lt;/script&gt;"), "{page}");
    assert!(page.contains(&format!("src=\"/_local{path}/html\"")) && page.contains("sandbox=\"allow-popups"), "{page}");
    assert!(policy(&headers).contains("frame-src 'self'") && !policy(&headers).contains("script-src"));
    assert_eq!(headers["x-frame-options"], "DENY");

    let (headers, letter) = answer(&router, &format!("{path}/html")).await;
    assert!(letter.contains("<head><base target=\"_blank\">") && letter.contains("color:red"), "{letter}");
    let policy = policy(&headers);
    assert!(policy.contains("sandbox allow-popups") && policy.contains("frame-ancestors 'self'"), "{policy}");
    for power in ["script-src", "allow-scripts", "allow-same-origin", "https:"] {
        assert!(!policy.contains(power), "{power}");
    }
    assert_eq!(headers["x-frame-options"], "SAMEORIGIN");

    let (headers, _) = answer(&router, "/state").await;
    assert_eq!(headers["x-frame-options"], "DENY");
    assert!(policy_of_the_console(&headers));
}

fn policy_of_the_console(headers: &http::HeaderMap) -> bool {
    headers["content-security-policy"].to_str().unwrap().contains("script-src 'sha256-")
}
