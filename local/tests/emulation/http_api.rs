use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;

use crate::support::{Stack, json, options, send};

fn body(answer: &Response<Bytes>) -> &str {
    std::str::from_utf8(answer.body()).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_event_has_payload_format_2() {
    let stack = Stack::start().await;
    let answer = stack
        .get(
            "/echo/a%20b?q=c%20d&q=e&plus=1%2B1+2",
            &[("cookie", "sid=abc; theme=dark"), ("x-twice", "a"), ("x-twice", "b"), ("user-agent", "tests")],
        )
        .await;
    assert_eq!(answer.status(), 200);
    let event = &json(&answer)["event"];
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "GET /echo/{name}");
    assert_eq!(event["rawPath"], "/echo/a b");
    assert_eq!(event["rawQueryString"], "q=c%20d&q=e&plus=1%2B1+2");
    assert_eq!(event["queryStringParameters"], json!({"q": "c d,e", "plus": "1+1 2"}));
    assert_eq!(event["pathParameters"], json!({"name": "a b"}));
    assert_eq!(event["cookies"], json!(["sid=abc", "theme=dark"]));
    assert_eq!(event["headers"]["cookie"], json!(null));
    assert_eq!(event["headers"]["x-twice"], "a,b");
    assert_eq!(event["headers"]["x-forwarded-for"], "127.0.0.1");
    assert_eq!(event["isBase64Encoded"], false);
    let event = event.as_object().expect("an object");
    for absent in ["body", "stageVariables"] {
        assert!(!event.contains_key(absent), "{absent} is left out");
    }
    let context = &event["requestContext"];
    assert_eq!(context["stage"], "$default");
    assert_eq!(context["http"]["path"], "/echo/a b");
    assert_eq!(context["http"]["sourceIp"], "127.0.0.1");
    assert_eq!(context["http"]["userAgent"], "tests");
    assert_eq!(context["requestId"], answer.headers()["apigw-requestid"].to_str().expect("text"));
    assert!(context["timeEpoch"].as_i64().expect("a number") > 1_700_000_000_000);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_some_media_types_are_text() {
    let stack = Stack::start().await;
    for (content_type, is_base64) in [
        (Some("application/json; charset=utf-8"), false),
        (Some("text/csv"), false),
        (Some("application/x-www-form-urlencoded"), true),
        (Some("multipart/form-data; boundary=x"), true),
        (None, true),
    ] {
        let mut request = Request::post(format!("{}/echo/x", stack.cloud.addresses.api));
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let answer = send(request.body(Full::from("{\"a\":1}")).expect("a request")).await;
        let event = &json(&answer)["event"];
        assert_eq!(event["isBase64Encoded"], is_base64, "{content_type:?}");
        assert_eq!(event["body"], if is_base64 { "eyJhIjoxfQ==" } else { "{\"a\":1}" }, "{content_type:?}");
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_has_its_own_errors() {
    let stack = Stack::start().await;
    for path in ["/nothing", "/echo", "/echo/", "/widget/nothing", "/config"] {
        let answer = stack.get(path, &[]).await;
        assert_eq!((answer.status(), body(&answer)), (StatusCode::NOT_FOUND, r#"{"message":"Not Found"}"#), "{path}");
    }
    for order in ["fail", "panic", "exit", "large"] {
        let answer = stack.order("/echo/x", &json!({"do": order})).await;
        assert_eq!((answer.status().as_u16(), body(&answer)), (500, r#"{"message":"Internal Server Error"}"#), "{order}");
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert!(answer.headers().contains_key("apigw-requestid"));
    }
    let request =
        Request::post(format!("{}/echo/x", stack.cloud.addresses.api)).body(Full::from(vec![b'x'; 10 * 1024 * 1024 + 1]));
    let answer = send(request.expect("a request")).await;
    assert_eq!((answer.status().as_u16(), body(&answer)), (413, r#"{"message":"Request Entity Too Large"}"#));
    let request = Request::post(format!("{}/echo/x", stack.cloud.addresses.api)).body(Full::from(vec![b'x'; 5 * 1024 * 1024]));
    assert_eq!(send(request.expect("a request")).await.status(), 413, "6 MB are passed by base64");
    let answer = stack.get("/echo/x", &[("x-large", &"x".repeat(10_240))]).await;
    assert_eq!(answer.status(), 431);
    let statuses =
        [stack.get("/widget/config", &[]).await, stack.get("/widget/config", &[]).await, stack.get("/widget/config", &[]).await];
    assert_eq!(statuses.map(|answer| answer.status().as_u16()), [200, 200, 429]);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_integration_is_unavailable() {
    let mut options = options();
    options.http.integration_timeout = std::time::Duration::from_millis(800);
    let stack = Stack::with(options).await;
    let answer = stack.order("/slow", &json!({"do": "sleep", "ms": 3000})).await;
    assert_eq!((answer.status().as_u16(), body(&answer)), (503, r#"{"message":"Service Unavailable"}"#));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_function_returns_becomes_the_answer() {
    let stack = Stack::start().await;
    let returned = async |value| stack.order("/echo/x", &json!({"do": "return", "value": value})).await;

    let answer = returned(json!({
        "statusCode": 201, "headers": {"X-Own": "1", "access-control-allow-origin": "*", "set-cookie": "c=3"},
        "cookies": ["a=1", "b=2"], "body": "aGk=", "isBase64Encoded": true,
    }))
    .await;
    assert_eq!((answer.status().as_u16(), body(&answer)), (201, "hi"));
    assert_eq!(answer.headers()["x-own"], "1");
    assert_eq!(answer.headers()["content-type"], "text/plain; charset=utf-8");
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
    let cookies: Vec<_> = answer.headers().get_all("set-cookie").iter().map(|cookie| cookie.to_str().expect("text")).collect();
    assert_eq!(cookies, ["a=1", "b=2", "c=3"]);

    let answer = returned(json!({"no": "status"})).await;
    assert_eq!((answer.status().as_u16(), body(&answer)), (200, r#"{"no":"status"}"#));
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(body(&returned(json!("plain")).await), "plain");
    assert_eq!(returned(json!({"statusCode": "200"})).await.status(), 500);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_does_cors_itself() {
    let stack = Stack::start().await;
    let preflight = |origin: &str| {
        Request::options(format!("{}/api/echo/x", stack.cloud.addresses.api))
            .header("origin", origin)
            .header("access-control-request-method", "GET")
            .body(Full::default())
            .expect("a request")
    };
    let answer = send(preflight("https://app.example.com")).await;
    assert_eq!(answer.status(), 204);
    assert_eq!(answer.headers()["access-control-allow-origin"], "https://app.example.com");
    assert_eq!(answer.headers()["access-control-allow-methods"], "GET,POST");
    assert_eq!(answer.headers()["access-control-allow-credentials"], "true");
    assert_eq!(answer.headers()["access-control-max-age"], "600");
    let answer = send(preflight("https://other.example.com")).await;
    assert_eq!(answer.status(), 204);
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
    assert!(stack.cloud.journal.invocations().is_empty(), "no function was called");

    let answer = stack.get("/echo/x", &[("origin", "https://app.example.com")]).await;
    assert_eq!(answer.headers()["access-control-allow-origin"], "https://app.example.com");
    assert!(!answer.headers().contains_key("access-control-allow-methods"));
    let answer = stack.get("/echo/x", &[("origin", "https://other.example.com")]).await;
    assert_eq!(answer.status(), 200);
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mappings_share_routes_and_keep_the_prefix() {
    let stack = Stack::start().await;
    for path in ["/echo/x", "/api/echo/x", "/api/v1/echo/x"] {
        let event = json(&stack.get(path, &[]).await)["event"].clone();
        assert_eq!(event["rawPath"], path);
        assert_eq!(event["routeKey"], "GET /echo/{name}");
    }
    let event = json(&stack.get("/widget/config", &[]).await)["event"].clone();
    assert_eq!((&event["rawPath"], &event["routeKey"]), (&json!("/widget/config"), &json!("GET /config")));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarded_addresses_are_believed_only_when_told_so() {
    for (trust, source_ip, forwarded) in [(false, "127.0.0.1", "203.0.113.7, 127.0.0.1"), (true, "203.0.113.7", "203.0.113.7")] {
        let mut options = options();
        options.http.trust_forwarded = trust;
        let stack = Stack::with(options).await;
        let event = json(&stack.get("/echo/x", &[("x-forwarded-for", "203.0.113.7")]).await)["event"].clone();
        assert_eq!(event["requestContext"]["http"]["sourceIp"], source_ip);
        assert_eq!(event["headers"]["x-forwarded-for"], forwarded);
        stack.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_can_be_fired() {
    let stack = Stack::start().await;
    let fire = |function: &str| {
        Request::post(format!("{}/_local/fire/{function}", stack.cloud.addresses.api)).body(Full::default()).expect("a request")
    };
    let answer = send(fire("Nightly")).await;
    assert_eq!(answer.status(), 200);
    let said = json(&answer)["result"]["body"].as_str().expect("a body").to_owned();
    assert!(said.contains(r#""event":{"job":"nightly"}"#), "{said}");
    assert_eq!(stack.cloud.journal.invocations()[0].trigger, "schedule");
    assert_eq!(send(fire("Echo")).await.status(), 404);
    stack.stop().await;
}
