//! CORS of buckets, as S3 answers it from `CorsConfiguration`.

use std::collections::HashMap;

use anyhow::Context as _;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::Deserialize;

use crate::template::BucketDefinition;

/// The rules of all buckets, by bucket name.
pub struct Rules(HashMap<String, Vec<Rule>>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    allowed_origins: Vec<String>,
    allowed_methods: Vec<String>,
    #[serde(default)]
    allowed_headers: Vec<String>,
    #[serde(default)]
    exposed_headers: Vec<String>,
    max_age: Option<u32>,
}

impl Rules {
    pub fn new(buckets: Vec<BucketDefinition>) -> anyhow::Result<Self> {
        let rules_of = |bucket: BucketDefinition| {
            let rules: Result<Vec<Rule>, _> = bucket.cors_rules.into_iter().map(serde_json::from_value).collect();
            let rules = rules.with_context(|| format!("CORS rules of {}", bucket.logical_id))?;
            Ok((bucket.name, rules))
        };
        Ok(Self(buckets.into_iter().map(rules_of).collect::<anyhow::Result<_>>()?))
    }

    /// The answer to a preflight request; `None` when no rule allows it.
    pub fn preflight(&self, bucket: &str, origin: &str, asked: &HeaderMap) -> Option<HeaderMap> {
        let method = asked.get(header::ACCESS_CONTROL_REQUEST_METHOD)?.to_str().ok()?;
        let asked_headers = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
        let names: Vec<&str> = asked_headers
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        let allows_headers =
            |rule: &&Rule| names.iter().all(|name| rule.allowed_headers.iter().any(|pattern| matches(pattern, name)));
        let rule = self.allowing(bucket, origin, method).find(allows_headers)?;
        let mut headers = rule.answer(origin);
        set(&mut headers, header::ACCESS_CONTROL_ALLOW_METHODS, &rule.allowed_methods.join(", "));
        if !names.is_empty() {
            set(&mut headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &names.join(", ").to_ascii_lowercase());
        }
        if let Some(max_age) = rule.max_age {
            set(&mut headers, header::ACCESS_CONTROL_MAX_AGE, &max_age.to_string());
        }
        Some(headers)
    }

    /// What to add to the answer of a request that is not a preflight.
    pub fn headers(&self, bucket: &str, origin: &str, method: &Method) -> HeaderMap {
        let rule = self.allowing(bucket, origin, method.as_str()).next();
        rule.map(|rule| rule.answer(origin)).unwrap_or_default()
    }

    fn allowing<'a>(&'a self, bucket: &str, origin: &'a str, method: &'a str) -> impl Iterator<Item = &'a Rule> {
        self.0.get(bucket).into_iter().flatten().filter(move |rule| {
            rule.allowed_origins.iter().any(|pattern| matches(pattern, origin))
                && rule.allowed_methods.iter().any(|allowed| allowed == method)
        })
    }
}

impl Rule {
    fn answer(&self, origin: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if self.allowed_origins.iter().any(|pattern| pattern == "*") {
            set(&mut headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        } else {
            set(&mut headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            set(&mut headers, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        }
        if !self.exposed_headers.is_empty() {
            set(&mut headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, &self.exposed_headers.join(", "));
        }
        set(&mut headers, header::VARY, "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
        headers
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Whether a text fits a pattern with at most one `*`; letter case does not matter.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.len() >= before.len() + after.len() && text.starts_with(before) && text.ends_with(after),
    }
}
