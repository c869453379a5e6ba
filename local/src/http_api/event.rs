//! The event a function gets for an HTTP request: payload format 2.0.

use std::{borrow::Cow, fmt::Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, header, request::Parts};
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::routes::Matched;
use crate::gateway::{header as header_text, log_time, new_trace_id};

/// Headers between two hops of HTTP; they end at the gateway.
const HOP_BY_HOP: [&str; 7] = ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];

/// What the gateway knows besides the request itself.
pub(super) struct Surroundings<'a> {
    pub api_id: &'a str,
    pub request_id: &'a str,
    pub at: Timestamp,
    /// Address of the peer.
    pub peer: String,
    /// Take the first address of the request's own `x-forwarded-for` as the client's.
    pub trust_forwarded: bool,
    /// Decoded, with the mapping key.
    pub path: &'a str,
    pub port: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'static str,
    route_key: &'a str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<&'a str>,
    headers: Pairs<'a>,
    #[serde(skip_serializing_if = "Pairs::is_empty")]
    query_string_parameters: Pairs<'a>,
    #[serde(skip_serializing_if = "Pairs::is_empty")]
    path_parameters: Pairs<'a>,
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Cow<'a, str>>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    account_id: &'static str,
    api_id: &'a str,
    domain_name: &'a str,
    domain_prefix: &'a str,
    http: Http<'a>,
    request_id: &'a str,
    route_key: &'a str,
    stage: &'static str,
    time: String,
    time_epoch: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: &'static str,
    source_ip: &'a str,
    user_agent: &'a str,
}

/// A JSON object in the order of arrival.
#[derive(Default)]
struct Pairs<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl Pairs<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The event as JSON.
pub(super) fn event(request: &Parts, body: &Bytes, matched: &Matched, around: &Surroundings) -> serde_json::Result<Vec<u8>> {
    let own_forwarded = header_text(&request.headers, "x-forwarded-for");
    let (source_ip, forwarded) = match own_forwarded {
        Some(own) if around.trust_forwarded => (own.split(',').next().unwrap_or(own).trim(), own.to_owned()),
        Some(own) => (around.peer.as_str(), format!("{own}, {}", around.peer)),
        None => (around.peer.as_str(), around.peer.clone()),
    };
    let host = header_text(&request.headers, "host").unwrap_or_default();
    let domain_name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_base64_encoded = !body.is_empty() && !is_text(&request.headers);
    let raw_query_string = request.uri.query().unwrap_or_default();
    let event = Event {
        version: "2.0",
        route_key: &matched.route.key,
        raw_path: around.path,
        raw_query_string,
        cookies: cookies(&request.headers),
        headers: headers(&request.headers, forwarded, body.len(), around),
        query_string_parameters: query_parameters(raw_query_string),
        path_parameters: Pairs(
            matched.parameters.iter().map(|(name, value)| (Cow::Borrowed(*name), Cow::Borrowed(value.as_str()))).collect(),
        ),
        request_context: RequestContext {
            account_id: "123456789012",
            api_id: around.api_id,
            domain_name,
            domain_prefix: domain_name.split('.').next().unwrap_or_default(),
            http: Http {
                method: request.method.as_str(),
                path: around.path,
                protocol: "HTTP/1.1",
                source_ip,
                user_agent: header_text(&request.headers, "user-agent").unwrap_or_default(),
            },
            request_id: around.request_id,
            route_key: &matched.route.key,
            stage: "$default",
            time: log_time(around.at),
            time_epoch: around.at.as_millisecond(),
        },
        body: match body.len() {
            0 => None,
            _ if is_base64_encoded => Some(STANDARD.encode(body).into()),
            _ => Some(String::from_utf8_lossy(body)),
        },
        is_base64_encoded,
    };
    let mut json = Vec::with_capacity(1024 + body.len());
    serde_json::to_writer(&mut json, &event)?;
    Ok(json)
}

/// The media types that API Gateway passes on as text.
fn is_text(headers: &HeaderMap) -> bool {
    let content_type = header_text(headers, "content-type").unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media_type.starts_with("text/")
        || matches!(media_type.as_str(), "application/json" | "application/xml" | "application/javascript")
}

fn cookies(headers: &HeaderMap) -> Vec<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).map(str::trim).filter(|cookie| !cookie.is_empty()).collect()
}

fn headers<'a>(request: &'a HeaderMap, forwarded: String, length: usize, around: &Surroundings<'a>) -> Pairs<'a> {
    let mut pairs: Vec<(Cow<str>, Cow<str>)> = Vec::with_capacity(request.len() + 5);
    for name in request.keys() {
        let name = name.as_str();
        let replaced = matches!(name, "cookie" | "content-length" | "x-forwarded-for" | "x-forwarded-port" | "x-forwarded-proto");
        if replaced || HOP_BY_HOP.contains(&name) {
            continue;
        }
        let mut values = request.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        let mut joined = values.next().unwrap_or_default();
        for value in values {
            let _ = write!(joined.to_mut(), ",{value}");
        }
        pairs.push((Cow::Borrowed(name), joined));
    }
    pairs.push(("content-length".into(), length.to_string().into()));
    if !request.contains_key("x-amzn-trace-id") {
        pairs.push(("x-amzn-trace-id".into(), new_trace_id(around.at).into()));
    }
    pairs.push(("x-forwarded-for".into(), forwarded.into()));
    pairs.push(("x-forwarded-port".into(), around.port.into()));
    pairs.push(("x-forwarded-proto".into(), "http".into()));
    Pairs(pairs)
}

/// Decoded; the values of a repeated key are joined by a comma.
fn query_parameters(query: &str) -> Pairs<'_> {
    let mut pairs: Vec<(Cow<str>, Cow<str>)> = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match pairs.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => {
                let _ = write!(values.to_mut(), ",{value}");
            }
            None => pairs.push((name, value)),
        }
    }
    Pairs(pairs)
}
