//! `/_local` is for programs of this machine and its own page; so are the services that only functions use.

use std::os::unix::fs::PermissionsExt as _;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use serde_json::json;

use crate::support::{Stack, json, send};

/// Headers, and whether a request with them may pass.
fn callers(port: &str) -> Vec<(Vec<(&'static str, String)>, bool)> {
    let host = |host: &str| vec![("host", host.to_owned())];
    let from = |name, value: &str| vec![(name, value.to_owned())];
    vec![
        (vec![], true),
        (host(&format!("localhost:{port}")), true),
        (from("origin", &format!("http://127.0.0.1:{port}")), true),
        (from("sec-fetch-site", "same-origin"), true),
        (from("sec-fetch-site", "none"), true),
        (host(&format!("rebound.example:{port}")), false),
        (host("127.0.0.1"), false),
        (from("origin", "https://foreign.example"), false),
        (from("origin", "http://localhost:5173"), false),
        (from("origin", "null"), false),
        (from("sec-fetch-site", "cross-site"), false),
        (from("sec-fetch-site", "same-site"), false),
    ]
}

async fn call(method: &Method, url: &str, headers: &[(&str, String)]) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    send(request.body(Full::default()).expect("a request")).await
}

fn port_of(url: &str) -> &str {
    url.rsplit_once(':').expect("a port").1
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_others_reach_nothing_under_local() {
    let stack = Stack::start().await;
    let api = &stack.cloud.addresses.api;
    let calls = [
        (Method::GET, "/"),
        (Method::GET, ""),
        (Method::GET, "/info?secrets=true"),
        (Method::GET, "/settings"),
        (Method::GET, "/functions"),
        (Method::GET, "/state"),
        (Method::GET, "/lines"),
        (Method::GET, "/metrics"),
        (Method::GET, "/sandbox/calls"),
        (Method::POST, "/fire/Nightly"),
        (Method::POST, "/functions/Echo/kill"),
        (Method::DELETE, "/sandbox/everything"),
    ];
    for (headers, may_pass) in callers(port_of(api)) {
        for (method, path) in &calls {
            let answer = call(method, &format!("{api}/_local{path}"), &headers).await;
            let status = answer.status().as_u16();
            assert_eq!(status != 403, may_pass, "{method} {path} with {headers:?}: {status}");
            assert!(may_pass || String::from_utf8_lossy(answer.body()).starts_with("Refused: "), "{:?}", answer.body());
            let policy = answer.headers()["content-security-policy"].to_str().expect("text");
            assert!(policy.starts_with("default-src 'none'; ") && policy.contains("frame-ancestors 'none'"), "{policy}");
            assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
            assert!(!answer.headers().contains_key("access-control-allow-origin"));
        }
    }
    let fired = stack.cloud.journal.invocations().iter().filter(|call| call.function == "Nightly").count();
    assert_eq!(fired, 5, "as often as it was allowed");
    stack.stop().await;
}

/// Every port of the cloud is here, by whom it is for; one that is new is in neither list.
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_others_reach_no_service_that_only_functions_use() {
    let stack = Stack::start().await;
    let runtime = json(&stack.get("/echo/x", &[]).await)["environment"]["AWS_LAMBDA_RUNTIME_API"].as_str().map(str::to_owned);
    let runtime = runtime.expect("an address").split("/p/").next().expect("an origin").to_owned();
    let for_programs = ["dynamodb", "sandbox", "sqs"];
    let for_front_ends_or_no_http = ["api", "console", "s3", "smtp", "websocket"];
    let addresses = serde_json::to_value(&stack.cloud.addresses).expect("addresses");
    let mut urls = vec![runtime];
    for (name, url) in addresses.as_object().expect("addresses").iter().filter(|(_, url)| url.is_string()) {
        let url = url.as_str().unwrap_or_default();
        if for_programs.contains(&name.as_str()) {
            urls.push(url.to_owned());
        } else {
            assert!(for_front_ends_or_no_http.contains(&name.as_str()), "whom is {name} at {url} for?");
        }
    }
    assert_eq!(urls.len(), 4, "{urls:?}");
    // Of the port that front ends open sockets at, what functions tell them through.
    urls.push(stack.cloud.addresses.websocket.replacen("ws://", "http://", 1) + "/@connections");
    for url in urls {
        let port = url.trim_end_matches("/@connections").rsplit_once(':').expect("a port").1.to_owned();
        for (mut headers, may_pass) in callers(&port) {
            headers.push(("authorization", "AWS4-HMAC-SHA256 of anybody".to_owned()));
            for method in [Method::GET, Method::POST, Method::OPTIONS] {
                let answer = call(&method, &format!("{url}/nothing"), &headers).await;
                let is_refused = answer.status() == 403 && !answer.headers().contains_key("x-amzn-errortype");
                assert_eq!(is_refused, !may_pass, "{method} {url} with {headers:?}: {}", answer.status());
                assert!(!answer.headers().contains_key("access-control-allow-origin"), "{method} {url} with {headers:?}");
            }
        }
    }
    stack.stop().await;
}

/// A bucket answers pages as the template's CORS says, and nobody without a signature.
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_others_are_told_nothing_by_a_bucket() {
    let stack = Stack::start().await;
    let url = &stack.cloud.addresses.s3;
    for (headers, may_pass) in
        callers(port_of(url)).into_iter().filter(|(headers, _)| headers.iter().any(|(name, _)| *name == "origin"))
    {
        let answer = call(&Method::GET, &format!("{url}/nothing/x"), &headers).await;
        assert!(!answer.status().is_success(), "{headers:?}: {}", answer.status());
        assert!(may_pass || !answer.headers().contains_key("access-control-allow-origin"), "{headers:?}: {:?}", answer.headers());
    }
    stack.stop().await;
}

/// Front ends run on other origins and reach the API through other names.
#[tokio::test(flavor = "multi_thread")]
async fn the_api_itself_answers_other_hosts_and_its_front_ends() {
    let stack = Stack::start().await;
    for (headers, _) in callers(port_of(&stack.cloud.addresses.api)) {
        let answer = call(&Method::GET, &format!("{}/echo/x", stack.cloud.addresses.api), &headers).await;
        assert_eq!(answer.status(), 200, "{headers:?}");
    }
    let answer = stack.get("/echo/x", &[("origin", "https://app.example.com"), ("host", "tunnel.example")]).await;
    assert_eq!(answer.headers()["access-control-allow-origin"], "https://app.example.com");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn run_json_is_for_its_owner_only() {
    let stack = Stack::start().await;
    let file = std::fs::metadata(stack.directory.join("run.json")).expect("a file");
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    assert_eq!(json(&stack.get("/_local/info", &[]).await)["database_url"], json!(null));
    stack.stop().await;
}
