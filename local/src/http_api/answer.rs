//! From a function's result to the HTTP answer, and the answers the gateway makes itself.

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value};

/// An answer of the gateway, without a function.
pub(super) fn gateway_error(status: StatusCode, message: &str) -> Response<Body> {
    let mut answer = Response::new(Body::from(format!(r#"{{"message":"{message}"}}"#)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// What every failure of a function looks like from outside.
pub(super) fn internal_server_error() -> Response<Body> {
    gateway_error(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

/// The answer for what a function returned. With `drop_cors` its own CORS headers are left out.
pub(super) fn of_function(result: &Bytes, drop_cors: bool) -> Response<Body> {
    match serde_json::from_slice(result) {
        Ok(Value::Object(mut map)) => match map.remove("statusCode") {
            Some(status) => structured(&status, map, drop_cors).unwrap_or_else(internal_server_error),
            None => plain(result.clone()),
        },
        Ok(Value::String(text)) => plain(text.into()),
        _ => plain(result.clone()),
    }
}

fn plain(body: Bytes) -> Response<Body> {
    let mut answer = Response::new(Body::from(body));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// `None` when the shape is wrong.
fn structured(status: &Value, mut map: Map<String, Value>, drop_cors: bool) -> Option<Response<Body>> {
    let status = StatusCode::from_u16(u16::try_from(status.as_u64()?).ok()?).ok()?;
    let body = match map.remove("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) if map.get("isBase64Encoded") == Some(&Value::Bool(true)) => STANDARD.decode(text).ok()?.into(),
        Some(Value::String(text)) => text.into(),
        Some(_) => return None,
    };
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    if let Some(Value::Array(cookies)) = map.get("cookies") {
        for cookie in cookies.iter().filter_map(Value::as_str) {
            headers.append(header::SET_COOKIE, HeaderValue::from_str(cookie).ok()?);
        }
    }
    if let Some(Value::Object(own)) = map.get("headers") {
        for (name, value) in own {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            if is_of_gateway(&name) || (drop_cors && name.as_str().starts_with("access-control-")) {
                continue;
            }
            let value = match value {
                Value::String(text) => HeaderValue::from_str(text).ok()?,
                Value::Number(number) => HeaderValue::from_str(&number.to_string()).ok()?,
                Value::Bool(flag) => HeaderValue::from_static(if *flag { "true" } else { "false" }),
                _ => continue,
            };
            headers.append(name, value);
        }
    }
    if !headers.contains_key(header::CONTENT_TYPE) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    Some(answer)
}

/// Headers that the gateway sets itself.
fn is_of_gateway(name: &HeaderName) -> bool {
    [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION, header::DATE].contains(name)
}
