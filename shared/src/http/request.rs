//! One HTTP request as the functions see it, free of the gateway's event format.

use std::{collections::HashMap, sync::OnceLock};

use bytes::Bytes;
use http::header;
use lambda_http::{RequestExt, request::RequestContext};
use serde_json::{Value, json};

use super::media_type;
use crate::error::{Error, MALFORMED, UNSUPPORTED_MEDIA_TYPE};

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
    /// The body, read when it is first asked for.
    json: OnceLock<Result<Value, Error>>,
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
            json: OnceLock::new(),
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

    /// The body as JSON. A command sent without body and type has no fields.
    ///
    /// # Errors
    /// 415 for another type, 400 for what is no JSON.
    pub(super) fn json(&self) -> Result<&Value, Error> {
        self.json.get_or_init(|| self.read_json()).as_ref().map_err(Clone::clone)
    }

    fn read_json(&self) -> Result<Value, Error> {
        if self.body.is_empty() && !self.has_header(header::CONTENT_TYPE.as_str()) {
            return Ok(json!({}));
        }
        if !self.header(header::CONTENT_TYPE.as_str()).is_some_and(media_type::is_json) {
            return Err(UNSUPPORTED_MEDIA_TYPE.into());
        }
        serde_json::from_slice(&self.body).map_err(|error| MALFORMED.caused_by(error))
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
