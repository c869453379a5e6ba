//! `@connections`: send to, ask about and close a connection from outside.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use serde_json::json;

use super::{
    MESSAGE_LIMIT, WebSocketGateway,
    connections::{Command, Refused, is_well_formed},
};
use crate::gateway::percent_decoded;

type Answer = Response<Full<Bytes>>;

/// The id in `/@connections/{id}`, with or without the stage before it.
pub(super) fn connection_id(path: &str) -> Option<String> {
    let (before, id) = path.split_once("/@connections/")?;
    (before.matches('/').count() <= 1).then(|| percent_decoded(id))
}

/// Answers one call.
pub(super) async fn answer(gateway: &Arc<WebSocketGateway>, id: &str, request: Request<Incoming>) -> Answer {
    // The signature itself is not checked: only that a client signs at all.
    let signed = request.headers().contains_key(header::AUTHORIZATION)
        || request.uri().query().is_some_and(|query| query.contains("X-Amz-Signature="));
    if !signed {
        return failure(StatusCode::FORBIDDEN, "ForbiddenException", "Missing Authentication Token");
    }
    if !is_well_formed(id) {
        return failure(StatusCode::BAD_REQUEST, "BadRequestException", &format!("Invalid connectionId: {id}"));
    }
    match *request.method() {
        Method::POST => send(gateway, id, request).await,
        Method::GET => describe(gateway, id),
        Method::DELETE => close(gateway, id),
        _ => failure(StatusCode::FORBIDDEN, "ForbiddenException", "Forbidden"),
    }
}

async fn send(gateway: &WebSocketGateway, id: &str, request: Request<Incoming>) -> Answer {
    let Some(connection) = gateway.connections.get(id) else {
        return gone();
    };
    let Ok(body) = Limited::new(request.into_body(), MESSAGE_LIMIT).collect().await else {
        return failure(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeException", "Payload too large");
    };
    let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    match connection.tell(Command::Send(text)) {
        Ok(()) => Response::new(Full::default()),
        Err(Refused::Gone) => gone(),
        Err(Refused::Full) => failure(StatusCode::TOO_MANY_REQUESTS, "LimitExceededException", "The client reads too slowly"),
    }
}

fn describe(gateway: &WebSocketGateway, id: &str) -> Answer {
    let Some(connection) = gateway.connections.get(id) else {
        return gone();
    };
    let body = json!({
        "connectedAt": connection.connected_at.to_string(),
        "identity": {"sourceIp": connection.source_ip, "userAgent": connection.user_agent},
        "lastActiveAt": connection.last_active_at().to_string(),
    });
    let mut answer = Response::new(Full::from(body.to_string()));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn close(gateway: &WebSocketGateway, id: &str) -> Answer {
    // From here on the id is gone for everybody, whatever the client does.
    let Some(connection) = gateway.connections.remove(id) else {
        return gone();
    };
    if let Err(Refused::Full) = connection.tell(Command::Close(1000, "")) {
        tokio::spawn(async move { connection.tell_patiently(Command::Close(1000, "")).await });
    }
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}

fn gone() -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::GONE;
    answer.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static("GoneException"));
    answer
}

fn failure(status: StatusCode, error_type: &'static str, message: &str) -> Answer {
    let mut answer = Response::new(Full::from(json!({"message": message}).to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(error_type));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
