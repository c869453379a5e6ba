//! `events/<function>.json`: a first sample event for a route that has none, to be made its own.

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use crate::{functions::Function, names::path_parameters};

const ADDRESS: &str = "203.0.113.7";
const AGENT: &str = "Mozilla/5.0";

/// The event of a route, as API Gateway sends it. `{{…}}` is filled in by the test that runs it.
pub fn of(function: &Function) -> Result<String> {
    let description = &function.description;
    let (method, path) = (function.text("method")?, function.text("path")?);
    let parameters: Map<String, Value> =
        path_parameters(path).map(|name| (name.to_owned(), json!(placeholder(path, name)))).collect();
    let called = parameters
        .iter()
        .fold(path.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value.as_str().unwrap_or_default()));
    let body = match &description["body"] {
        Value::Null => None,
        schema => Some(example(schema, &description["schemas"]).to_string()),
    };
    let mut headers = json!({
        "accept": "*/*",
        "host": "api.example.com",
        "user-agent": AGENT,
        "x-amzn-trace-id": "Root=1-692164d1-4f0a1b2c3d4e5f6071829304",
        "x-forwarded-for": ADDRESS,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    });
    if function.text("access")? != "anyone" {
        headers["authorization"] = json!("Bearer {{token}}");
    }
    if body.is_some() {
        headers["content-type"] = json!("application/json");
    }
    let mut event = json!({
        "version": "2.0",
        "routeKey": format!("{method} {path}"),
        "rawPath": called,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": "api.example.com",
            "domainPrefix": "api",
            "http": {"method": method, "path": called, "protocol": "HTTP/1.1", "sourceIp": ADDRESS, "userAgent": AGENT},
            "requestId": "ATfSmjLgPHcESJw=",
            "routeKey": format!("{method} {path}"),
            "stage": "$default",
            "time": "22/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1_795_348_800_000_u64,
        },
        "isBase64Encoded": false,
    });
    if !parameters.is_empty() {
        event["pathParameters"] = parameters.into();
    }
    if let Some(body) = body {
        event["body"] = body.into();
    }
    Ok(serde_json::to_string_pretty(&event).context("an event is JSON")? + "\n")
}

/// The id in `/departments/{id}` is `{{department_id}}`.
fn placeholder(path: &str, name: &str) -> String {
    let owner = path.split('/').take_while(|part| *part != format!("{{{name}}}")).last().unwrap_or_default();
    let owner = owner.strip_suffix('s').unwrap_or(owner).replace('-', "_");
    if name == "id" { format!("{{{{{owner}_id}}}}") } else { format!("{{{{{name}}}}}") }
}

/// The least that fits a schema: required fields only.
fn example(schema: &Value, schemas: &Value) -> Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return example(&schemas[name], schemas);
    }
    let choices = if schema["properties"].is_object() { &[][..] } else { &["oneOf", "anyOf", "allOf", "enum"] };
    if let Some(first) = choices.iter().find_map(|key| schema[key].get(0)) {
        return if schema["enum"].is_array() { first.clone() } else { example(first, schemas) };
    }
    if !schema["const"].is_null() {
        return schema["const"].clone();
    }
    let kind = schema["type"].as_str().or(schema["type"][0].as_str()).unwrap_or_default();
    match (kind, schema["format"].as_str().unwrap_or_default()) {
        ("object", _) => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            required.map(|name| (name.to_owned(), field(name, &schema["properties"][name], schemas))).collect()
        }
        ("array", _) => json!([]),
        ("boolean", _) => json!(true),
        ("integer" | "number", _) => json!(schema["minimum"].as_i64().unwrap_or(1).max(1)),
        (_, "date-time") => json!("2026-11-22T12:00:00Z"),
        _ => json!("Texto {{unique}}"),
    }
}

/// A field that names a row stands for a row of that kind.
fn field(name: &str, schema: &Value, schemas: &Value) -> Value {
    if schema["format"] == "uuid" { json!(format!("{{{{{name}}}}}")) } else { example(schema, schemas) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_the_ids_and_the_required_fields() {
        let function = Function {
            name: "rename_lead".into(),
            package: "leads".into(),
            headline: String::new(),
            details: None,
            description: json!({
                "method": "PATCH", "path": "/leads/{id}", "access": "staff",
                "body": {"$ref": "#/components/schemas/Rename"},
                "schemas": {"Rename": {"type": "object", "required": ["name", "owner_id"], "properties": {
                    "name": {"type": "string"}, "owner_id": {"type": "string", "format": "uuid"}, "note": {"type": "string"},
                }}},
            }),
        };
        let event: Value = serde_json::from_str(&of(&function).unwrap()).unwrap();
        assert_eq!(event["rawPath"], "/leads/{{lead_id}}");
        assert_eq!(event["pathParameters"], json!({"id": "{{lead_id}}"}));
        let body: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
        assert_eq!(body, json!({"name": "Texto {{unique}}", "owner_id": "{{owner_id}}"}));
    }
}
