//! The HTTP API as a front end uses it. Every answer is held against `openapi.json`.

use std::{
    net::Ipv4Addr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use reqwest::{
    Method,
    header::{HeaderMap, HeaderValue},
};
use serde_json::Value;

use crate::{Stack, openapi::Openapi};

/// A caller of the API, with or without a token.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    openapi: Arc<Openapi>,
    /// Where functions write their log lines.
    logs: PathBuf,
    /// Where the owner of the database reads it.
    pub(crate) database_url: String,
    pub token: Option<String>,
    /// The address it seems to call from: everyone their own, so that limits by address do not meet.
    pub address: Ipv4Addr,
    pub headers: HeaderMap,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// JSON where the body is JSON, a string otherwise.
    pub body: Value,
}

impl Answer {
    /// The body of an answer with this status.
    ///
    /// # Panics
    /// With another status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// The problem's code.
    ///
    /// # Panics
    /// With another status.
    #[track_caller]
    pub fn problem(self, status: u16) -> String {
        self.expect(status)["code"].as_str().unwrap_or_default().to_owned()
    }

    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Api {
    pub(crate) fn new(stack: &Stack) -> Self {
        static CALLERS: AtomicU32 = AtomicU32::new(0);
        let number = CALLERS.fetch_add(1, Ordering::Relaxed);
        Self {
            http: stack.http.clone(),
            base: stack.addresses.api.clone(),
            openapi: Arc::clone(&stack.openapi),
            logs: stack.directory.join("logs"),
            database_url: stack.addresses.owner_database_url.clone(),
            token: None,
            address: Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 1).to_bits() + number),
            headers: HeaderMap::new(),
        }
    }

    /// The same caller with this token.
    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// The same caller sending this header too.
    ///
    /// # Panics
    /// When the value cannot be a header's.
    #[must_use]
    pub fn with_header(&self, name: &'static str, value: &str) -> Self {
        let mut api = self.clone();
        api.headers.insert(name, HeaderValue::from_str(value).expect("a header's value"));
        api
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let body = body.map(|body| ("application/json", body.to_string().into_bytes()));
        self.send(method, path, body).await
    }

    /// What the function wrote about a request that failed for a reason callers are not told.
    fn cause_of(&self, request_id: &str) -> Value {
        let files = std::fs::read_dir(&self.logs).into_iter().flatten().flatten();
        let texts = files.filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect::<Vec<_>>();
        let mut lines = texts.iter().flat_map(|text| text.lines()).filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let found = lines.find(|line| line["request_id"] == request_id && !line["cause"].is_null());
        found.map_or(Value::Null, |line| line["cause"].clone())
    }

    /// A call with a body of any kind.
    pub async fn send(&self, method: Method, path: &str, body: Option<(&str, Vec<u8>)>) -> Answer {
        self.send_typed(method, path, body.map(|(content_type, bytes)| (Some(content_type), bytes))).await
    }

    /// A call with a body that may come without a type.
    ///
    /// # Panics
    /// When nothing answers, or the answer is not what `openapi.json` says.
    pub async fn send_typed(&self, method: Method, path: &str, body: Option<(Option<&str>, Vec<u8>)>) -> Answer {
        let what = format!("{method} {path}");
        self.try_send(method, path, body).await.unwrap_or_else(|error| panic!("{what}: {error:?}"))
    }

    /// A call that the cloud may not live to answer.
    ///
    /// # Errors
    /// When nothing answers.
    ///
    /// # Panics
    /// When the answer is not what `openapi.json` says.
    pub async fn attempt(&self, method: Method, path: &str, body: Value) -> Result<Answer, reqwest::Error> {
        let body = (!body.is_null()).then(|| (Some("application/json"), body.to_string().into_bytes()));
        self.try_send(method, path, body).await
    }

    async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Option<(Option<&str>, Vec<u8>)>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base)).headers(self.headers.clone());
        request = request.header("x-forwarded-for", self.address.to_string());
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some((content_type, bytes)) = body {
            request = content_type.into_iter().fold(request.body(bytes), |request, it| request.header("content-type", it));
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let mut body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        if body["code"] == "internal" {
            body["cause"] = self.cause_of(body["request_id"].as_str().unwrap_or_default());
        }
        let answer = Answer { status, headers, body };
        self.openapi.check(method.as_str(), path, &answer);
        Ok(answer)
    }
}
