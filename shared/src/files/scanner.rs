//! The virus scanner of the stage, where it has one: a service that speaks as `clamav-rest` does.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use reqwest::{StatusCode, multipart};
use serde::Deserialize;

use super::FileStatus;
use crate::{context::Context, environment::variable_or_nothing, log};

/// What a scanner says of some content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Clean,
    Infected,
}

/// One line of its answer: there is one for each file of the form.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Finding {
    status: String,
    #[serde(default)]
    description: String,
}

/// Where the scanner takes files; `None` without one. Who asks says `reads!(VIRUS_SCAN_URL)`.
#[must_use]
pub fn scanner_url() -> Option<String> {
    variable_or_nothing("VIRUS_SCAN_URL")
}

/// What a file is whose content has come and is what it should be. Who asks says `reads!(VIRUS_SCAN_URL)`.
#[must_use]
pub fn arrived() -> FileStatus {
    if scanner_url().is_some() { FileStatus::Quarantined } else { FileStatus::Ready }
}

/// Has some content judged. Nothing that a person typed goes with it.
///
/// # Errors
/// Why nobody knows: the scanner was not reached in time, or has answered neither of the two.
pub fn scan<'a>(context: &'a Context, url: &'a str, content: Bytes) -> BoxFuture<'a, Result<Verdict, String>> {
    Box::pin(async move {
        let form = multipart::Form::new().part("file", multipart::Part::stream(content).file_name("file"));
        // Its address is the stage's business, and may hold a password.
        let sent = context.http().post(url).multipart(form).send().await;
        let answer = sent.map_err(|error| format!("the scanner does not answer: {}", error.without_url()))?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|error| format!("the scanner's answer breaks off: {}", error.without_url()))?;
        judge(status, &body).ok_or_else(|| format!("the scanner answers {status}"))
    })
}

/// Nothing is clean but what a scanner says is.
fn judge(status: StatusCode, body: &[u8]) -> Option<Verdict> {
    let findings: Vec<Finding> = serde_json::from_slice(body).ok()?;
    let [Finding { status: found, description }] = findings.as_slice() else { return None };
    match (status, found.as_str()) {
        (StatusCode::OK, "OK") => Some(Verdict::Clean),
        (StatusCode::NOT_ACCEPTABLE, "FOUND") => {
            log::warn("a file is infected", description);
            Some(Verdict::Infected)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> Option<Verdict> {
        judge(StatusCode::from_u16(status).unwrap(), body.as_bytes())
    }

    #[test]
    fn what_a_scanner_says_is_its_status_and_its_words() {
        let clean = r#"[{"Status":"OK","Description":"","FileName":"file"}]"#;
        let infected = r#"[{"Status":"FOUND","Description":"Win.Test.EICAR_HDB-1","FileName":"file"}]"#;
        assert_eq!(judged(200, clean), Some(Verdict::Clean));
        assert_eq!(judged(406, infected), Some(Verdict::Infected));
        for (status, body) in [
            (200, infected),
            (406, clean),
            (200, "[]"),
            (200, ""),
            (200, "<html>OK</html>"),
            (200, r#"{"Status":"OK"}"#),
            (200, r#"[{"Status":"ok"}]"#),
            (200, r#"[{"Status":"OK"},{"Status":"OK"}]"#),
            (201, clean),
            (302, clean),
            (406, "Not Acceptable"),
            (400, r#"[{"Status":"ERROR","Description":"x"}]"#),
            (413, r#"[{"Status":"PARSE ERROR","Description":"File size limit exceeded"}]"#),
            (500, clean),
            (503, "down"),
        ] {
            assert_eq!(judged(status, body), None, "{status} {body}");
        }
    }
}
