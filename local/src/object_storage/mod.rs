//! S3, embedded: the buckets of the template as folders.

mod cors;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Context as _;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{DefaultBodyLimit, Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

use self::cors::Rules;
use crate::{
    service::{Callers, Service},
    template::BucketDefinition,
};

/// The one pair of keys the local S3 knows.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub access_key: String,
    pub secret_key: String,
}

/// The running server. Dropping it stops the server.
pub struct Handle {
    paused: Arc<AtomicBool>,
    _service: Service,
}

struct Server {
    service: S3Service,
    rules: Rules,
    paused: Arc<AtomicBool>,
}

/// Serves the buckets on `listener`, addressed by path. Objects are files under `directory`;
/// missing buckets are created.
///
/// # Errors
/// When the folders cannot be made.
pub fn serve(
    listener: TcpListener,
    buckets: Vec<BucketDefinition>,
    directory: PathBuf,
    credentials: Credentials,
) -> anyhow::Result<Handle> {
    for bucket in &buckets {
        let folder = directory.join(&bucket.name);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    std::fs::create_dir_all(&directory)?;
    let files = FileSystem::new(directory).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(credentials.access_key, credentials.secret_key));
    let paused = Arc::new(AtomicBool::new(false));
    let server = Server { service: builder.build(), rules: Rules::new(buckets)?, paused: Arc::clone(&paused) };
    let router = Router::new().fallback(handle).layer(DefaultBodyLimit::disable()).with_state(Arc::new(server));
    let service = Service::start(listener, Callers::FrontEnds, router)?;
    Ok(Handle { paused, _service: service })
}

impl Handle {
    /// Answers everything with 503, until `resume`.
    pub fn pause(&self) {
        self.paused.store(true, Ordering::Relaxed);
    }

    /// Serves again.
    pub fn resume(&self) {
        self.paused.store(false, Ordering::Relaxed);
    }
}

async fn handle(State(server): State<Arc<Server>>, request: Request) -> Response {
    if server.paused.load(Ordering::Relaxed) {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "Please reduce your request rate.");
    }
    let bucket = request.uri().path().trim_start_matches('/').split('/').next().unwrap_or_default().to_owned();
    let origin = request.headers().get(header::ORIGIN).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let Some(origin) = origin else { return forward(&server, request).await };
    if request.method() == Method::OPTIONS {
        return match server.rules.preflight(&bucket, &origin, request.headers()) {
            Some(headers) => headers.into_response(),
            None => refuse(StatusCode::FORBIDDEN, "AccessForbidden", "CORSResponse: This CORS request is not allowed."),
        };
    }
    let headers = server.rules.headers(&bucket, &origin, request.method());
    let mut response = forward(&server, request).await;
    response.headers_mut().extend(headers);
    response
}

async fn forward(server: &Server, request: Request) -> Response {
    let is_form = request.method() == Method::POST;
    let request = request.map(s3s::Body::http_body_unsync);
    match server.service.call(request).await {
        Ok(response) if is_form && response.status() == StatusCode::BAD_REQUEST => {
            refuse_by_policy(response.map(Body::new)).await
        }
        Ok(response) => response.map(Body::new),
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", &format!("{error:?}")),
    }
}

/// S3 answers a form that its policy does not allow with 403; s3s with 400.
async fn refuse_by_policy(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else { return parts.into_response() };
    let text = String::from_utf8_lossy(&body);
    if !text.contains("<Code>InvalidPolicyDocument</Code>") {
        return (parts, body).into_response();
    }
    parts.status = StatusCode::FORBIDDEN;
    parts.headers.remove(header::CONTENT_LENGTH);
    let text = text
        .replace("<Code>InvalidPolicyDocument</Code>", "<Code>AccessDenied</Code>")
        .replace("<Message>", "<Message>Invalid according to Policy: ");
    (parts, text).into_response()
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    let body =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}
