//! What texts mean, after a fashion: texts with the same words are near each other.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{LlmError, admit, failure};
use crate::sandbox::{
    Sandbox,
    calls::{Answer, Call},
    faults::Target,
};

/// Numbers of a vector; a model whose name ends in another number has as many as that.
const DIMENSION: usize = 64;

/// Texts of one call.
const MOST_TEXTS: usize = 256;

/// `POST /embeddings`
pub(super) async fn embed(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut call = Call::new(Target::Llm, "POST", "/embeddings".to_owned(), &headers);
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    call.request = request.clone();
    let token = call.token.clone();
    let work = || match admit(token.as_deref()).and_then(|token| vectors(&request, token.starts_with("wide"))) {
        Ok(answer) => Answer::ok(answer),
        Err(error) => error.answer(),
    };
    sandbox.perform(call, failure, work).await
}

fn vectors(request: &Value, is_wide: bool) -> Result<Value, LlmError> {
    let model = request["model"].as_str().ok_or_else(|| LlmError::invalid("you must provide a model parameter"))?;
    let texts: Vec<&str> = match &request["input"] {
        Value::String(text) => vec![text],
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if texts.is_empty() || texts.len() > MOST_TEXTS || texts.iter().any(|text| text.is_empty()) {
        return Err(LlmError::invalid("'$.input' is invalid"));
    }
    let dimension = model.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(DIMENSION).clamp(1, 2048);
    let dimension = if is_wide { 2 * dimension } else { dimension };
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| json!({"object": "embedding", "index": index, "embedding": vector(text, dimension)}))
        .collect();
    let tokens: usize = texts.iter().map(|text| text.len().div_ceil(4)).sum();
    Ok(json!({"object": "list", "data": data, "model": model, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}))
}

/// Each word, by its first letters, has a place.
fn vector(text: &str, dimension: usize) -> Vec<f32> {
    let mut vector = vec![0.0_f32; dimension];
    for word in text.to_lowercase().split(|sign: char| !sign.is_alphanumeric()).filter(|word| word.chars().count() > 2) {
        let place = word.chars().take(5).fold(7_usize, |hash, sign| hash.wrapping_mul(31).wrapping_add(sign as usize));
        vector[place % dimension] += 1.0;
    }
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt().max(1.0);
    vector.iter().map(|number| number / length).collect()
}
