//! Cross-origin rules: the gateway answers preflight requests and adds the headers to functions' answers.

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use crate::template::CorsDefinition;

/// The rules of one API as headers.
pub(super) struct Cors {
    origins: Vec<String>,
    any_origin: bool,
    actual: Vec<(HeaderName, HeaderValue)>,
    preflight: Vec<(HeaderName, HeaderValue)>,
}

impl Cors {
    pub fn new(definition: &CorsDefinition) -> Self {
        let mut actual = Vec::new();
        let mut preflight = Vec::new();
        let list = |values: &[String]| HeaderValue::from_str(&values.join(",")).ok().filter(|value| !value.is_empty());
        if definition.allow_credentials {
            actual.push((header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true")));
        }
        actual.extend(list(&definition.expose_headers).map(|value| (header::ACCESS_CONTROL_EXPOSE_HEADERS, value)));
        preflight.extend(list(&definition.allow_methods).map(|value| (header::ACCESS_CONTROL_ALLOW_METHODS, value)));
        preflight.extend(list(&definition.allow_headers).map(|value| (header::ACCESS_CONTROL_ALLOW_HEADERS, value)));
        preflight.extend(definition.max_age.map(|seconds| (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(seconds))));
        Self {
            any_origin: definition.allow_origins.iter().any(|origin| origin == "*"),
            origins: definition.allow_origins.clone(),
            actual,
            preflight,
        }
    }

    /// The answer to `OPTIONS`, for which no function is called.
    pub fn preflight(&self, request: &HeaderMap) -> Response<Body> {
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        if self.apply(request, answer.headers_mut()) {
            for (name, value) in &self.preflight {
                answer.headers_mut().insert(name, value.clone());
            }
        }
        answer
    }

    /// Adds the headers when the origin may see the answer.
    pub fn apply(&self, request: &HeaderMap, answer: &mut HeaderMap) -> bool {
        let Some(origin) = request.get(header::ORIGIN) else {
            return false;
        };
        let value = if self.any_origin {
            HeaderValue::from_static("*")
        } else if self.origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()) {
            origin.clone()
        } else {
            return false;
        };
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
        for (name, value) in &self.actual {
            answer.insert(name, value.clone());
        }
        true
    }
}
