//! A virus scanner that speaks as `clamav-rest` does, and knows one virus: the test string of EICAR, wherever it stands.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Multipart, State},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::post,
};
use serde_json::{Value, json};

use super::{
    Sandbox,
    calls::{Answer, Call},
    faults::Target,
};

/// In two, so that no scanner takes this file for infected.
const EICAR: [&str; 2] = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];

/// Bytes of a file that are recorded, so that a fault can be ordered for it.
const SHOWN: usize = 200;

pub(super) fn router() -> Router<Arc<Sandbox>> {
    Router::new().route("/scan", post(scan))
}

/// `POST /v2/scan`: one line for each file of the form; the status is the worst of them.
async fn scan(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, form: Multipart) -> Response {
    let mut call = Call::new(Target::Scanner, "POST", "/v2/scan".to_owned(), &headers);
    let files = files_of(form).await;
    let shown = |(name, bytes): &(String, Vec<u8>)| json!({"name": name, "size": bytes.len(), "start": String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)])});
    call.request = files.as_ref().map_or(Value::Null, |files| files.iter().map(shown).collect());
    let work = || {
        let Some(files) = files else { return failure(Some(500), None, Some("not a form")) };
        let eicar = EICAR.concat();
        let is_infected = |bytes: &[u8]| bytes.windows(eicar.len()).any(|window| window == eicar.as_bytes());
        let judge = |(name, bytes): (String, Vec<u8>)| match (name.is_empty(), is_infected(&bytes)) {
            (true, _) => (422, json!({"Status": "ERROR", "Description": "MimePart FileName missing"})),
            (_, true) => (406, json!({"Status": "FOUND", "Description": "Win.Test.EICAR_HDB-1", "FileName": name})),
            _ => (200, json!({"Status": "OK", "Description": "", "FileName": name})),
        };
        let (statuses, lines): (Vec<u16>, Vec<Value>) = files.into_iter().map(judge).unzip();
        let worst = if statuses.contains(&406) { 406 } else { statuses.into_iter().max().unwrap_or(200) };
        Answer::json(StatusCode::from_u16(worst).unwrap_or_default(), json!(lines))
    };
    sandbox.perform(call, failure, work).await
}

async fn files_of(mut form: Multipart) -> Option<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    while let Some(part) = form.next_field().await.ok()? {
        let name = part.file_name().unwrap_or_default().to_owned();
        files.push((name, part.bytes().await.ok()?.to_vec()));
    }
    Some(files)
}

/// The answer to a call that was ordered to fail; 400 when no status was ordered.
fn failure(status: Option<u16>, _: Option<&Value>, message: Option<&str>) -> Answer {
    let status = status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::BAD_REQUEST);
    Answer::json(status, json!([{"Status": "ERROR", "Description": message.unwrap_or("scan failed"), "FileName": "file"}]))
}
