//! The handshake: `$connect` decides before the client hears anything.

use std::{net::SocketAddr, sync::Arc};

use axum::body::Body;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use hyper::{body::Incoming, upgrade::OnUpgrade};
use serde_json::Value;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{WebSocketGateway, connections::Connection, event, refusal, session, status_of};
use crate::gateway::{header as header_text, new_id};

/// Request target with query, as the service limits it.
const TARGET_LIMIT: usize = 4096;

/// Answers a request that is not for `@connections`.
pub(super) async fn answer(
    gateway: &Arc<WebSocketGateway>,
    mut request: Request<Incoming>,
    peer: SocketAddr,
    port: u16,
) -> Response<Body> {
    let accept = match accept_key(request.headers()) {
        Ok(accept) => accept,
        Err(refusal) => return *refusal,
    };
    if request.uri().path_and_query().is_some_and(|target| target.as_str().len() > TARGET_LIMIT) {
        return refusal(StatusCode::URI_TOO_LONG, "URI Too Long");
    }
    let headers = request.headers();
    let text = |name: &str| header_text(headers, name).unwrap_or_default().to_owned();
    let source_ip = header_text(headers, "x-forwarded-for")
        .filter(|_| gateway.options.trust_forwarded)
        .and_then(|forwarded| forwarded.split(',').next())
        .map_or_else(|| peer.ip().to_canonical().to_string(), |first| first.trim().to_owned());
    let host = text("host");
    let domain_name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name).to_owned();
    let place = (gateway.api_id.clone(), gateway.stage.clone());
    let (connection, commands) = Connection::new(new_id(), source_ip, text("user-agent"), domain_name, place);
    let event = event::connect(&connection, &event::capitalised(headers), request.uri().query(), port);

    let protocol = match gateway.integrate("$connect", &event).await {
        None => None,
        Some(Err(_)) => return refusal(StatusCode::BAD_GATEWAY, "Internal server error"),
        Some(Ok(result)) => match status_of(&result).and_then(|status| StatusCode::from_u16(status).ok()) {
            Some(status) if status.is_success() => chosen_protocol(&result),
            // A redirect or an informational status makes no sense to a client that wants a socket, but it is passed on.
            Some(status) => return refusal(status, status.canonical_reason().unwrap_or("Refused")),
            None => return refusal(StatusCode::BAD_GATEWAY, "Internal server error"),
        },
    };

    let upgrade: OnUpgrade = hyper::upgrade::on(&mut request);
    // From here on frames may be sent to it; they wait until the client has its answer.
    gateway.connections.add(connection.clone());
    tokio::spawn(session::run(gateway.clone(), connection, commands, upgrade));
    switching(&accept, protocol)
}

fn accept_key(headers: &HeaderMap) -> Result<String, Box<Response<Body>>> {
    let has = |name: &str, word: &str| {
        header_text(headers, name).is_some_and(|text| text.split(',').any(|part| part.trim().eq_ignore_ascii_case(word)))
    };
    if !has("connection", "upgrade") || !has("upgrade", "websocket") {
        let mut answer = refusal(StatusCode::UPGRADE_REQUIRED, "Upgrade Required");
        answer.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        return Err(Box::new(answer));
    }
    match (headers.get("sec-websocket-key"), header_text(headers, "sec-websocket-version")) {
        (Some(key), Some("13")) => Ok(derive_accept_key(key.as_bytes())),
        _ => Err(Box::new(refusal(StatusCode::BAD_REQUEST, "Bad Request"))),
    }
}

/// `Sec-WebSocket-Protocol` among the `headers` that `$connect` returned.
fn chosen_protocol(result: &[u8]) -> Option<HeaderValue> {
    let answer: Value = serde_json::from_slice(result).ok()?;
    let headers = answer.get("headers")?.as_object()?;
    let (_, value) = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-protocol"))?;
    HeaderValue::from_str(value.as_str()?).ok()
}

fn switching(accept: &str, protocol: Option<HeaderValue>) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if let Some(protocol) = protocol {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    answer
}
