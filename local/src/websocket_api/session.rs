//! One open connection, from the 101 to `$disconnect`.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt as _, sync::mpsc, time::Instant};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use super::{
    FRAME_LIMIT, MESSAGE_LIMIT, WebSocketGateway,
    connections::{Command, Connection},
    event, status_of,
};

/// How long a client may take to answer our closing frame.
const FAREWELL: Duration = Duration::from_secs(2);

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// How a connection ended.
struct End {
    code: u16,
    reason: String,
}

impl End {
    fn new(code: u16, reason: &str) -> Self {
        Self { code, reason: reason.to_owned() }
    }
}

/// Runs the connection; sends `$disconnect` when it is over.
pub(super) async fn run(
    gateway: Arc<WebSocketGateway>,
    connection: Arc<Connection>,
    commands: mpsc::Receiver<Command>,
    upgrade: OnUpgrade,
) {
    let end = match upgrade.await {
        Ok(upgraded) => {
            let config = WebSocketConfig::default()
                .read_buffer_size(8 * 1024)
                .write_buffer_size(0)
                .max_frame_size(Some(FRAME_LIMIT))
                .max_message_size(Some(MESSAGE_LIMIT));
            let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
            talk(&gateway, &connection, commands, socket).await
        }
        Err(_) => End::new(1006, "Abnormal closure"),
    };
    gateway.connections.remove(&connection.id);
    gateway.integrate("$disconnect", &event::disconnect(&connection, end.code, &end.reason)).await;
}

async fn talk(
    gateway: &Arc<WebSocketGateway>,
    connection: &Arc<Connection>,
    mut commands: mpsc::Receiver<Command>,
    mut socket: Socket,
) -> End {
    let limit = Instant::now() + gateway.options.limit;
    let mut idle = Instant::now() + gateway.options.idle;
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    idle = Instant::now() + gateway.options.idle;
                    connection.touch();
                    connection.received.fetch_add(1, Ordering::Relaxed);
                    // Not awaited: messages of one connection are integrated concurrently.
                    tokio::spawn(integrate(gateway.clone(), connection.clone(), text.as_str().to_owned()));
                }
                Some(Ok(Message::Binary(_))) => return close(gateway, connection, socket, CloseCode::Unsupported, "Binary frames are not supported").await,
                Some(Ok(Message::Close(frame))) => {
                    // The answer to it is already on its way; this flushes it.
                    let _ = tokio::time::timeout(FAREWELL, socket.close(None)).await;
                    return closed_by_client(frame);
                }
                // Control frames: tungstenite answers pings by itself.
                Some(Ok(_)) => {}
                Some(Err(Error::Capacity(_))) => return close(gateway, connection, socket, CloseCode::Size, "Message too large").await,
                Some(Err(Error::Utf8(_))) => return close(gateway, connection, socket, CloseCode::Invalid, "Text is not UTF-8").await,
                Some(Err(Error::Protocol(error))) if !is_reset(&error) => return close(gateway, connection, socket, CloseCode::Protocol, "Protocol error").await,
                Some(Err(_)) | None => return End::new(1006, "Abnormal closure"),
            },
            command = commands.recv() => match command {
                Some(Command::Send(text)) => {
                    idle = Instant::now() + gateway.options.idle;
                    connection.touch();
                    connection.sent.fetch_add(1, Ordering::Relaxed);
                    if socket.send(Message::text(text)).await.is_err() {
                        return End::new(1006, "Abnormal closure");
                    }
                }
                Some(Command::Close(code, reason)) => return close(gateway, connection, socket, CloseCode::from(code), reason).await,
                None => return close(gateway, connection, socket, CloseCode::Away, "Going away").await,
            },
            () = tokio::time::sleep_until(idle) => return close(gateway, connection, socket, CloseCode::Away, "Idle connection timeout").await,
            () = tokio::time::sleep_until(limit) => return close(gateway, connection, socket, CloseCode::Away, "Connection duration limit").await,
        }
    }
}

fn is_reset(error: &tokio_tungstenite::tungstenite::error::ProtocolError) -> bool {
    matches!(error, tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)
}

fn closed_by_client(frame: Option<CloseFrame>) -> End {
    let Some(frame) = frame else {
        return End::new(1005, "Client-side close frame status not set");
    };
    let code = u16::from(frame.code);
    match (code, frame.reason.as_str()) {
        (1000, "") => End::new(code, "Connection Closed Normally"),
        (1001, "") => End::new(code, "Going away"),
        (_, reason) => End::new(code, reason),
    }
}

/// Sends the closing frame and reads on for a while: closing a socket with unread data would reset it, and the
/// client would never see why.
async fn close(
    gateway: &WebSocketGateway,
    connection: &Connection,
    mut socket: Socket,
    code: CloseCode,
    reason: &'static str,
) -> End {
    gateway.connections.remove(&connection.id);
    // A client in the middle of a message goes on sending it: its bytes are no frames to us.
    let in_a_message = code == CloseCode::Size;
    let frame = CloseFrame { code, reason: reason.into() };
    let farewell = async {
        if socket.close(Some(frame)).await.is_ok() {
            let mut rest = [0_u8; 4096];
            while matches!(socket.get_mut().read(&mut rest).await, Ok(read) if read > 0) {
                // A client that only answers with its closing frame waits for us to hang up.
                if !in_a_message && read_is_close(&rest) {
                    break;
                }
            }
        }
    };
    let _ = tokio::time::timeout(FAREWELL, farewell).await;
    let reason = if u16::from(code) == 1000 { "Connection Closed Normally" } else { reason };
    End::new(code.into(), reason)
}

/// Whether these bytes begin with a masked closing frame.
fn read_is_close(bytes: &[u8]) -> bool {
    bytes[0] == 0x88 && bytes[1] & 0x80 != 0
}

/// One message from the client: its route's function is called, and failures are told to the client.
async fn integrate(gateway: Arc<WebSocketGateway>, connection: Arc<Connection>, text: String) {
    let route_key = route_key(&gateway, &text);
    let (event, _) = event::message(&connection, &route_key, &text);
    let message = match gateway.integrate(&route_key, &event).await {
        Some(Ok(result)) if status_of(&result).is_some_and(|status| status < 400) => return,
        Some(_) => "Internal server error",
        None => "Forbidden",
    };
    let request_id = &event["requestContext"]["requestId"];
    let frame = json!({"message": message, "connectionId": connection.id, "requestId": request_id});
    let _ = connection.tell(Command::Send(frame.to_string()));
}

/// The route named by the message, or `$default`.
fn route_key(gateway: &WebSocketGateway, text: &str) -> String {
    let body: Option<Value> = serde_json::from_str(text).ok();
    let named = body.as_ref().and_then(|body| body.get(&gateway.selector)).and_then(Value::as_str);
    match named {
        Some(key) if !key.starts_with('$') && gateway.routes.contains_key(key) => key.to_owned(),
        _ => "$default".to_owned(),
    }
}
