//! The one type of body that routes take.

/// Whether a `Content-Type` says JSON in UTF-8: exactly `application/json`, with no parameter but that character set.
pub(super) fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|media_type| media_type.eq_ignore_ascii_case("application/json"));
    is_json && parts.all(|parameter| parameter.is_empty() || is_utf_8(parameter))
}

fn is_utf_8(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    name.eq_ignore_ascii_case("charset") && quoted.unwrap_or(value).eq_ignore_ascii_case("utf-8")
}

#[cfg(test)]
mod tests {
    use super::is_json;

    #[test]
    fn only_json_in_utf_8_is_taken() {
        for taken in [
            "application/json",
            "Application/JSON",
            "application/json;charset=utf-8",
            "application/json; charset=UTF-8",
            "application/json ; Charset=\"utf-8\"",
            "application/json;",
        ] {
            assert!(is_json(taken), "{taken}");
        }
        for refused in [
            "",
            "application/jsonx",
            "application/json-patch+json",
            "application/json; charset=utf-16",
            "application/json; charset=utf-8; charset=latin1",
            "application/json; charset=\"utf-8",
            "application/json; charset",
            "application/json; version=1",
            "application/json, application/json",
            "application/problem+json",
            "text/json",
            "text/plain; application/json",
        ] {
            assert!(!is_json(refused), "{refused}");
        }
    }
}
