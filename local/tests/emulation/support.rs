//! A local cloud for one test, with the probe function as every function.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use local::{
    cloud::{Cloud, Options, Ports},
    http_api, lambda,
    template::Binaries,
    websocket_api,
};
use serde_json::Value;

/// Longer than anything takes on a busy machine.
pub const LONG: Duration = Duration::from_secs(30);

/// A started cloud; call [`Stack::stop`] at the end so that no process stays.
pub struct Stack {
    pub cloud: Cloud,
    pub directory: PathBuf,
}

pub fn options() -> Options {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("local-emulation-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let test = std::env::current_exe().expect("a test has a path");
    let target = test.parent().and_then(|deps| deps.parent()).expect("tests are in target/<profile>/deps");
    Options {
        template: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/emulation/template.yaml"),
        ports: Ports::Ephemeral,
        directory: std::env::temp_dir().join(name),
        memory: true,
        binaries: Binaries(target.join("examples")),
        limits: lambda::Limits::default(),
        verbose: false,
        http: http_api::Options::default(),
        websocket: websocket_api::Options::default(),
        database: None,
        schedules: false,
        parameters: Vec::new(),
    }
}

impl Stack {
    pub async fn start() -> Self {
        Self::with(options()).await
    }

    pub async fn with(options: Options) -> Self {
        let directory = options.directory.clone();
        let cloud = Cloud::start(options, &|_| {}).await.expect("the cloud starts");
        Self { cloud, directory }
    }

    pub async fn stop(self) {
        self.cloud.stop().await;
        let _ = std::fs::remove_dir_all(&self.directory);
    }

    /// A GET with headers.
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
        let mut request = Request::get(format!("{}{path}", self.cloud.addresses.api));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send(request.body(Full::default()).expect("a valid request")).await
    }

    /// A GET whose function is told what to do.
    pub async fn order(&self, path: &str, order: &Value) -> Response<Bytes> {
        self.get(path, &[("x-do", &order.to_string())]).await
    }
}

pub async fn send(request: Request<Full<Bytes>>) -> Response<Bytes> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = tokio::time::timeout(LONG, client.request(request)).await.expect("an answer in time").expect("an answer");
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    Response::from_parts(parts, body)
}

pub fn json(answer: &Response<Bytes>) -> Value {
    serde_json::from_slice(answer.body()).unwrap_or_else(|_| panic!("not JSON: {:?}", answer.body()))
}

/// Waits until `condition` holds.
pub async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + LONG;
    while !condition() {
        assert!(std::time::Instant::now() < deadline, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether a process runs.
pub fn runs(pid: u64) -> bool {
    state(pid).is_some_and(|state| state != 'Z')
}

/// As in `ps`: `T` is stopped.
pub fn state(pid: u64) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}
