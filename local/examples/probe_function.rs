//! A function for the tests of the local cloud: does what the event tells it.
//!
//! The order is JSON in the header `x-do`, the query parameter `do`, the body, or the event itself.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if std::env::var("START").is_ok_and(|start| start == "exit") {
        std::process::exit(7);
    }
    println!("{}", json!({"level": "INFO", "message": "started"}));
    lambda_runtime::run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let remaining = event.context.deadline().duration_since(std::time::SystemTime::now()).unwrap_or_default();
    let event = event.payload;
    let order = order(&event);
    if event["requestContext"]["eventType"] == "DISCONNECT" {
        println!("{event}");
    }
    match order["do"].as_str().unwrap_or("echo") {
        "return" => return Ok(order["value"].clone()),
        "sleep" => {
            tokio::time::sleep(Duration::from_millis(order["ms"].as_u64().unwrap_or(0))).await;
        }
        "exit" => std::process::exit(3),
        "fail" => return Err("told to fail".into()),
        "panic" => panic!("told to panic"),
        "large" => return Ok(Value::from("x".repeat(7 * 1024 * 1024))),
        "print" => println!("{}", order["line"].as_str().unwrap_or_default()),
        "post_to_self" => return Ok(post_to_self(&event)),
        _ => {}
    }
    let environment: serde_json::Map<String, Value> = std::env::vars().map(|(name, value)| (name, value.into())).collect();
    let said = json!({"event": event, "pid": std::process::id(), "environment": environment, "remaining": remaining.as_millis()});
    Ok(json!({"statusCode": 200, "headers": {"content-type": "application/json"}, "body": said.to_string()}))
}

fn order(event: &Value) -> Value {
    let places = [&event["headers"]["x-do"], &event["queryStringParameters"]["do"], &event["body"]];
    let orders = places.into_iter().filter_map(|text| serde_json::from_str::<Value>(text.as_str()?).ok());
    orders.into_iter().find(|order| order.get("do").is_some()).unwrap_or_else(|| event.clone())
}

/// Posts to the connection of the event, and answers 200 only when that is refused as the contract says.
fn post_to_self(event: &Value) -> Value {
    let url = std::env::var("AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI").unwrap_or_default();
    let (host, stage) = url.trim_start_matches("http://").split_once('/').unwrap_or((&url, ""));
    let id = event["requestContext"]["connectionId"].as_str().unwrap_or_default().replace('=', "%3D");
    let mut stream = TcpStream::connect(host).expect("the gateway listens");
    let request = format!(
        "POST /{stage}/@connections/{id} HTTP/1.1\r\nhost: {host}\r\nauthorization: AWS4\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi"
    );
    stream.write_all(request.as_bytes()).expect("the gateway reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the gateway answers");
    let refused = answer.starts_with("HTTP/1.1 410") && answer.contains("x-amzn-errortype: GoneException");
    json!({"statusCode": if refused { 200 } else { 418 }})
}
