//! The shell around an HTTP route.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
    time::Duration,
};

use ::http::{HeaderName, HeaderValue, StatusCode, header};
use futures_util::FutureExt;
use lambda_http::{Body, Response, service_fn};

use super::{is_cold, panic_text, report, run};
#[cfg(debug_assertions)]
use crate::describe::Description;
use crate::{
    context::{Context, Origin, Process},
    describe,
    error::{Error, INTERNAL, Language},
    http::{
        Endpoint, Handler, Reply, Request, Route,
        names::{self, Plan},
    },
    log,
    needs::Uses,
};

/// Times the same request is done when nothing of it can have been committed.
const ATTEMPTS: usize = 3;

/// After this long it is not done again: the caller is to be answered before the function's time-out.
const PATIENCE: Duration = Duration::from_secs(8);

const SECURITY_HEADERS: [(HeaderName, &str); 5] = [
    (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// Serves one route: the whole of a route's `main`.
pub fn serve<Arguments, H: Handler<Arguments>>(route: &'static Route, handler: H) {
    serve_endpoint(route, handler.into_endpoint());
}

fn serve_endpoint(route: &'static Route, endpoint: Endpoint) {
    #[cfg(debug_assertions)]
    if describe::is_asked() {
        let mut description = Description::default();
        (endpoint.describe)(&mut description);
        println!("{}", description.of_route(route));
        return;
    }
    let name = describe::binary_name();
    let shell = Arc::new(Shell { route, endpoint, name, names: OnceLock::new() });
    run(route.uses, |process| {
        lambda_http::run(service_fn(move |event: lambda_http::Request| {
            let shell = Arc::clone(&shell);
            let process = Arc::clone(&process);
            async move { Ok::<_, std::convert::Infallible>(shell.answer(process, event).await) }
        }))
    });
}

struct Shell {
    route: &'static Route,
    endpoint: Endpoint,
    name: String,
    /// Where the answer has second names; found when first needed.
    names: OnceLock<Plan>,
}

impl Shell {
    async fn answer(&self, process: Arc<Process>, event: lambda_http::Request) -> Response<Body> {
        let cold = is_cold();
        let request = Arc::new(Request::read(event));
        let origin = Origin {
            request_id: request.id.clone(),
            function: self.name.clone(),
            ip: Some(request.ip.clone()),
            user_agent: request.header(header::USER_AGENT.as_str()).map(|agent| agent.chars().take(300).collect()),
            target: self.route.path_parameters().next().and_then(|name| request.path_parameter(name)).map(str::to_owned),
            language: Language::from_header(request.header(header::ACCEPT_LANGUAGE.as_str())),
            limit: self.route.limit,
        };
        let context = Context::new(process, origin);
        let work = AssertUnwindSafe(self.work(&request, &context)).catch_unwind();
        let outcome = work.await.unwrap_or_else(|payload| Err(INTERNAL.caused_by(panic_text(&*payload))));
        context.settle().await;
        let cause = outcome.as_ref().err().and_then(Error::cause).map(str::to_owned);
        let reply = match outcome {
            Ok(reply) => reply,
            Err(error) => failure(error, &context),
        };
        let reply = self.with_second_names(reply, &request);
        report::finished(&context, "http_request", reply.status.as_str(), cold, cause.as_deref());
        self.respond(reply, &context)
    }

    /// Does the work, again while it failed for a reason that may pass and nothing can have been committed.
    /// A refusal counts against the limit like a success; what is our failure or was answered before is told all the same.
    async fn work(&self, request: &Arc<Request>, context: &Context) -> Result<Reply, Error> {
        let mut attempt = 1;
        loop {
            match self.attempt(request, context).await {
                Err(Error(inner)) if attempt < ATTEMPTS && context.elapsed() < PATIENCE && inner.transient.is_some() => {
                    log::done_again(&self.name, inner.transient.unwrap_or_default(), inner.cause.as_deref());
                    attempt += 1;
                }
                Err(error) if error.problem().status >= 500 || error.0.replay.is_some() => return Err(error),
                Err(error) => {
                    context.check_limit().await?;
                    return Err(error);
                }
                Ok(reply) => {
                    context.check_limit().await?;
                    return Ok(reply);
                }
            }
        }
    }

    async fn attempt(&self, request: &Arc<Request>, context: &Context) -> Result<Reply, Error> {
        if self.route.uses != Uses::Nothing {
            context.configure().await?;
        }
        let outcome = (self.endpoint.call)(Arc::clone(request), self.route, context.clone()).await;
        outcome.map_err(|error| context.replay().unwrap_or(error))
    }

    /// Adds the names that front ends of other back ends know: under `/api/v1`, and to tokens under every path.
    fn with_second_names(&self, mut reply: Reply, request: &Request) -> Reply {
        let may_have_tokens = self.route.path.starts_with("/auth/");
        if !reply.status.is_success() || !(request.is_versioned || may_have_tokens) {
            return reply;
        }
        let plan = self.names.get_or_init(self.endpoint.names);
        let is_told = !plan.is_empty() && (request.is_versioned || plan.has("access_token"));
        if is_told && let Some(body) = names::tell(plan, &reply.body) {
            reply.body = body.into();
        }
        reply
    }

    fn respond(&self, reply: Reply, context: &Context) -> Response<Body> {
        let is_success = reply.status.is_success();
        let body = match String::from_utf8(reply.body.into()) {
            Ok(text) => Body::Text(text),
            Err(error) => Body::Binary(error.into_bytes()),
        };
        let mut response = Response::new(body);
        *response.status_mut() = reply.status;
        let headers = response.headers_mut();
        for (name, value) in SECURITY_HEADERS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.extend(reply.headers);
        let cursor = context.feed_cursor().filter(|_| is_success && self.route.is_read());
        if let Some(cursor) = cursor.and_then(|cursor| HeaderValue::try_from(cursor).ok()) {
            headers.insert("balcao-cursor", cursor);
        }
        response
    }
}

/// The answer of an error: the stored one when it replays, problem+json otherwise.
fn failure(error: Error, context: &Context) -> Reply {
    if let Some((status, body)) = error.0.replay {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        let mut reply = Reply::json(status, &body);
        if status == StatusCode::NO_CONTENT {
            reply = Reply { status, headers: Vec::new(), body: bytes::Bytes::new() };
        }
        reply.headers.push((HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true")));
        return reply;
    }
    let origin = context.origin();
    let status = StatusCode::from_u16(error.problem().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = Reply::json(status, &error.to_json(origin.language, &origin.request_id));
    reply.headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
    if let Some(seconds) = error.0.retry_after {
        reply.headers.push((header::RETRY_AFTER, HeaderValue::from(seconds)));
    }
    if status == StatusCode::UNAUTHORIZED {
        reply.headers.push((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
    }
    reply
}
