//! The events a function gets for a WebSocket: `CONNECT`, `MESSAGE`, `DISCONNECT`.

use http::HeaderMap;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::connections::Connection;
use crate::gateway::{log_time, new_id, new_trace_id};

/// The event of `$connect`. `headers` are as the client sent them, names included.
pub(super) fn connect(connection: &Connection, headers: &[(String, String)], query: Option<&str>, port: u16) -> Value {
    let mut headers = headers.to_vec();
    headers.push(("X-Amzn-Trace-Id".to_owned(), new_trace_id(Timestamp::now())));
    headers.push(("X-Forwarded-For".to_owned(), connection.source_ip.clone()));
    headers.push(("X-Forwarded-Port".to_owned(), port.to_string()));
    headers.push(("X-Forwarded-Proto".to_owned(), "http".to_owned()));
    let (single, multiple) = with_multiple(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let mut event = json!({
        "headers": single,
        "multiValueHeaders": multiple,
        "requestContext": context(connection, "$connect", "CONNECT"),
        "isBase64Encoded": false,
    });
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
        let (single, multiple) = with_multiple(pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref())));
        event["queryStringParameters"] = single.into();
        event["multiValueQueryStringParameters"] = multiple.into();
    }
    event
}

/// The event of one message, and its id.
pub(super) fn message(connection: &Connection, route_key: &str, body: &str) -> (Value, String) {
    let id = new_id();
    let mut context = context(connection, route_key, "MESSAGE");
    context["messageId"] = id.as_str().into();
    (json!({"requestContext": context, "body": body, "isBase64Encoded": false}), id)
}

/// The event of `$disconnect`.
pub(super) fn disconnect(connection: &Connection, code: u16, reason: &str) -> Value {
    let mut context = context(connection, "$disconnect", "DISCONNECT");
    context["disconnectStatusCode"] = code.into();
    context["disconnectReason"] = reason.into();
    let headers = [("Host", connection.domain_name.as_str()), ("x-api-key", ""), ("X-Forwarded-For", ""), ("x-restapi", "")];
    let (single, multiple) = with_multiple(headers.into_iter());
    json!({"headers": single, "multiValueHeaders": multiple, "requestContext": context, "isBase64Encoded": false})
}

fn context(connection: &Connection, route_key: &str, event_type: &str) -> Value {
    let now = Timestamp::now();
    let request_id = new_id();
    json!({
        "routeKey": route_key,
        "eventType": event_type,
        "messageDirection": "IN",
        "extendedRequestId": request_id,
        "requestId": request_id,
        "requestTime": log_time(now),
        "requestTimeEpoch": now.as_millisecond(),
        "connectedAt": connection.connected_at.as_millisecond(),
        "stage": connection.stage,
        "apiId": connection.api_id,
        "domainName": connection.domain_name,
        "connectionId": connection.id,
        "identity": {"sourceIp": connection.source_ip, "userAgent": connection.user_agent},
    })
}

/// The last value of each name, and all of them.
fn with_multiple<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> (Map<String, Value>, Map<String, Value>) {
    let mut single = Map::new();
    let mut multiple = Map::new();
    for (name, value) in pairs {
        single.insert(name.to_owned(), value.into());
        let all = multiple.entry(name).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(all) = all {
            all.push(value.into());
        }
    }
    (single, multiple)
}

/// Header names in the usual capitals: HTTP/1 clients send them so, and hyper gives them in lower case.
pub(super) fn capitalised(headers: &HeaderMap) -> Vec<(String, String)> {
    let capital = |part: &str| {
        let mut letters = part.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    let name = |name: &str| match name {
        "sec-websocket-key" => "Sec-WebSocket-Key".to_owned(),
        "sec-websocket-version" => "Sec-WebSocket-Version".to_owned(),
        "sec-websocket-protocol" => "Sec-WebSocket-Protocol".to_owned(),
        "sec-websocket-extensions" => "Sec-WebSocket-Extensions".to_owned(),
        name => name.split('-').map(capital).collect::<Vec<_>>().join("-"),
    };
    let kept = headers.iter().filter(|(name, _)| !matches!(name.as_str(), "connection" | "upgrade" | "x-forwarded-for"));
    kept.map(|(key, value)| (name(key.as_str()), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}
