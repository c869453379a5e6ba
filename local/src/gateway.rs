//! What both kinds of API gateway have in common: identifiers, times, text of URLs and headers.

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use http::HeaderMap;
use jiff::{Timestamp, tz::TimeZone};
use ring::rand::{SecureRandom as _, SystemRandom};

/// A request or connection id: 15 base64url characters and `=`.
pub(crate) fn new_id() -> String {
    let mut bytes = [0_u8; 11];
    // Without randomness from the kernel nothing else on this machine works either.
    let _ = SystemRandom::new().fill(&mut bytes);
    URL_SAFE.encode(bytes)
}

/// A value for `x-amzn-trace-id`.
pub(crate) fn new_trace_id(at: Timestamp) -> String {
    let random = uuid::Uuid::new_v4().simple().to_string();
    format!("Root=1-{:08x}-{}", at.as_second(), &random[..24])
}

/// `10/Jul/2026:19:19:05 +0000`
pub(crate) fn log_time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
}

/// Replaces `%xx`; bytes that are not UTF-8 become the replacement character.
pub(crate) fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let value = match bytes[at] {
            b'%' => bytes.get(at + 1..at + 3).and_then(|digits| hex::decode(digits).ok()).map(|value| value[0]),
            _ => None,
        };
        decoded.push(value.unwrap_or(bytes[at]));
        at += if value.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The first header of that name as text.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_sixteen_characters() {
        let id = new_id();
        assert_eq!(id.len(), 16);
        assert!(id.ends_with('='));
    }

    #[test]
    fn percent_signs_that_are_no_escapes_stay() {
        assert_eq!(percent_decoded("/a%20b%2Fc%zz%4"), "/a b/c%zz%4");
        assert_eq!(percent_decoded("%+f"), "%+f");
    }
}
