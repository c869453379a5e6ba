//! One operation of `openapi.json`.

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use crate::{examples::Examples, functions::Function, names::path_parameters};

/// The operation of `function` by one of its ways. Its failures are added to `responses`, where equal ones of other functions are too.
pub fn of(function: &Function, way: (&str, &str), responses: &mut Map<String, Value>, examples: &Examples) -> Result<Value> {
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
        "description": told(function)?,
        "responses": answers(function, responses, examples)?,
        "security": security(function.text("access")?),
        "x-access": description["access"],
    });
    if position > 0 {
        operation["x-alias-of"] = json!(function.name);
    }
    if !description["limit"].is_null() {
        operation["x-limit"] = description["limit"].clone();
    }
    let parameters = parameters(description, way.1, examples)?;
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if description["media"].as_object().is_some_and(|media| !media.is_empty()) {
        let mut content = description["media"].clone();
        let fields = content.pointer_mut("/multipart~1form-data/schema/properties").and_then(Value::as_object_mut);
        fields.into_iter().flatten().for_each(|(_, field)| *field = never_null(field.take()));
        operation["requestBody"] = json!({"required": true, "content": content});
    }
    if !description["body"].is_null() {
        let mut content = json!({"application/json": {"schema": description["body"]}});
        if let Some(example) = &examples.body {
            content["application/json"]["example"] = example.clone();
        }
        operation["requestBody"] = json!({"required": needs_body(description), "content": content});
    }
    Ok(operation)
}

/// Whether the body may not be left out: a command without required fields may be sent without one.
fn needs_body(description: &Value) -> bool {
    let body = &description["body"];
    let name = body["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
    let schema = name.map_or(body, |name| &description["schemas"][name]);
    let asks_for_nothing = |schema: &Value| schema["required"].as_array().is_none_or(Vec::is_empty);
    let branches = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
    let takes_none = schema["type"] == "object"
        && asks_for_nothing(schema)
        && branches.is_none_or(|branches| branches.iter().any(asks_for_nothing));
    !takes_none
}

/// What it does, in whole sentences, and who may call it.
fn told(function: &Function) -> Result<String> {
    let summary = function.summary();
    let mut letters = summary.chars();
    let sentence = letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default();
    let callers = function.text("access")?.split(" or ").map(|name| match name {
        "admin" => "admins",
        "supervisor" => "supervisors and admins",
        "staff" => "staff",
        "student" => "students",
        "member" => "everybody who is signed in",
        "anyone" => "everybody, without a token",
        _ => "the provider, who signs it",
    });
    let callers = format!("For {}.", callers.collect::<Vec<_>>().join(", or "));
    let parts = [Some(sentence.as_str()), function.details.as_deref(), Some(callers.as_str())];
    Ok(parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n"))
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

/// The header that proves who calls a webhook.
fn proof(description: &Value) -> Option<Value> {
    let with_address = "The secret that goes with the address.";
    let (name, words, pattern) = match description["access"].as_str()? {
        "signed_by_meta" => {
            ("X-Hub-Signature-256", "HMAC-SHA-256 of the body's bytes with the app's secret.", "^sha256=[0-9a-f]{64}$")
        }
        "signed_by_secret" => ("Authorization", with_address, "^[Bb]earer [!-~]+$"),
        "signed_by_header" => ("X-Webhook-Secret", with_address, "^[!-~]+$"),
        _ => return None,
    };
    let schema = json!({"type": "string", "pattern": pattern});
    Some(json!({"name": name, "in": "header", "required": true, "description": words, "schema": schema}))
}

fn parameters(description: &Value, path: &str, examples: &Examples) -> Result<Vec<Value>> {
    let in_path = |(position, name): (usize, &str)| {
        let mut schema = description["parameters"][position].clone();
        if schema.is_null() {
            // Read by the proof of access and by no argument.
            schema = json!({"type": "string"});
        }
        schema.as_object_mut().into_iter().for_each(|fields| fields.retain(|key, _| key != "$schema" && key != "title"));
        json!({"name": name, "in": "path", "required": true, "schema": schema})
    };
    let mut parameters: Vec<Value> = path_parameters(path).enumerate().map(in_path).collect();
    parameters.extend(query_parameters(&description["query"])?);
    for parameter in &mut parameters {
        let example = parameter["name"].as_str().and_then(|name| examples.parameters.get(name));
        if let Some(example) = example {
            parameter["example"] = typed(example, &parameter["schema"]);
        }
    }
    parameters.extend(proof(description));
    if description["idempotent"] == true {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The same key with the same body gets the first answer again, for 24 hours.",
            "schema": {"type": "string", "pattern": "^[!-~]([ -~]{0,253}[!-~])?$", "minLength": 1, "maxLength": 255},
        }));
    }
    let is_versioned = description["failures"]["409"].as_array().is_some_and(|codes| codes.contains(&json!("stale_version")));
    if is_versioned {
        parameters.push(json!({
            "name": "If-Match",
            "in": "header",
            "description": "The version last seen; another one now is a conflict.",
            "schema": {"type": "string", "pattern": "^([0-9]{1,9}|\"[0-9]{1,9}\")$"},
        }));
    }
    Ok(parameters)
}

/// A query's text as the value that its schema says it is.
fn typed(text: &str, schema: &Value) -> Value {
    match schema["type"].as_str() {
        Some("integer" | "number" | "boolean") => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        Some("array") => text.split(',').map(Value::from).collect(),
        _ => json!(text),
    }
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
        if parameter["schema"]["type"] == "array" {
            parameter["style"] = json!("form");
            parameter["explode"] = json!(false);
        }
        if is_required {
            parameter["required"] = true.into();
        } else if let Some(pattern) = parameter["schema"]["pattern"].as_str() {
            // Without a value it was not given.
            parameter["schema"]["pattern"] = format!("^$|{pattern}").into();
        }
        if let Some(description) = description {
            parameter["description"] = description;
        }
        parameter
    };
    Ok(properties.into_iter().map(parameter).collect())
}

/// What may be left out of a query or a form is absent there and never null.
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
fn answers(function: &Function, responses: &mut Map<String, Value>, examples: &Examples) -> Result<Value> {
    let description = &function.description;
    let answer = &description["answer"];
    let status = answer["status"].as_u64().context("the answer has no status")?;
    let mut answers = Map::new();
    for status in [Some(status), answer["also"].as_u64()].into_iter().flatten() {
        answers.insert(status.to_string(), success(description, status, examples));
    }
    for (status, codes) in description["failures"].as_object().into_iter().flatten() {
        let mut codes: Vec<&str> = codes.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        codes.sort_unstable();
        if answer["failing"].as_u64().is_some_and(|failing| failing.to_string() == *status) {
            let mut failure = failure(status, &codes, description);
            failure["content"]["application/json"] = json!({"schema": answer["schema"]});
            answers.insert(status.clone(), failure);
            continue;
        }
        let failure = failure(status, &codes, description);
        let mut name = format!("{status}.{}", codes.join("."));
        if responses.get(&name).is_some_and(|known| *known != failure) {
            name = format!("{name}.{}", function.name);
        }
        answers.insert(status.clone(), json!({"$ref": format!("#/components/responses/{name}")}));
        responses.insert(name, failure);
    }
    Ok(answers.into())
}

fn success(description: &Value, status: u64, examples: &Examples) -> Value {
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
        let mut media = if answer["schema"].is_null() { json!({}) } else { json!({"schema": answer["schema"]}) };
        if let Some(example) = &examples.answer {
            media["example"] = example.clone();
        }
        success["content"] = json!({content_type: media});
    }
    let mut headers = Map::new();
    if description["method"] == "GET" {
        let mut cursor = header("Place in the events feed from which nothing is missed.");
        cursor["schema"]["pattern"] = json!("^[0-9A-Za-z]{1,32}[.][0-9]{1,20}[.][0-9]{1,19}$");
        headers.insert("Balcao-Cursor".into(), cursor);
    }
    if description["idempotent"] == true {
        let mut replayed = header("This is the stored answer of an earlier request.");
        replayed["schema"]["const"] = json!("true");
        headers.insert("Idempotency-Replayed".into(), replayed);
    }
    if status == 302 {
        let mut location = header("Where it is.");
        location["schema"]["format"] = json!("uri");
        headers.insert("Location".into(), location);
    }
    if !headers.is_empty() {
        success["headers"] = headers.into();
    }
    success
}

/// A problem of one of these codes, each with what it shows as `current`.
fn failure(status: &str, codes: &[&str], description: &Value) -> Value {
    let mut shown: Vec<(Value, Vec<&str>)> = Vec::new();
    for code in codes {
        let current = description["currents"].get(*code).cloned().unwrap_or_default();
        match shown.iter_mut().find(|(known, _)| *known == current) {
            Some((_, codes)) => codes.push(code),
            None => shown.push((current, vec![code])),
        }
    }
    let mut branches: Vec<Value> = shown.into_iter().map(|(current, codes)| branch(&codes, current)).collect();
    let branches = if branches.len() == 1 { branches.remove(0) } else { json!({"oneOf": branches}) };
    let mut failure = json!({
        "description": codes.join(", "),
        "content": {
            "application/problem+json": {
                "schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, branches]},
            },
        },
    });
    if status == "429" || status == "503" {
        failure["headers"] = json!({"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}});
    }
    failure
}

fn branch(codes: &[&str], current: Value) -> Value {
    let mut branch = json!({"type": "object", "required": ["code"], "properties": {"code": {"type": "string", "enum": codes}}});
    if !current.is_null() {
        branch["properties"]["current"] = current;
    }
    branch
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
        let operation = of(&list_leads(), ("GET", "/leads/{id}"), &mut responses, &Examples::default()).unwrap();
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
        assert!(with(close(), json!({"type": "object", "oneOf": [{"required": ["reason"]}]})));
        assert!(!with(close(), json!({"type": "object", "oneOf": [{"required": ["reason"]}, {"required": []}]})));
        assert!(with(json!(true), json!({})));
    }

    #[test]
    fn an_alias_names_its_function() {
        let ways = [("GET", "/leads/{id}"), ("GET", "/old/{id}"), ("PATCH", "/leads/{id}")];
        let operations = ways.map(|way| of(&list_leads(), way, &mut Map::new(), &Examples::default()).unwrap());
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
