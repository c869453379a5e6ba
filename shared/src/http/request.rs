//! One HTTP request as the functions see it, free of the gateway's event format.

use std::collections::HashMap;

use bytes::Bytes;
use lambda_http::{RequestExt, request::RequestContext};

/// A request of API Gateway's payload 2.0, read once.
#[derive(Clone, Debug)]
pub struct Request {
    /// The gateway's id, also in the header `Apigw-Requestid`.
    pub id: String,
    pub method: String,
    /// Address of the caller as the gateway saw it.
    pub ip: String,
    /// Whether the path is under `/api/v1`, whose answers carry second names.
    pub(crate) is_versioned: bool,
    path_parameters: HashMap<String, String>,
    raw_query: String,
    headers: http::HeaderMap,
    body: Bytes,
}

impl Request {
    /// Reads the event that `lambda_http` has decoded.
    #[must_use]
    pub fn read(event: lambda_http::Request) -> Self {
        let path_parameters = event
            .path_parameters_ref()
            .map(|parameters| parameters.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
            .unwrap_or_default();
        let (id, ip) = match event.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => {
                (context.request_id.clone().unwrap_or_default(), context.http.source_ip.clone().unwrap_or_default())
            }
            _ => Default::default(),
        };
        // The gateway leaves the key of the mapping in the path.
        let is_versioned = event.raw_http_path().starts_with("/api/v1/");
        let (parts, body) = event.into_parts();
        let body = match body {
            lambda_http::Body::Text(text) => Bytes::from(text),
            lambda_http::Body::Binary(bytes) => Bytes::from(bytes),
            _ => Bytes::new(),
        };
        Self {
            id,
            method: parts.method.to_string(),
            ip,
            is_versioned,
            path_parameters,
            raw_query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body,
        }
    }

    /// A header's value, when it is plain text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether it was sent at all, readable or not.
    #[must_use]
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The query string as sent, still percent-encoded.
    #[must_use]
    pub fn raw_query(&self) -> &str {
        &self.raw_query
    }

    #[must_use]
    pub fn path_parameter(&self, name: &str) -> Option<&str> {
        self.path_parameters.get(name).map(String::as_str)
    }
}
