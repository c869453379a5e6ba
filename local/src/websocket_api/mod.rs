//! The WebSocket API of the template on its own port, with `@connections`.

mod connections;
mod event;
mod handshake;
mod management;
mod session;

use std::{collections::BTreeMap, convert::Infallible, net::SocketAddr, sync::Arc, time::Duration, time::Instant};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use serde_json::Value;
use tokio::net::TcpListener;

use self::connections::{Command, Connections};
use crate::{
    InvokeError,
    journal::{Invocation, Journal, SocketSnapshot},
    lambda::Runtime,
    loopback,
    template::WebSocketApiDefinition,
};

/// One frame from a client.
const FRAME_LIMIT: usize = 32 * 1024;
/// One message in either direction.
const MESSAGE_LIMIT: usize = 128 * 1024;

/// Choices of whoever starts the gateway.
#[derive(Clone, Debug)]
pub struct Options {
    /// A connection without messages is closed after this time.
    pub idle: Duration,
    /// Every connection is closed after this time.
    pub limit: Duration,
    /// A function that takes longer counts as failed.
    pub integration_timeout: Duration,
    /// Take `sourceIp` from the request's own `x-forwarded-for`, so that tests can play many clients.
    pub trust_forwarded: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            idle: Duration::from_mins(10),
            limit: Duration::from_hours(2),
            integration_timeout: Duration::from_secs(29),
            trust_forwarded: false,
        }
    }
}

/// The WebSocket API.
pub struct WebSocketGateway {
    api_id: String,
    stage: String,
    selector: String,
    routes: BTreeMap<String, String>,
    options: Options,
    runtime: Arc<Runtime>,
    journal: Arc<Journal>,
    connections: Connections,
}

impl WebSocketGateway {
    /// Without a definition every handshake is accepted and every message refused.
    #[must_use]
    pub fn new(definition: WebSocketApiDefinition, options: Options, runtime: Arc<Runtime>, journal: Arc<Journal>) -> Arc<Self> {
        Arc::new(Self {
            api_id: definition.api_id,
            stage: definition.stage,
            selector: definition.selector,
            routes: definition.routes,
            options,
            runtime,
            journal,
            connections: Connections::default(),
        })
    }

    /// The open connections.
    #[must_use]
    pub fn snapshot(&self) -> Vec<SocketSnapshot> {
        self.connections.snapshot()
    }

    /// Closes all connections with 1001, as when the service restarts.
    pub fn close_all(&self) {
        for connection in self.connections.all() {
            let _ = connection.tell(Command::Close(1001, "Going away"));
        }
    }

    /// Accepts connections until the task is dropped.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        let port = listener.local_addr().map_or(0, |address| address.port());
        loop {
            let Ok((stream, peer)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            let _ = stream.set_nodelay(true);
            let gateway = self.clone();
            tokio::spawn(async move {
                let service = service_fn(|request| {
                    let gateway = gateway.clone();
                    async move { Ok::<_, Infallible>(gateway.answer(request, peer, port).await) }
                });
                let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
                // Ends with an error when the client breaks off.
                let _ = connection.with_upgrades().await;
            });
        }
    }

    async fn answer(self: &Arc<Self>, request: Request<Incoming>, peer: SocketAddr, port: u16) -> Response<Body> {
        if let Some(id) = management::connection_id(request.uri().path()) {
            // Functions alone speak to connections; front ends open them.
            if let Some(refused) = loopback::refusal(request.headers(), request.uri(), port) {
                return refused;
            }
            return management::answer(self, &id, request).await.map(Body::new);
        }
        handshake::answer(self, request, peer, port).await
    }

    /// Calls the function of a route, if there is one.
    async fn integrate(&self, route_key: &str, event: &Value) -> Option<Result<Bytes, InvokeError>> {
        let function = self.routes.get(route_key)?;
        let at = Timestamp::now();
        let started = Instant::now();
        let call = self.runtime.invoke(function, event.to_string().into());
        let (request_id, result, cold) = match tokio::time::timeout(self.options.integration_timeout, call).await {
            Ok(invoked) => (invoked.request_id, invoked.result, invoked.cold),
            Err(_) => (String::new(), Err(InvokeError::TimedOut), false),
        };
        self.journal.record_invocation(Invocation {
            at,
            request_id,
            function: function.clone(),
            trigger: format!("websocket {route_key}"),
            status: result.as_ref().ok().and_then(|result| status_of(result)),
            error: result.as_ref().err().map(ToString::to_string),
            took: started.elapsed(),
            cold,
        });
        Some(result)
    }
}

/// `statusCode` of what a function returned; `None` when the shape is wrong.
fn status_of(result: &[u8]) -> Option<u16> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Shape {
        status_code: u16,
    }
    serde_json::from_slice::<Shape>(result).ok().map(|shape| shape.status_code)
}

fn refusal(status: StatusCode, message: &str) -> Response<Body> {
    let mut answer = Response::new(Body::from(format!(r#"{{"message":"{message}"}}"#)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
