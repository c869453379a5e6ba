use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{Method, Request, Response};
use http_body_util::Full;
use local::journal::Invocation;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _},
};

use crate::support::{LONG, Stack, eventually, send};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(stack: &Stack, query: &str) -> Result<(Socket, Response<Option<Vec<u8>>>), Error> {
    let mut request = format!("{}/?{query}", stack.cloud.addresses.websocket).into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", http::HeaderValue::from_static("v1, v2"));
    connect_async(request).await
}

/// A query that tells `$connect` what to return.
fn returning(value: &Value) -> String {
    let order = json!({"do": "return", "value": value}).to_string();
    url::form_urlencoded::Serializer::new(String::new()).append_pair("do", &order).finish()
}

fn accepting() -> String {
    returning(&json!({"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "v2"}}))
}

pub async fn opened(stack: &Stack) -> (Socket, String) {
    let before: Vec<String> = stack.cloud.sockets().into_iter().map(|socket| socket.connection_id).collect();
    let (socket, _) = open(stack, &accepting()).await.expect("a handshake");
    let id = stack.cloud.sockets().into_iter().map(|socket| socket.connection_id).find(|id| !before.contains(id));
    (socket, id.expect("addressable as soon as the client knows"))
}

async fn received(socket: &mut Socket) -> Message {
    tokio::time::timeout(LONG, socket.next()).await.expect("in time").expect("a frame").expect("no error")
}

pub async fn received_json(socket: &mut Socket) -> Value {
    serde_json::from_str(received(socket).await.to_text().expect("text")).expect("JSON")
}

pub async fn close_code(socket: &mut Socket) -> u16 {
    loop {
        match received(socket).await {
            Message::Close(Some(frame)) => return frame.code.into(),
            Message::Close(None) => return 1005,
            _ => {}
        }
    }
}

pub async fn manage(stack: &Stack, method: Method, id: &str, body: impl Into<Bytes>) -> Response<Bytes> {
    let url = format!("{}/dev/@connections/{}", stack.cloud.addresses.websocket.replace("ws:", "http:"), id.replace('=', "%3D"));
    let request = Request::builder().method(method).uri(url).header("authorization", "AWS4-HMAC-SHA256 …".replace('…', "x"));
    send(request.body(Full::from(body.into())).expect("a request")).await
}

pub fn calls(stack: &Stack, trigger: &str) -> Vec<Invocation> {
    stack.cloud.journal.invocations().into_iter().filter(|call| call.trigger == format!("websocket {trigger}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn connect_decides_about_the_handshake() {
    let stack = Stack::start().await;
    let (_, answer) = open(&stack, &accepting()).await.expect("a handshake");
    assert_eq!(answer.status(), 101);
    assert_eq!(answer.headers()["sec-websocket-protocol"], "v2");
    let cases = [
        (returning(&json!({"statusCode": 403})), 403),
        (returning(&json!({"statusCode": 401, "body": "no"})), 401),
        (returning(&json!("no shape")), 502),
        ("do=%7B%22do%22%3A%22panic%22%7D".to_owned(), 502),
        ("do=%7B%22do%22%3A%22exit%22%7D".to_owned(), 502),
    ];
    for (query, status) in cases {
        match open(&stack, &query).await {
            Err(Error::Http(answer)) => assert_eq!(answer.status(), status),
            other => panic!("{status}: {other:?}"),
        }
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_addressable_only_after_connect() {
    let stack = Stack::start().await;
    // The function answers 200 only when its post was refused with 410.
    let mut request = format!("{}/?do=%7B%22do%22%3A%22post_to_self%22%7D", stack.cloud.addresses.websocket)
        .into_client_request()
        .expect("a request");
    request.headers_mut().insert("user-agent", http::HeaderValue::from_static("tests"));
    let (_socket, answer) = connect_async(request).await.expect("a handshake");
    assert_eq!(answer.status(), 101);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_managed_from_outside() {
    let stack = Stack::start().await;
    let (mut socket, id) = opened(&stack).await;
    assert!(id.len() == 16 && id.ends_with('='));
    let answer = manage(&stack, Method::POST, &id, "hello").await;
    assert_eq!((answer.status().as_u16(), answer.body().len()), (200, 0));
    assert_eq!(received(&mut socket).await, Message::text("hello"));

    let described = manage(&stack, Method::GET, &id, "").await;
    let described: Value = serde_json::from_slice(described.body()).expect("JSON");
    assert_eq!(described["identity"]["sourceIp"], "127.0.0.1");
    for time in ["connectedAt", "lastActiveAt"] {
        let text = described[time].as_str().expect("text");
        text.parse::<jiff::Timestamp>().expect("ISO 8601");
    }

    let cases = [
        (Method::POST, id.as_str(), vec![b'x'; 128 * 1024 + 1], 413, "PayloadTooLargeException"),
        (Method::POST, "not-an-id", b"x".to_vec(), 400, "BadRequestException"),
        (Method::POST, "AAAAAAAAAAAAAAA=", b"x".to_vec(), 410, "GoneException"),
        (Method::GET, "AAAAAAAAAAAAAAA=", Vec::new(), 410, "GoneException"),
        (Method::DELETE, "AAAAAAAAAAAAAAA=", Vec::new(), 410, "GoneException"),
    ];
    for (method, id, body, status, error_type) in cases {
        let answer = manage(&stack, method, id, body).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["x-amzn-errortype"]),
            (status, &http::HeaderValue::from_static(error_type))
        );
    }
    assert_eq!(manage(&stack, Method::POST, &id, vec![b'x'; 128 * 1024]).await.status(), 200);
    assert_eq!(received(&mut socket).await.len(), 128 * 1024);

    let url = format!("{}/@connections/{id}", stack.cloud.addresses.websocket.replace("ws:", "http:"));
    let unsigned = send(Request::post(url).body(Full::from("x")).expect("a request")).await;
    assert_eq!(
        (unsigned.status().as_u16(), unsigned.headers()["x-amzn-errortype"].to_str().ok()),
        (403, Some("ForbiddenException"))
    );

    let answer = manage(&stack, Method::DELETE, &id, "").await;
    assert_eq!(answer.status(), 204);
    assert_eq!(manage(&stack, Method::POST, &id, "x").await.status(), 410);
    assert_eq!(close_code(&mut socket).await, 1000);
    eventually("$disconnect is called", || !calls(&stack, "$disconnect").is_empty()).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_go_to_the_route_they_name() {
    let stack = Stack::start().await;
    let (mut socket, id) = opened(&stack).await;
    let act = |order: Value| {
        let mut message = json!({"action": "act"});
        message.as_object_mut().expect("an object").extend(order.as_object().expect("an object").clone());
        Message::text(message.to_string())
    };
    socket.send(act(json!({"do": "return", "value": {"statusCode": 200, "body": "ignored"}}))).await.expect("sent");
    eventually("the route is called", || calls(&stack, "act").len() == 1).await;

    for order in ["fail", "panic", "exit"] {
        socket.send(act(json!({ "do": order }))).await.expect("sent");
        let frame = received_json(&mut socket).await;
        assert_eq!((&frame["message"], &frame["connectionId"]), (&json!("Internal server error"), &json!(id)), "{order}");
        assert_eq!(frame["requestId"].as_str().map(str::len), Some(16));
    }
    for unknown in [r#"{"action":"other"}"#, "{}", "no JSON", r#"{"action":"$connect"}"#] {
        socket.send(Message::text(unknown)).await.expect("sent");
        assert_eq!(received_json(&mut socket).await["message"], "Forbidden", "{unknown}");
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_one_connection_run_concurrently() {
    let stack = Stack::start().await;
    let (mut socket, _) = opened(&stack).await;
    for _ in 0..3 {
        socket.send(Message::text(r#"{"action":"act","do":"sleep","ms":700}"#)).await.expect("sent");
    }
    eventually("three processes run", || stack.cloud.runtime.processes("Act") == 3).await;
    stack.stop().await;
}
