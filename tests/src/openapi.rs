//! Holds answers against `openapi.json` and remembers which operations were called.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::Answer;

/// The API's description, and what of it was seen.
pub struct Openapi {
    pub document: Value,
    /// Paths split at `/`, with the path as written.
    paths: Vec<(Vec<String>, String)>,
    /// Statuses seen, by operation id.
    seen: Mutex<HashMap<String, BTreeSet<u16>>>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
    /// The schemas with the second names of `x-also`, which answers under `/api/v1` carry.
    widened: Value,
}

/// One method of one path.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The folder of its function.
    pub domain: String,
    /// Name of its function.
    pub id: String,
    /// Of a second path of the same function.
    pub alias_of: Option<String>,
    /// Upper case.
    pub method: String,
    /// As written, with names in braces.
    pub path: String,
    /// Who may call it: `admin`, `supervisor`, `staff`, `student`, `member`, `anyone`, `signed_by_…`, or several of them: `staff or student`.
    pub access: String,
    /// What it may be given in path, query and headers.
    pub parameters: Vec<String>,
    /// The status of success; where what is wanted may be there already, that of making it.
    pub success: u16,
}

impl Operation {
    /// Whether it is public, or proves its caller by a signature.
    #[must_use]
    pub fn asks_for_no_token(&self) -> bool {
        self.access.split(" or ").all(|name| name == "anyone" || name.starts_with("signed_by"))
    }

    /// The function's name, also for an alias.
    #[must_use]
    pub fn function(&self) -> &str {
        self.alias_of.as_deref().unwrap_or(&self.id)
    }
}

/// Made by the gateway, not by our functions.
const GATEWAY_STATUSES: [u16; 4] = [404, 413, 429, 503];

impl Openapi {
    /// Reads the file at the root of the project.
    ///
    /// # Errors
    /// When it is not there or not JSON.
    pub fn read() -> Result<Self> {
        let mut document: Value = serde_json::from_str(&std::fs::read_to_string("openapi.json")?)?;
        let mut widened = document["components"]["schemas"].clone();
        // What the feed holds are events, which have our names only.
        widened["FeedEvent"].as_object_mut().into_iter().for_each(|fields| drop(fields.remove("oneOf")));
        widened.as_object_mut().into_iter().flat_map(serde_json::Map::values_mut).for_each(|schema| {
            widen(schema);
            close(schema);
        });
        if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
            schemas.values_mut().for_each(close);
        }
        let paths = document["paths"].as_object().into_iter().flatten().map(|(path, _)| (split(path), path.clone())).collect();
        Ok(Self { document, paths, seen: Mutex::default(), validators: Mutex::default(), widened })
    }

    /// # Panics
    /// When the operation is described and the answer is not one it describes.
    pub fn check(&self, method: &str, path: &str, answer: &Answer) {
        let path = path.split('?').next().unwrap_or_default();
        let is_versioned = path.starts_with("/api/v1/");
        let Some((written, operation)) = self.find(&method.to_lowercase(), path) else { return };
        let made_by_gateway = answer.body.get("code").is_none() && answer.body.get("message").is_some();
        if made_by_gateway && (GATEWAY_STATUSES.contains(&answer.status) || answer.status == 500) {
            return;
        }
        let id = operation["x-alias-of"].as_str().or(operation["operationId"].as_str()).unwrap_or_default().to_owned();
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).entry(id.clone()).or_default().insert(answer.status);
        let response = self.resolve(&operation["responses"][answer.status.to_string()]);
        assert!(
            !response.is_null(),
            "{method} {written} answered {}, which openapi.json does not list: {}",
            answer.status,
            answer.body
        );
        let Some(content) = response["content"].as_object() else { return };
        let content_type = answer.header("content-type").unwrap_or_default();
        let described = content.iter().find(|(name, _)| content_type.starts_with(name.as_str()));
        let Some((_, described)) = described else { panic!("{method} {written} answered with {content_type:?}") };
        if content_type.contains("json") {
            let has_tokens = self.has_tokens(&described["schema"]);
            let is_widened = answer.status < 400 && (is_versioned || has_tokens);
            let validator = self.validator(&format!("{id} {}", answer.status), &described["schema"], is_widened);
            let errors: Vec<String> =
                validator.iter_errors(&answer.body).map(|error| format!("{}: {error}", error.instance_path())).collect();
            assert!(errors.is_empty(), "{method} {written} {}: {}\n{}", answer.status, errors.join("; "), answer.body);
        }
    }

    /// Whether a type, or one of those that it may be, has tokens.
    fn has_tokens(&self, schema: &Value) -> bool {
        let schema = self.resolve(schema);
        let mut branches = schema["anyOf"].as_array().into_iter().flatten();
        !schema["properties"]["access_token"].is_null() || branches.any(|branch| self.has_tokens(branch))
    }

    /// Every type of event there is.
    pub fn event_types(&self) -> Vec<&str> {
        self.document["x-events"].as_object().into_iter().flat_map(|types| types.keys().map(String::as_str)).collect()
    }

    /// What is wrong with the data of an event of this type; nothing when it is as `x-events` describes it.
    #[must_use]
    pub fn faults_of_event(&self, kind: &str, data: &Value) -> Vec<String> {
        let Some(schema) = self.document["x-events"].get(kind) else { return vec!["it is not among `x-events`".to_owned()] };
        let validator = self.validator(&format!("event {kind}"), schema, false);
        validator.iter_errors(data).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    /// What is wrong with a value that is to be as this schema says.
    #[must_use]
    pub fn faults(&self, what: &str, schema: &Value, value: &Value) -> Vec<String> {
        let validator = self.validator(what, schema, false);
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    /// Remembers an operation that somebody else called: the sandbox calls the webhooks.
    pub fn note(&self, operation_id: &str, status: u16) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).entry(operation_id.to_owned()).or_default().insert(status);
    }

    /// Operations that were never answered with success.
    #[must_use]
    pub fn never_exercised(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let all = self.operation_ids();
        let succeeded = |id: &String| seen.get(id).is_some_and(|statuses| statuses.iter().any(|status| *status < 400));
        all.into_iter().filter(|id| !succeeded(id)).collect()
    }

    /// Every operation, aliases left out.
    #[must_use]
    pub fn operation_ids(&self) -> Vec<String> {
        let operations =
            self.document["paths"].as_object().into_iter().flatten().flat_map(|(_, item)| item.as_object().into_iter().flatten());
        let ids = operations.filter(|(_, operation)| operation.get("x-alias-of").is_none());
        ids.filter_map(|(_, operation)| Some(operation["operationId"].as_str()?.to_owned())).collect()
    }

    /// The operations that a test over all routes is about, aliases too: those of one domain when `ONLY` names it.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        let mut operations = self.every_operation();
        if let Some(domain) = crate::only().filter(|only| crate::is_domain(only)) {
            operations.retain(|operation| operation.domain == domain);
        }
        operations
    }

    /// Every operation, aliases too.
    ///
    /// # Panics
    /// When one is described incompletely.
    #[must_use]
    pub fn every_operation(&self) -> Vec<Operation> {
        let paths = self.document["paths"].as_object().into_iter().flatten();
        let methods = paths.flat_map(|(path, item)| item.as_object().into_iter().flatten().map(move |entry| (path, entry)));
        methods
            .map(|(path, (method, operation))| {
                let text = |name: &str| operation[name].as_str().map(str::to_owned);
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                let parameters = parameters.filter_map(|parameter| parameter["name"].as_str()).map(str::to_owned).collect();
                let statuses = operation["responses"].as_object().into_iter().flatten().filter_map(|(s, _)| s.parse().ok());
                Operation {
                    domain: operation["tags"][0].as_str().expect("an operation has the tag of its domain").to_owned(),
                    id: text("operationId").expect("an operation has an id"),
                    alias_of: text("x-alias-of"),
                    method: method.to_uppercase(),
                    path: path.clone(),
                    parameters,
                    access: text("x-access").expect("an operation says who may call it"),
                    success: statuses.filter(|status: &u16| *status < 400).max().expect("an operation can succeed"),
                }
            })
            .collect()
    }

    fn find(&self, method: &str, path: &str) -> Option<(&str, &Value)> {
        let path = path.strip_prefix("/api/v1").or(path.strip_prefix("/api")).unwrap_or(path);
        let parts = split(path);
        let fits = |written: &[String]| {
            written.len() == parts.len()
                && written.iter().zip(&parts).all(|(written, part)| written.starts_with('{') || written == part)
        };
        // A path without a parameter wins, as in the gateway.
        let mut found: Vec<_> = self.paths.iter().filter(|(written, _)| fits(written)).collect();
        found.sort_by_key(|(written, _)| written.iter().filter(|part| part.starts_with('{')).count());
        found.into_iter().find_map(|(_, written)| {
            let operation = &self.document["paths"][written][method];
            (!operation.is_null()).then_some((written.as_str(), operation))
        })
    }

    /// The schema that a reference names, or the value itself.
    #[must_use]
    pub fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str().and_then(|reference| self.document.pointer(reference.trim_start_matches('#'))) {
            Some(target) => target,
            None => value,
        }
    }

    fn validator(&self, key: &str, schema: &Value, is_widened: bool) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let schemas = if is_widened { &self.widened } else { &self.document["components"]["schemas"] };
        let validator = validators.entry(format!("{key} {is_widened}")).or_insert_with(|| {
            // `true` takes anything.
            let mut whole = if schema.is_object() { schema.clone() } else { json!({}) };
            whole["components"] = json!({"schemas": named_in(schema, schemas)});
            Arc::new(jsonschema::validator_for(&whole).unwrap_or_else(|error| panic!("the schema of {key}: {error}")))
        });
        Arc::clone(validator)
    }
}

fn split(path: &str) -> Vec<String> {
    path.split('/').map(str::to_owned).collect()
}

/// Those of the schemas that this one names, and those that they name: a validator of all of them takes megabytes, and there are thousands.
fn named_in(schema: &Value, schemas: &Value) -> Value {
    let (mut named, mut left) = (serde_json::Map::new(), vec![schema]);
    while let Some(part) = left.pop() {
        match part {
            Value::Object(fields) => {
                let reference = fields.get("$ref").and_then(Value::as_str);
                let name = reference.and_then(|reference| reference.strip_prefix("#/components/schemas/"));
                if let Some(name) = name.filter(|name| !named.contains_key(*name)) {
                    named.insert(name.to_owned(), schemas[name].clone());
                    left.push(&schemas[name]);
                }
                left.extend(fields.values());
            }
            Value::Array(items) => left.extend(items),
            _ => {}
        }
    }
    Value::Object(named)
}

/// Every field is there under its second names too.
fn widen(schema: &mut Value) {
    let fields = schema["properties"].as_object().cloned().unwrap_or_default();
    for (name, field) in fields {
        for second in field["x-also"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            schema["properties"][second] = json!({});
            let required =
                schema.get_mut("required").and_then(Value::as_array_mut).filter(|required| required.contains(&json!(name)));
            if let Some(required) = required {
                required.push(json!(second));
            }
        }
    }
}

/// Objects with listed properties have no others: what a schema does not name must not be answered.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let is_narrowed = fields.contains_key("properties") && (fields.contains_key("oneOf") || fields.contains_key("anyOf"));
            for (name, value) in fields.iter_mut() {
                match (name.as_str(), value) {
                    // Parts of a combination describe one object together.
                    ("allOf", _) => {}
                    ("oneOf" | "anyOf", Value::Array(branches)) if is_narrowed => {
                        let properties = branches.iter_mut().filter_map(|branch| branch["properties"].as_object_mut());
                        properties.flat_map(serde_json::Map::values_mut).for_each(close);
                    }
                    (_, value) => close(value),
                }
            }
            if fields.contains_key("properties") && !fields.contains_key("additionalProperties") && !fields.contains_key("allOf")
            {
                let rest = if is_narrowed { "unevaluatedProperties" } else { "additionalProperties" };
                fields.insert(rest.into(), json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}
