use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::support::{Stack, eventually, json, send};

async fn sqs(stack: &Stack, action: &str, input: Value) -> Value {
    let request = Request::post(&stack.cloud.addresses.sqs)
        .header("x-amz-target", format!("AmazonSQS.{action}"))
        .header("content-type", "application/x-amz-json-1.0")
        .body(Full::from(input.to_string()));
    let answer = send(request.expect("a request")).await;
    assert_eq!(answer.status(), 200, "{:?}", answer.body());
    json(&answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_a_queue_reaches_its_function() {
    let stack = Stack::start().await;
    let url = format!("{}/123456789012/Jobs.fifo", stack.cloud.addresses.sqs);
    let line = json!({"do": "print", "line": "from the queue"});
    let message = json!({
        "QueueUrl": url, "MessageBody": line.to_string(),
        "MessageGroupId": "lane", "MessageDeduplicationId": "one",
    });
    sqs(&stack, "SendMessage", message).await;
    eventually("the worker is called", || {
        let calls = stack.cloud.journal.invocations();
        calls.iter().any(|call| call.trigger == "queue Jobs" && call.function == "Worker")
    })
    .await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_can_be_stopped_and_started() {
    let stack = Stack::start().await;
    let steer = async |path: &str| {
        let url = format!("{}/_local/services/{path}", stack.cloud.addresses.api);
        send(Request::post(url).body(Full::default()).expect("a request")).await.status().as_u16()
    };
    let dynamodb = stack.cloud.addresses.dynamodb.trim_start_matches("http://").to_owned();
    let answers = || std::net::TcpStream::connect(&dynamodb).is_ok();
    assert!(answers());
    assert_eq!(steer("dynamodb/stop").await, 200);
    assert!(!answers());
    assert_eq!(steer("dynamodb/start").await, 200);
    assert!(answers());
    assert_eq!(steer("nothing/stop").await, 404);
    assert_eq!(steer("postgres/stop").await, 409, "it was not started");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_is_under_local() {
    let stack = Stack::start().await;
    assert_eq!(stack.get("/_local/?q=1", &[]).await.status(), 200);
    assert_eq!(json(&stack.get("/_local/info", &[]).await)["api"], stack.cloud.addresses.api);
    let answer = stack.get("/_local", &[]).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (308, &http::HeaderValue::from_static("/_local/")));
    assert_eq!(stack.get("/_locally", &[]).await.status(), 404);
    assert!(stack.cloud.journal.invocations().is_empty());
    stack.stop().await;
}
