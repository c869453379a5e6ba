//! One function process with a Runtime API of our own: spawn to answer, without the gateway.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    path::Path,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use tests::Stack;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::{Mutex, mpsc},
    task::JoinHandle,
};
use uuid::Uuid;

/// How the local cloud starts a function.
#[derive(Clone, Debug, Deserialize)]
pub struct Launch {
    pub binary: std::path::PathBuf,
    pub environment: BTreeMap<String, String>,
}

/// How all functions are started, by binary.
pub async fn launches(stack: &Stack) -> Result<BTreeMap<String, Launch>> {
    let launches: BTreeMap<String, Launch> = serde_json::from_value(stack.control("GET", "/functions", None).await)?;
    let name = |launch: &Launch| launch.binary.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(launches.into_values().filter_map(|launch| Some((name(&launch)?, launch))).collect())
}

/// A running process.
pub struct Function {
    child: Child,
    events: mpsc::UnboundedSender<Bytes>,
    answers: mpsc::UnboundedReceiver<(Instant, Bytes)>,
    server: JoinHandle<()>,
}

struct Api {
    events: Mutex<mpsc::UnboundedReceiver<Bytes>>,
    answers: mpsc::UnboundedSender<(Instant, Bytes)>,
    /// Answered to who reads the settings parameter here and not from the local cloud.
    settings: Option<Value>,
}

impl Function {
    /// Starts the process. With `settings`, it reads these and not those of the local cloud.
    pub async fn start(binary: &Path, environment: &BTreeMap<String, String>, settings: Option<Value>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (events, queued) = mpsc::unbounded_channel();
        let (answered, answers) = mpsc::unbounded_channel();
        let mut environment = environment.clone();
        environment.insert("AWS_LAMBDA_RUNTIME_API".to_owned(), address.to_string());
        if settings.is_some() {
            environment.insert("AWS_ENDPOINT_URL_SSM".to_owned(), format!("http://{address}"));
        }
        let server = tokio::spawn(serve(listener, Arc::new(Api { events: Mutex::new(queued), answers: answered, settings })));
        let child = Command::new(binary)
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} does not start", binary.display()))?;
        Ok(Self { child, events, answers, server })
    }

    /// Hands over an event; when its answer came and what it is.
    pub async fn call(&mut self, event: &Value) -> Result<(Instant, Value)> {
        self.events.send(event.to_string().into())?;
        let answer = tokio::time::timeout(Duration::from_secs(20), self.answers.recv()).await;
        let (at, body) = answer.context("no answer within 20 seconds")?.context("the process is gone")?;
        Ok((at, serde_json::from_slice(&body).unwrap_or_default()))
    }

    /// Resident memory in megabytes.
    pub fn memory(&self) -> f64 {
        let status = self.child.id().and_then(|id| std::fs::read_to_string(format!("/proc/{id}/status")).ok());
        let kilobytes = status.as_deref().and_then(|status| {
            let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        });
        (kilobytes.unwrap_or_default() / 102.4).round() / 10.0
    }

    pub async fn stop(mut self) {
        let _ = self.child.kill().await;
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, api: Arc<Api>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let api = Arc::clone(&api);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let api = Arc::clone(&api);
                async move { Ok::<_, Infallible>(api.answer(request).await) }
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

impl Api {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        match (request.method(), path.rsplit('/').next().unwrap_or_default()) {
            (&Method::GET, "next") if path.contains("invocation") => self.next().await,
            (&Method::GET, "next") => std::future::pending().await,
            (&Method::POST, "register") => {
                let mut answer = Response::new(Full::from(r#"{"functionName":"bench","functionVersion":"1","handler":"x"}"#));
                answer.headers_mut().insert("lambda-extension-identifier", http::HeaderValue::from_static("bench"));
                answer
            }
            (&Method::POST, "response" | "error") => {
                let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
                let _ = self.answers.send((Instant::now(), body));
                let mut answer = Response::new(Full::from(r#"{"status":"OK"}"#));
                *answer.status_mut() = http::StatusCode::ACCEPTED;
                answer
            }
            _ => {
                let value = self.settings.as_ref().map(ToString::to_string);
                let parameter = json!({"Parameter": {"Name": "settings", "Type": "SecureString", "Value": value, "Version": 1}});
                Response::new(Full::from(parameter.to_string()))
            }
        }
    }

    async fn next(&self) -> Response<Full<Bytes>> {
        let event = self.events.lock().await.recv().await.unwrap_or_default();
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + Duration::from_secs(15);
        Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", Uuid::new_v4().to_string())
            .header("lambda-runtime-deadline-ms", deadline.as_millis().to_string())
            .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:sa-east-1:000000000000:function:bench")
            .header("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0")
            .body(Full::new(event))
            .unwrap_or_default()
    }
}

/// An event as API Gateway writes it (payload 2.0). `id` is the path's parameter.
pub fn http_event(method: &str, path: &str, query: &str, headers: Value, body: Option<&str>) -> Value {
    let pairs: BTreeMap<String, String> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let id = path.split('/').find(|part| part.parse::<Uuid>().is_ok());
    let route = id.map_or_else(|| path.to_owned(), |id| path.replace(id, "{id}"));
    let mut event = json!({
        "version": "2.0",
        "routeKey": format!("{method} {route}"),
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "bench",
            "domainName": "127.0.0.1",
            "domainPrefix": "bench",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "bench"},
            "requestId": Uuid::new_v4().to_string(),
            "routeKey": format!("{method} {route}"),
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1_767_225_600_000_i64,
        },
        "isBase64Encoded": false,
    });
    if let Some(id) = id {
        event["pathParameters"] = json!({"id": id});
    }
    if !pairs.is_empty() {
        event["queryStringParameters"] = json!(pairs);
    }
    if let Some(body) = body {
        event["body"] = json!(body);
    }
    event
}

/// The answer's status; an error when it is none of success.
pub fn expect_success(name: &str, answer: &Value) -> Result<()> {
    let status = answer["statusCode"].as_u64().unwrap_or_default();
    ensure!((200..300).contains(&status), "{name} answered {answer}");
    Ok(())
}
