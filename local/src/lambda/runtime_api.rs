//! The Runtime API and the part of the Extensions API that `lambda_runtime` uses, over HTTP.
//!
//! Every process has its own base path, `/p/<process>`, so that one port serves all of them.

use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpListener;
use uuid::Uuid;

use super::{
    Runtime,
    pool::{Delivery, Next, ProcessId},
};
use crate::{InvokeError, loopback};

/// What the service lets a function answer with.
const RESPONSE_LIMIT: usize = 6 * 1024 * 1024 + 100;

type Answer = Response<Full<Bytes>>;

/// Answers processes until the task is dropped.
pub(super) async fn serve(listener: TcpListener, runtime: Arc<Runtime>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let runtime = runtime.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let runtime = runtime.clone();
                async move { Ok::<_, Infallible>(answer(&runtime, request).await) }
            });
            // Ends with an error when the process dies while it waits.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(runtime: &Arc<Runtime>, request: Request<Incoming>) -> Answer {
    if loopback::refusal(request.headers(), request.uri(), runtime.address.port()).is_some() {
        return failure(StatusCode::FORBIDDEN, "only functions may ask");
    }
    let path = request.uri().path().to_owned();
    let Some((process, call)) = split(&path) else {
        return failure(StatusCode::NOT_FOUND, "no such process");
    };
    let parts: Vec<&str> = call.split('/').collect();
    match (request.method(), parts.as_slice()) {
        (&Method::GET, ["2018-06-01", "runtime", "invocation", "next"]) => next(runtime, process).await,
        (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "response"]) => response(runtime, process, id, request).await,
        (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "error"]) => error(runtime, process, id, request).await,
        (&Method::POST, ["2018-06-01", "runtime", "init", "error"]) => init_error(runtime, process, request).await,
        (&Method::POST, ["2020-01-01", "extension", "register"]) => {
            let mut answer =
                json(StatusCode::OK, r#"{"functionName":"local","functionVersion":"$LATEST","handler":"bootstrap"}"#);
            if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
                answer.headers_mut().insert("lambda-extension-identifier", id);
            }
            answer
        }
        // The extension registers for no events: it only waits.
        (&Method::GET, ["2020-01-01", "extension", "event", "next"]) => std::future::pending().await,
        _ => failure(StatusCode::NOT_FOUND, "no such call"),
    }
}

fn split(path: &str) -> Option<(ProcessId, &str)> {
    let (process, call) = path.strip_prefix("/p/")?.split_once('/')?;
    Some((process.parse().ok()?, call))
}

async fn next(runtime: &Arc<Runtime>, process: ProcessId) -> Answer {
    let (next, starts) = runtime.pool().next(process);
    runtime.start_processes(starts);
    let delivery = match next {
        Next::Event(delivery) => Some(delivery),
        Next::Wait(receiver) => receiver.await.ok(),
        Next::Gone => None,
    };
    match delivery {
        Some(delivery) => event(runtime, delivery),
        // It is being ended. As at AWS it is told so by a signal only: `lambda_runtime` takes any answer for an event, and panics.
        None => std::future::pending().await,
    }
}

fn event(runtime: &Runtime, delivery: Delivery) -> Answer {
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + delivery.timeout;
    let trace = Uuid::new_v4().simple().to_string();
    let answer = Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", delivery.request_id)
        .header("lambda-runtime-deadline-ms", deadline.as_millis().to_string())
        .header("lambda-runtime-invoked-function-arn", &runtime.functions[delivery.function].arn)
        .header("lambda-runtime-trace-id", format!("Root=1-{}-{};Parent={};Sampled=0", &trace[..8], &trace[8..], &trace[16..]))
        .body(Full::new(delivery.payload));
    answer.unwrap_or_else(|_| failure(StatusCode::INTERNAL_SERVER_ERROR, "the event has no valid headers"))
}

async fn response(runtime: &Runtime, process: ProcessId, id: &str, request: Request<Incoming>) -> Answer {
    if !runtime.pool().works_on(process, id) {
        return failure(StatusCode::BAD_REQUEST, "the process does not work on this request");
    }
    match Limited::new(request.into_body(), RESPONSE_LIMIT).collect().await {
        Ok(body) => {
            runtime.pool().finish(process, id, Ok(body.to_bytes()));
            json(StatusCode::ACCEPTED, r#"{"status":"OK"}"#)
        }
        Err(error) if error.is::<LengthLimitError>() => {
            let error_type = "Function.ResponseSizeTooLarge".to_owned();
            let message = format!("Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes).");
            runtime.pool().finish(process, id, Err(InvokeError::Failed { error_type, message }));
            failure(StatusCode::PAYLOAD_TOO_LARGE, "the response is too large")
        }
        // The process broke off; its end is noticed by its owner.
        Err(_) => failure(StatusCode::BAD_REQUEST, "the response is not complete"),
    }
}

async fn error(runtime: &Runtime, process: ProcessId, id: &str, request: Request<Incoming>) -> Answer {
    let error = function_error(request).await;
    if runtime.pool().finish(process, id, Err(error)) {
        json(StatusCode::ACCEPTED, r#"{"status":"OK"}"#)
    } else {
        failure(StatusCode::BAD_REQUEST, "the process does not work on this request")
    }
}

async fn init_error(runtime: &Runtime, process: ProcessId, request: Request<Incoming>) -> Answer {
    let error = function_error(request).await;
    runtime.pool().init_failed(process, error);
    json(StatusCode::ACCEPTED, r#"{"status":"OK"}"#)
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ErrorBody {
    error_type: String,
    error_message: String,
}

async fn function_error(request: Request<Incoming>) -> InvokeError {
    let header =
        request.headers().get("lambda-runtime-function-error-type").and_then(|value| value.to_str().ok().map(str::to_owned));
    let body = Limited::new(request.into_body(), RESPONSE_LIMIT)
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let body: ErrorBody = serde_json::from_slice(&body).unwrap_or_default();
    let error_type = if body.error_type.is_empty() { header.unwrap_or_default() } else { body.error_type };
    InvokeError::Failed { error_type, message: body.error_message }
}

fn failure(status: StatusCode, message: &str) -> Answer {
    json(status, &format!(r#"{{"errorMessage":"{message}","errorType":"Runtime.LocalError"}}"#))
}

fn json(status: StatusCode, body: &str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    *answer.status_mut() = status;
    answer.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    answer
}
