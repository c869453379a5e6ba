//! What Groq accepts in a completion request.

use axum::http::StatusCode;
use serde_json::Value;

use super::{GONE, LlmError, MODELS};

const FIELDS: [&str; 19] = [
    "model",
    "messages",
    "temperature",
    "max_completion_tokens",
    "max_tokens",
    "top_p",
    "seed",
    "stop",
    "n",
    "response_format",
    "user",
    "stream",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning_effort",
    "include_reasoning",
    "reasoning_format",
    "service_tier",
];
const MESSAGE_FIELDS: [&str; 4] = ["role", "content", "tool_calls", "tool_call_id"];
const ROLES: [&str; 5] = ["system", "developer", "user", "assistant", "tool"];
const MOST_TOKENS: u64 = 65_536;

pub(super) fn check(request: &Value) -> Result<(), LlmError> {
    let Some(fields) = request.as_object() else {
        return Err(LlmError::invalid("request body must be an object"));
    };
    if let Some(field) = fields.keys().find(|key| !FIELDS.contains(&key.as_str())) {
        return Err(LlmError::invalid(format!("property '{field}' is unsupported")));
    }
    check_model(request)?;
    check_messages(request)?;
    check_numbers(request)?;
    check_reasoning(request)?;
    check_response_format(request)
}

fn check_model(request: &Value) -> Result<(), LlmError> {
    let Some(model) = request["model"].as_str().filter(|model| !model.is_empty()) else {
        return Err(LlmError::invalid("'model' : property 'model' is missing"));
    };
    if GONE.contains(&model) {
        let message = format!(
            "The model `{model}` has been decommissioned and is no longer supported. Please refer \
             to https://console.groq.com/docs/deprecations for a recommendation."
        );
        return Err(LlmError { code: Some("model_decommissioned"), ..LlmError::invalid(message) });
    }
    if MODELS.contains(&model) || model.starts_with("gpt-") {
        return Ok(());
    }
    let message = format!("The model `{model}` does not exist or you do not have access to it.");
    Err(LlmError { status: StatusCode::NOT_FOUND, code: Some("model_not_found"), ..LlmError::invalid(message) })
}

fn check_messages(request: &Value) -> Result<(), LlmError> {
    let Some(messages) = request["messages"].as_array().filter(|messages| !messages.is_empty()) else {
        return Err(LlmError::invalid("'messages' : minimum number of items is 1"));
    };
    for (index, message) in messages.iter().enumerate() {
        let wrong = |rule: &str| LlmError::invalid(format!("'messages.{index}' : {rule}"));
        let Some(fields) = message.as_object() else {
            return Err(wrong("value must be an object"));
        };
        if !message["role"].as_str().is_some_and(|role| ROLES.contains(&role)) {
            return Err(wrong("discriminator property 'role' has invalid value"));
        }
        if let Some(field) = fields.keys().find(|key| !MESSAGE_FIELDS.contains(&key.as_str())) {
            return Err(wrong(&format!("property '{field}' is unsupported")));
        }
        let empty_allowed = message["role"] == "assistant";
        let content = &message["content"];
        if !(content.is_string() || content.is_array() || (empty_allowed && content.is_null())) {
            return Err(wrong("property 'content' is missing"));
        }
    }
    Ok(())
}

fn check_numbers(request: &Value) -> Result<(), LlmError> {
    let range = |field: &str, most: f64| match &request[field] {
        Value::Null => Ok(()),
        value if value.as_f64().is_some_and(|number| (0.0..=most).contains(&number)) => Ok(()),
        _ => Err(LlmError {
            param: Some(field.to_owned()),
            ..LlmError::invalid(format!("'{field}' : number must be between 0 and {most}"))
        }),
    };
    range("temperature", 2.0)?;
    range("top_p", 1.0)?;
    if request["n"].as_u64().is_some_and(|n| n != 1) {
        return Err(LlmError::invalid("'n' : number must be at most 1"));
    }
    if request["stop"].as_array().is_some_and(|stops| stops.len() > 4) {
        return Err(LlmError::invalid("'stop' : maximum number of items is 4"));
    }
    for field in ["max_completion_tokens", "max_tokens"] {
        let value = &request[field];
        let allowed = value.as_u64().is_some_and(|most| (1..=MOST_TOKENS).contains(&most));
        if !value.is_null() && !allowed {
            let message = format!("`{field}` must be between 1 and {MOST_TOKENS}");
            return Err(LlmError { param: Some(field.to_owned()), ..LlmError::invalid(message) });
        }
    }
    if request["stream"] == true {
        return Err(LlmError::invalid("the sandbox does not stream"));
    }
    Ok(())
}

fn check_reasoning(request: &Value) -> Result<(), LlmError> {
    if !request["include_reasoning"].is_null() && !request["reasoning_format"].is_null() {
        return Err(LlmError::invalid("`include_reasoning` and `reasoning_format` cannot be used together"));
    }
    let model = request["model"].as_str().unwrap_or_default();
    let allowed: &[&str] = match model {
        _ if model.contains("gpt-oss") => &["low", "medium", "high"],
        _ if model.contains("qwen") => &["none", "default"],
        _ => return Ok(()),
    };
    let effort = &request["reasoning_effort"];
    if effort.is_null() || effort.as_str().is_some_and(|effort| allowed.contains(&effort)) {
        return Ok(());
    }
    let message = format!("`reasoning_effort` must be one of {}", allowed.join(", "));
    Err(LlmError::invalid(message))
}

fn check_response_format(request: &Value) -> Result<(), LlmError> {
    let format = &request["response_format"];
    let kind = match format {
        Value::Null => return Ok(()),
        _ => format["type"].as_str().unwrap_or_default(),
    };
    if kind != "text" && request["reasoning_format"] == "raw" {
        return Err(LlmError::invalid("`reasoning_format` raw cannot be used with JSON mode"));
    }
    match kind {
        "text" => Ok(()),
        "json_object" => {
            let said = request["messages"].to_string().to_lowercase().contains("json");
            if said {
                Ok(())
            } else {
                Err(LlmError::invalid(
                    "'messages' must contain the word 'json' in some form, to use \
                     'response_format' of type 'json_object'.",
                ))
            }
        }
        "json_schema" => check_schema(&format["json_schema"]),
        _ => Err(LlmError::invalid(
            "'response_format.type' : value is not one of the allowed values ['text','json_object','json_schema']",
        )),
    }
}

fn check_schema(format: &Value) -> Result<(), LlmError> {
    let named = format["name"].as_str().is_some_and(|name| {
        (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    });
    if !named {
        return Err(LlmError::invalid("'response_format.json_schema.name' is invalid"));
    }
    let schema = &format["schema"];
    if !schema.is_object() {
        return Err(LlmError::invalid("'response_format.json_schema.schema' is missing"));
    }
    if format["strict"] == true { check_strict(schema, "/") } else { Ok(()) }
}

/// Every object names all its properties as required and allows no others.
fn check_strict(schema: &Value, place: &str) -> Result<(), LlmError> {
    if let Some(properties) = schema["properties"].as_object() {
        let refuse = |rule: &str| LlmError::invalid(format!("invalid JSON schema for response_format: '{place}': {rule}"));
        if schema["additionalProperties"] != false {
            return Err(refuse("`additionalProperties:false` must be set on every object"));
        }
        let required = schema["required"].as_array();
        for (name, property) in properties {
            if !required.is_some_and(|names| names.iter().any(|one| one == name)) {
                return Err(refuse("`required` must include every key in properties"));
            }
            check_strict(property, &format!("{place}properties/{name}/"))?;
        }
    }
    match schema.get("items") {
        Some(items) => check_strict(items, &format!("{place}items/")),
        None => Ok(()),
    }
}
