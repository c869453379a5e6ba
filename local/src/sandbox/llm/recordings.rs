//! Recordings, written down.

use std::sync::Arc;

use axum::{
    extract::{Multipart, State},
    http::HeaderMap,
    response::Response,
};
use serde_json::{Value, json};

use super::{LlmError, admit, failure};
use crate::sandbox::{
    Sandbox,
    calls::{Answer, Call},
    faults::Target,
};

/// Bytes of a call.
pub(super) const LARGEST: usize = 26_000_000;

/// `POST /audio/transcriptions`: what was ordered for this token, or how long the recording is.
pub(super) async fn transcribe(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, mut form: Multipart) -> Response {
    let mut call = Call::new(Target::Llm, "POST", "/audio/transcriptions".to_owned(), &headers);
    let (mut fields, mut size) = (json!({}), None);
    while let Ok(Some(field)) = form.next_field().await {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            fields["file"] = json!({"name": field.file_name(), "type": field.content_type()});
            size = field.bytes().await.ok().map(|bytes| bytes.len());
        } else {
            fields[name] = field.text().await.ok().into();
        }
    }
    call.request = fields.clone();
    let token = call.token.clone();
    let work = || {
        let checked = admit(token.as_deref()).and_then(|token| {
            let has_model = fields["model"].as_str().is_some_and(|model| model.contains("whisper"));
            let size = size
                .filter(|size| *size > 0 && has_model)
                .ok_or_else(|| LlmError::invalid("file is missing or no model is for it"))?;
            Ok((token, size))
        });
        match checked {
            Ok((token, size)) => {
                let ordered = sandbox.llm.take(token, "audio").and_then(|script| match script.content {
                    Value::String(text) => Some(text),
                    _ => None,
                });
                Answer::ok(json!({"text": ordered.unwrap_or_else(|| format!("Um áudio de {size} bytes."))}))
            }
            Err(error) => error.answer(),
        }
    };
    sandbox.perform(call, failure, work).await
}
