//! Companies that a request names: in its query, in its headers, at the first level of its body. Who the request is by says which company
//! it is for; naming another one is refused, so that nothing is done in the wrong one by mistake.

use serde_json::Value;

use super::{
    Request, Route,
    names::{COMPANY, COMPANY_HEADERS},
};

/// The companies named, as they are written. A route by which one is chosen names it in its path, and may elsewhere.
pub(super) fn named(request: &Request, route: &Route, is_third_party: bool) -> Vec<String> {
    if route.path.starts_with("/auth/companies/") {
        return Vec::new();
    }
    let pairs = url::form_urlencoded::parse(request.raw_query().as_bytes());
    let in_query = pairs.filter(|(name, _)| COMPANY.contains(&name.as_ref())).map(|(_, value)| value.into_owned());
    let in_headers = COMPANY_HEADERS.iter().filter(|name| request.has_header(name));
    let in_headers = in_headers.map(|name| request.header(name).unwrap_or("unreadable").to_owned());
    // What third parties send says nothing of ours, and is read by its own route.
    let is_ours = !is_third_party && request.body().len() <= route.body_limit;
    let body = Some(request).filter(|_| is_ours).and_then(|request| request.json().ok());
    let in_body = COMPANY.iter().filter_map(|name| written(body?.get(name)?));
    let named = in_query.chain(in_headers).chain(in_body).map(|name| name.trim().to_owned());
    named.filter(|name| !name.is_empty()).collect()
}

/// What a body has in a company's place; null says nothing.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
