//! What the model says: what was ordered, or an echo in the form that was asked for.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Script;
use crate::sandbox::calls::Answer;

/// The text of the last message whose role is `user`.
pub(super) fn last_user_message(request: &Value) -> String {
    let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let last = messages.iter().rev().find(|message| message["role"] == "user");
    last.map(|message| text_of(&message["content"])).unwrap_or_default()
}

fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}

pub(super) fn completion(request: &Value, last: &str, script: Option<Script>) -> Answer {
    let script = script.unwrap_or_else(|| echo(request, last));
    let content = match script.content {
        Value::String(_) | Value::Null => script.content,
        other => Value::String(other.to_string()),
    };
    let prompt_tokens = tokens(&request["messages"].to_string());
    let completion_tokens = tokens(content.as_str().unwrap_or_default());
    let mut message = json!({"role": "assistant", "content": content});
    if let Some(calls) = script.tool_calls {
        message["tool_calls"] = calls;
    }
    if let Some(refusal) = script.refusal {
        message["refusal"] = json!(refusal);
    }
    let id = Uuid::now_v7().simple();
    let mut answer = Answer::ok(json!({
        "id": format!("chatcmpl-{id}"),
        "object": "chat.completion",
        "created": Timestamp::now().as_second(),
        "model": request["model"],
        "choices": [{"index": 0, "message": message, "logprobs": null,
            "finish_reason": script.finish_reason}],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
            "queue_time": 0.001, "prompt_time": 0.001, "completion_time": 0.01,
            "total_time": 0.011,
        },
        "system_fingerprint": "fp_sandbox",
        "x_groq": {"id": format!("req_{id}")},
        "service_tier": "on_demand",
    }));
    answer.delay = Duration::from_millis(script.delay_ms);
    answer
}

/// About four bytes a token, as in English text.
fn tokens(text: &str) -> usize {
    text.len().div_ceil(4)
}

fn echo(request: &Value, last: &str) -> Script {
    let format = &request["response_format"];
    let content = match format["type"].as_str() {
        Some("json_object") => json!({"echo": last}),
        Some("json_schema") => example_of(&format["json_schema"]["schema"]),
        _ => json!(format!("Entendi: {last}")),
    };
    Script {
        matching: None,
        token: None,
        content,
        tool_calls: None,
        refusal: None,
        finish_reason: super::stop(),
        delay_ms: 0,
        times: super::once(),
    }
}

/// A plain value that the schema allows.
fn example_of(schema: &Value) -> Value {
    if let Some(value) = schema.get("const") {
        return value.clone();
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    if let Some(first) = schema["anyOf"].get(0).or_else(|| schema["oneOf"].get(0)) {
        return example_of(first);
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        kind => vec![kind.clone()],
    };
    let is = |kind: &str| kinds.iter().any(|one| one == kind);
    if is("null") {
        Value::Null
    } else if is("object") || schema["properties"].is_object() {
        let properties = schema["properties"].as_object().into_iter().flatten();
        let example = |(name, property): (&String, &Value)| (name.clone(), example_of(property));
        Value::Object(properties.map(example).collect::<Map<_, _>>())
    } else if is("array") {
        let least = schema["minItems"].as_u64().unwrap_or(0);
        (0..least).map(|_| example_of(&schema["items"])).collect()
    } else if is("boolean") {
        json!(false)
    } else if is("integer") || is("number") {
        schema.get("minimum").cloned().unwrap_or(json!(0))
    } else {
        json!("texto")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::example_of;

    #[test]
    fn example_fits_the_schema() {
        let schema = json!({"type": "object", "properties": {
            "intent": {"type": "string", "enum": ["visita", "duvida"]},
            "city": {"type": ["string", "null"]},
            "score": {"type": "integer", "minimum": 1},
            "tags": {"type": "array", "minItems": 1, "items": {"type": "string"}}}});
        let expected = json!({"intent": "visita", "city": null, "score": 1, "tags": ["texto"]});
        assert_eq!(example_of(&schema), expected);
    }
}
