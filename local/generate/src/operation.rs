//! One operation of `openapi.json`.

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use crate::{functions::Function, names::path_parameters};

/// The operation of `function` by one of its ways. Its failures are added to `responses`, where equal ones of other functions are too.
pub fn of(function: &Function, way: (&str, &str), responses: &mut Map<String, Value>) -> Result<Value> {
    let description = &function.description;
    let ways = function.ways()?;
    let position = ways.iter().position(|known| *known == way).unwrap_or_default();
    let id = match position {
        0 => function.name.clone(),
        1 => format!("{}_alias", function.name),
        more => format!("{}_alias_{more}", function.name),
    };
    let mut operation = json!({
        "operationId": id,
        "tags": [function.package],
        "summary": function.summary(),
        "responses": answers(function, responses)?,
        "security": security(function.text("access")?),
        "x-access": description["access"],
    });
    if position > 0 {
        operation["x-alias-of"] = json!(function.name);
    }
    if let Some(details) = &function.details {
        operation["description"] = json!(details);
    }
    if !description["limit"].is_null() {
        operation["x-limit"] = description["limit"].clone();
    }
    let parameters = parameters(description, way.1)?;
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if !description["body"].is_null() {
        let content = json!({"application/json": {"schema": description["body"]}});
        operation["requestBody"] = json!({"required": needs_body(description), "content": content});
    }
    Ok(operation)
}

/// Whether the body may not be left out: a command without required fields may be sent without one.
fn needs_body(description: &Value) -> bool {
    let body = &description["body"];
    let name = body["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
    let schema = name.map_or(body, |name| &description["schemas"][name]);
    let takes_none = schema["type"] == "object" && schema["required"].as_array().is_none_or(Vec::is_empty);
    !takes_none
}

/// Public routes and signed ones need no token; where several kinds of callers are let in, any of what they bring.
fn security(access: &str) -> Value {
    let needs_token = |name: &&str| *name != "anyone" && !name.starts_with("signed_by");
    let (with_token, without): (Vec<&str>, Vec<&str>) = access.split(" or ").partition(needs_token);
    match (with_token.is_empty(), without.is_empty()) {
        (true, _) => json!([]),
        (false, true) => json!([{"bearerAuth": []}]),
        (false, false) => json!([{"bearerAuth": []}, {}]),
    }
}

fn parameters(description: &Value, path: &str) -> Result<Vec<Value>> {
    let in_path = |name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}});
    let mut parameters: Vec<Value> = path_parameters(path).map(in_path).collect();
    parameters.extend(query_parameters(&description["query"])?);
    if description["idempotent"] == true {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The same key with the same body gets the first answer again, for 24 hours.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }));
    }
    let is_versioned = description["failures"]["409"].as_array().is_some_and(|codes| codes.contains(&json!("stale_version")));
    if is_versioned {
        parameters.push(json!({
            "name": "If-Match",
            "in": "header",
            "description": "The version last seen; another one now is a conflict.",
            "schema": {"type": "string"},
        }));
    }
    Ok(parameters)
}

/// Each property of the query's schema is a parameter.
fn query_parameters(query: &Value) -> Result<Vec<Value>> {
    if query.is_null() {
        return Ok(Vec::new());
    }
    let required = query["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_plain = ["$ref", "allOf", "anyOf", "oneOf"].iter().all(|key| query.get(key).is_none());
    ensure!(is_plain, "the query's type is not a plain struct, whose fields could become parameters");
    let properties = query["properties"].as_object().cloned().unwrap_or_default();
    let parameter = |(name, schema): (String, Value)| {
        let mut schema = never_null(schema);
        let description = schema.as_object_mut().and_then(|fields| fields.remove("description"));
        let is_required = required.contains(&json!(name));
        let mut parameter = json!({"name": name, "in": "query", "schema": schema});
        if is_required {
            parameter["required"] = true.into();
        }
        if let Some(description) = description {
            parameter["description"] = description;
        }
        parameter
    };
    Ok(properties.into_iter().map(parameter).collect())
}

/// What may be left out of a query is absent there and never null.
fn never_null(mut schema: Value) -> Value {
    let null = json!({"type": "null"});
    if let Some(types) = schema["type"].as_array_mut() {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            schema["type"] = only.clone();
        }
    }
    if let Some(choices) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        choices.retain(|choice| *choice != null);
        let only = if let [only] = choices.as_slice() { only.clone() } else { Value::Null };
        if let (Value::Object(only), Some(fields)) = (only, schema.as_object_mut()) {
            fields.remove("anyOf");
            fields.extend(only);
        }
    }
    if let Some(fields) = schema.as_object_mut() {
        fields.retain(|key, value| !(value.is_null() && (key == "type" || key == "default")));
    }
    schema
}

/// The answer by its status, and each status of failure.
fn answers(function: &Function, responses: &mut Map<String, Value>) -> Result<Value> {
    let description = &function.description;
    let answer = &description["answer"];
    let status = answer["status"].as_u64().context("the answer has no status")?;
    let mut answers = Map::new();
    answers.insert(status.to_string(), success(description, status));
    for (status, codes) in description["failures"].as_object().into_iter().flatten() {
        let mut codes: Vec<&str> = codes.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        codes.sort_unstable();
        if answer["failing"].as_u64().is_some_and(|failing| failing.to_string() == *status) {
            let mut failure = failure(status, &codes);
            failure["content"]["application/json"] = json!({"schema": answer["schema"]});
            answers.insert(status.clone(), failure);
            continue;
        }
        let name = format!("{status}.{}", codes.join("."));
        answers.insert(status.clone(), json!({"$ref": format!("#/components/responses/{name}")}));
        responses.entry(name).or_insert_with(|| failure(status, &codes));
    }
    Ok(answers.into())
}

fn success(description: &Value, status: u64) -> Value {
    let answer = &description["answer"];
    let meaning = match status {
        201 => "Created",
        202 => "Accepted",
        204 => "Done; no content",
        302 => "Redirect",
        _ => "OK",
    };
    let mut success = json!({"description": meaning});
    if let Some(content_type) = answer["content_type"].as_str() {
        let media = if answer["schema"].is_null() { json!({}) } else { json!({"schema": answer["schema"]}) };
        success["content"] = json!({content_type: media});
    }
    let mut headers = Map::new();
    if description["method"] == "GET" {
        headers.insert("Balcao-Cursor".into(), header("Place in the events feed from which nothing is missed."));
    }
    if description["idempotent"] == true {
        headers.insert("Idempotency-Replayed".into(), header("`true` when this is the stored answer of an earlier request."));
    }
    if status == 302 {
        headers.insert("Location".into(), header("Where it is."));
    }
    if !headers.is_empty() {
        success["headers"] = headers.into();
    }
    success
}

fn failure(status: &str, codes: &[&str]) -> Value {
    let mut failure = json!({
        "description": codes.join(", "),
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem", "properties": {"code": {"enum": codes}}},
            },
        },
    });
    if status == "429" || status == "503" {
        failure["headers"] = json!({"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}});
    }
    failure
}

fn header(description: &str) -> Value {
    json!({"description": description, "schema": {"type": "string"}})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list_leads() -> Function {
        Function {
            name: "list_leads".into(),
            package: "leads".into(),
            headline: "GET /leads/{id} — leads, newest first.".into(),
            details: None,
            description: json!({
                "trigger": "http", "method": "GET", "path": "/leads/{id}", "aliases": ["GET /old/{id}", "PATCH /leads/{id}"], "access": "staff",
                "answer": {"status": 200, "content_type": "application/json", "schema": {"type": "object"}},
                "failures": {"429": ["rate_limited"], "409": ["stale_version"]},
                "query": {
                    "type": "object", "required": ["stage"],
                    "properties": {
                        "stage": {"type": "string", "description": "Its stage."},
                        "limit": {"type": ["integer", "null"], "default": null},
                        "order": {"anyOf": [{"$ref": "#/components/schemas/Order"}, {"type": "null"}]},
                    },
                },
            }),
        }
    }

    #[test]
    fn parameters_come_from_path_and_query() {
        let mut responses = Map::new();
        let operation = of(&list_leads(), ("GET", "/leads/{id}"), &mut responses).unwrap();
        let names: Vec<_> = operation["parameters"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["id", "limit", "order", "stage", "If-Match"]);
        assert_eq!(operation["parameters"][1]["schema"], json!({"type": "integer"}));
        assert_eq!(operation["parameters"][2]["schema"], json!({"$ref": "#/components/schemas/Order"}));
        assert_eq!(operation["parameters"][3]["required"], true);
        assert_eq!(operation["summary"], "leads, newest first.");
        assert!(responses["429.rate_limited"]["headers"]["Retry-After"].is_object());
    }

    #[test]
    fn a_command_whose_fields_are_all_optional_needs_no_body() {
        let with = |body: Value, schema: Value| needs_body(&json!({"body": body, "schemas": {"Close": schema}}));
        let close = || json!({"$ref": "#/components/schemas/Close"});
        assert!(!with(close(), json!({"type": "object", "properties": {"reason": {"type": "string"}}})));
        assert!(with(close(), json!({"type": "object", "required": ["reason"]})));
        assert!(with(close(), json!({"oneOf": []})));
        assert!(with(json!(true), json!({})));
    }

    #[test]
    fn an_alias_names_its_function() {
        let ways = [("GET", "/leads/{id}"), ("GET", "/old/{id}"), ("PATCH", "/leads/{id}")];
        let operations = ways.map(|way| of(&list_leads(), way, &mut Map::new()).unwrap());
        let ids = operations.each_ref().map(|operation| operation["operationId"].as_str().unwrap());
        assert_eq!(ids, ["list_leads", "list_leads_alias", "list_leads_alias_2"]);
        assert!(operations[0]["x-alias-of"].is_null());
        assert!(operations[1..].iter().all(|alias| alias["x-alias-of"] == "list_leads"));
    }

    #[test]
    fn public_routes_ask_for_no_token() {
        assert_eq!(security("anyone"), json!([]));
        assert_eq!(security("signed_by_meta"), json!([]));
        assert_eq!(security("visitor"), json!([{"bearerAuth": []}]));
    }
}
