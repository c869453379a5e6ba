//! `openapi.json`: what the functions describe as one OpenAPI 3.1 document.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use crate::{
    examples::Examples,
    functions::{self, Function, Workspace},
    operation,
    schemas::Schemas,
    sockets,
};

const ABOUT: &str = "Customer service over WhatsApp and the web. Errors are RFC 9457 problems; lists are read by cursor.\n\n\
    Fields have second names, listed as `x-also`, for front ends written for other back ends. Requests may use them in place of ours, \
    in bodies and queries alike. Answers under `/api/v1`, and those with tokens under every path, carry them besides ours; where a \
    second name says something else than ours, its value follows from ours. Events do not have them.";

/// The document, pretty printed, its keys in alphabetical order.
pub fn document(functions: &[Function], workspace: &Workspace) -> Result<String> {
    let mut schemas = Schemas::default();
    schemas.add("Problem", problem());
    let mut paths: Map<String, Value> = Map::new();
    let mut responses = Map::new();
    let mut events = BTreeMap::new();
    for function in functions {
        schemas.add_of(function)?;
        add_events(&mut events, function)?;
    }
    for function in functions.iter().filter(|function| function.is("http")) {
        let examples = Examples::of(function, &workspace.root)?;
        for way in function.ways()? {
            let (method, path) = way;
            let operation = operation::of(function, way, &mut responses, &examples)
                .with_context(|| format!("describing {}", function.name))?;
            paths.entry(path).or_insert_with(|| json!({}))[method.to_ascii_lowercase()] = operation;
        }
    }
    schemas.narrow("FeedEvent", "type", "data", &events);
    let actions = sockets::actions(functions, &mut schemas)?;
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Balcão",
            "version": "1",
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}, {"url": "/api"}, {"url": "/api/v1"}],
        "tags": tags(functions, workspace),
        "paths": paths,
        "components": {
            "responses": responses,
            "securitySchemes": {"bearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
        "x-events": events,
        "x-socket-actions": actions,
    });
    schemas.check_references(&document)?;
    document["components"]["schemas"] = schemas.into_json();
    no_booleans(&mut document);
    Ok(serde_json::to_string_pretty(&sorted(&document))? + "\n")
}

/// Adds the payloads of events that the code of a function declares. One type of event has one payload.
fn add_events(events: &mut BTreeMap<String, Value>, function: &Function) -> Result<()> {
    for (name, schema) in function.description["events"].as_object().into_iter().flatten() {
        let known = events.entry(name.clone()).or_insert_with(|| schema.clone());
        ensure!(known == schema, "{} knows another payload of the event {name} than a function before it", function.name);
    }
    Ok(())
}

/// The domains that have routes, each with the first line of its library.
fn tags(functions: &[Function], workspace: &Workspace) -> Value {
    let names: BTreeSet<&str> =
        functions.iter().filter(|function| function.is("http")).map(|function| function.package.as_str()).collect();
    let tag = |name: &str| {
        let library = workspace.root.join("functions").join(name).join("src/lib.rs");
        let headline = functions::doc_lines(&library).ok().map(|(headline, _)| headline);
        headline.map_or_else(|| json!({"name": name}), |headline| json!({"name": name, "description": headline}))
    };
    names.into_iter().map(tag).collect()
}

/// The body of every failure.
fn problem() -> Value {
    json!({
        "description": "What went wrong (RFC 9457).",
        "type": "object",
        "required": ["type", "title", "status", "code", "detail", "error", "request_id"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string", "description": "The meaning of the status, in the caller's language."},
            "status": {"type": "integer"},
            "code": {"type": "string", "description": "Stable name of the problem, for programs."},
            "detail": {"type": "string", "description": "The problem in the caller's language, for people."},
            "error": {"type": "string", "description": "The same as `detail`, for front ends that read only this."},
            "request_id": {"type": "string"},
            "errors": {
                "description": "Every field that needs correction.",
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["field", "code", "message"],
                    "properties": {"field": {"type": "string"}, "code": {"type": "string"}, "message": {"type": "string"}},
                },
            },
            "current": {"description": "The current state, when it conflicts with the request."},
        },
    })
}

/// `true` as a schema says nothing, and so does `{}`, which every tool reads.
fn no_booleans(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                let are_schemas = field.as_object_mut().filter(|_| name == "properties");
                are_schemas
                    .into_iter()
                    .flatten()
                    .filter(|(_, schema)| **schema == true)
                    .for_each(|(_, schema)| *schema = json!({}));
                if ["items", "additionalProperties", "schema"].contains(&name.as_str()) && *field == true {
                    *field = json!({});
                }
                no_booleans(field);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(no_booleans),
        _ => {}
    }
}

/// The same value with the keys of every object in order, whatever the features of `serde_json`.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            fields.into_iter().map(|(name, field)| (name.clone(), sorted(field))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}
