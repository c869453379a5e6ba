//! The HTTP APIs of the template behind one port, as API Gateway serves them.

mod answer;
mod cors;
mod event;
mod routes;
mod throttle;

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header, request::Parts};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{rt::TokioIo, rt::TokioTimer, service::TowerToHyperService};
use jiff::Timestamp;
use tokio::net::TcpListener;

use self::{
    answer::{gateway_error, internal_server_error},
    cors::Cors,
    event::Surroundings,
    routes::{Mappings, Matched, RouteTable},
    throttle::Throttle,
};
use crate::{
    InvokeError, console,
    gateway::{new_id, percent_decoded},
    journal::{Invocation, Journal},
    lambda::Runtime,
    loopback,
    template::HttpApiDefinition,
};

const BODY_LIMIT: usize = 10 * 1024 * 1024;
const EVENT_LIMIT: usize = 6 * 1024 * 1024;
/// Request line and headers together.
const HEADER_LIMIT: usize = 10_240;

/// Choices of whoever starts the gateway.
#[derive(Clone, Debug)]
pub struct Options {
    /// Take `sourceIp` from the request's own `x-forwarded-for`, so that tests can play many clients.
    pub trust_forwarded: bool,
    /// After this time the client gets 503 while the function runs on.
    pub integration_timeout: Duration,
    /// Apply the throttles of the template.
    pub throttle: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { trust_forwarded: false, integration_timeout: Duration::from_secs(30), throttle: true }
    }
}

struct Api {
    id: String,
    routes: RouteTable,
    cors: Option<Cors>,
    throttle: Option<Throttle>,
}

/// All HTTP APIs.
pub struct HttpGateway {
    apis: Vec<Api>,
    mappings: Mappings,
    options: Options,
    runtime: Arc<Runtime>,
    journal: Arc<Journal>,
    /// Answers under `/_local`.
    console: Option<TowerToHyperService<Router>>,
}

impl HttpGateway {
    /// `console` answers requests under `/_local`.
    #[must_use]
    pub fn new(
        definitions: &[HttpApiDefinition],
        options: Options,
        runtime: Arc<Runtime>,
        journal: Arc<Journal>,
        console: Option<Router>,
    ) -> Arc<Self> {
        let apis = definitions.iter().map(|definition| Api {
            id: definition.logical_id.to_lowercase(),
            routes: RouteTable::new(&definition.routes),
            cors: definition.cors.as_ref().map(Cors::new),
            throttle: definition.throttle.filter(|_| options.throttle).map(Throttle::new),
        });
        Arc::new(Self {
            apis: apis.collect(),
            mappings: Mappings::new(definitions),
            options,
            runtime,
            journal,
            console: console.map(TowerToHyperService::new),
        })
    }

    /// Accepts connections until the task is dropped.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        let port = listener.local_addr().map(|address| address.port().to_string()).unwrap_or_default();
        let port: Arc<str> = port.into();
        loop {
            let Ok((stream, peer)) = listener.accept().await else {
                // Out of file descriptors, most likely: others will be given back.
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            let _ = stream.set_nodelay(true);
            let gateway = self.clone();
            let port = port.clone();
            tokio::spawn(async move {
                let service = service_fn(|request| {
                    let gateway = gateway.clone();
                    let port = port.clone();
                    async move { Ok::<_, Infallible>(gateway.answer(request, peer, &port).await) }
                });
                let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
                // Ends with an error when the client breaks off.
                let _ = connection.with_upgrades().await;
            });
        }
    }

    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr, port: &str) -> Response<Body> {
        if let Some(console) = &self.console
            && let Some(target) = console_target(request.uri())
        {
            let port = port.parse().unwrap_or_default();
            let mut answer = match loopback::refusal(request.headers(), request.uri(), port) {
                Some(refused) => refused,
                None => console_answer(console, request, target).await,
            };
            console::protect(&mut answer);
            return answer;
        }
        let request_id = new_id();
        let mut answer = self.gateway_answer(request, peer, port, &request_id).await;
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            answer.headers_mut().insert("apigw-requestid", value);
        }
        answer
    }

    async fn gateway_answer(&self, request: Request<Incoming>, peer: SocketAddr, port: &str, request_id: &str) -> Response<Body> {
        let (parts, body) = request.into_parts();
        if head_size(&parts) > HEADER_LIMIT {
            return gateway_error(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large");
        }
        let path = percent_decoded(parts.uri.path());
        let Some((api, inner_path)) = self.mappings.find(&path) else {
            return gateway_error(StatusCode::NOT_FOUND, "Not Found");
        };
        let api = &self.apis[api];
        let matched = api.routes.find(&parts.method, inner_path);
        let Some(matched) = matched else {
            return match &api.cors {
                Some(cors) if parts.method == Method::OPTIONS => cors.preflight(&parts.headers),
                _ => gateway_error(StatusCode::NOT_FOUND, "Not Found"),
            };
        };
        if api.throttle.as_ref().is_some_and(|throttle| !throttle.admit(Instant::now())) {
            return gateway_error(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
        }
        let body = match Limited::new(body, BODY_LIMIT).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return too_large(),
            Err(_) => return gateway_error(StatusCode::BAD_REQUEST, "Bad Request"),
        };
        let around = Surroundings {
            api_id: &api.id,
            request_id,
            at: Timestamp::now(),
            peer: peer.ip().to_canonical().to_string(),
            trust_forwarded: self.options.trust_forwarded,
            path: &path,
            port,
        };
        let Ok(event) = event::event(&parts, &body, &matched, &around) else {
            return internal_server_error();
        };
        if event.len() > EVENT_LIMIT {
            return too_large();
        }
        let mut answer = self.integration(api, &matched, event, around.at).await;
        if let (Some(cors), Integration::Answered) = (&api.cors, answer.1) {
            cors.apply(&parts.headers, answer.0.headers_mut());
        }
        answer.0
    }

    async fn integration(
        &self,
        api: &Api,
        matched: &Matched<'_>,
        event: Vec<u8>,
        at: Timestamp,
    ) -> (Response<Body>, Integration) {
        let function = &matched.route.function;
        let started = Instant::now();
        let call = self.runtime.invoke(function, Bytes::from(event));
        let Ok(invoked) = tokio::time::timeout(self.options.integration_timeout, call).await else {
            self.record(matched, at, started.elapsed(), None, &Err(InvokeError::TimedOut), 503);
            return (gateway_error(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"), Integration::Failed);
        };
        let (answer, outcome) = match &invoked.result {
            Ok(result) => (answer::of_function(result, api.cors.is_some()), Integration::Answered),
            Err(_) => (internal_server_error(), Integration::Failed),
        };
        let call = Some((invoked.request_id.as_str(), invoked.cold));
        self.record(matched, at, invoked.took, call, &invoked.result, answer.status().as_u16());
        (answer, outcome)
    }

    fn record(
        &self,
        matched: &Matched,
        at: Timestamp,
        took: Duration,
        call: Option<(&str, bool)>,
        result: &Result<Bytes, InvokeError>,
        status: u16,
    ) {
        let (request_id, cold) = call.unwrap_or_default();
        self.journal.record_invocation(Invocation {
            at,
            request_id: request_id.to_owned(),
            function: matched.route.function.clone(),
            trigger: format!("http {}", matched.route.key),
            status: Some(status),
            error: result.as_ref().err().map(ToString::to_string),
            took,
            cold,
        });
    }
}

/// Whether the answer comes from a function; only those carry CORS headers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Integration {
    Answered,
    Failed,
}

fn too_large() -> Response<Body> {
    gateway_error(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
}

/// The target without `/_local`; `None` for requests that are not for the console.
fn console_target(uri: &Uri) -> Option<String> {
    let target = uri.path_and_query()?.as_str().strip_prefix("/_local")?;
    (target.is_empty() || target.starts_with('/')).then(|| target.to_owned())
}

async fn console_answer(console: &TowerToHyperService<Router>, mut request: Request<Incoming>, target: String) -> Response<Body> {
    if target.is_empty() {
        // The links of the page are relative to the folder.
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::PERMANENT_REDIRECT;
        let headers = answer.headers_mut();
        headers.insert(header::LOCATION, HeaderValue::from_static("/_local/"));
        return answer;
    }
    match target.parse() {
        Ok(target) => *request.uri_mut() = target,
        Err(_) => return gateway_error(StatusCode::BAD_REQUEST, "Bad Request"),
    }
    match console.call(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

fn head_size(parts: &Parts) -> usize {
    // Method, target, version and the two blanks; then `: ` and a line end for each header.
    let line = parts.method.as_str().len() + parts.uri.path_and_query().map_or(1, |target| target.as_str().len()) + 12;
    let headers = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    line + headers.sum::<usize>()
}
