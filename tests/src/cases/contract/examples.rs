//! The examples of `openapi.json`: each operation has them, they fit their schemas, and they are what is answered.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Map, Value, json};
use tests::{Stack, company::text};
use uuid::Uuid;

use super::sample::Fixture;

/// Answers too long to be told whole: their examples have some of the fields.
const IN_PART: [&str; 1] = ["get_openapi"];

const HOUR: &str = "2026-11-22T12:00:00Z";

fn file(function: &str) -> String {
    format!("events/answers/{function}.json")
}

/// `RECORD_ANSWERS=1` in the environment writes them anew, when an answer is another now.
pub async fn examples_are_what_is_answered(stack: Arc<Stack>) {
    let fixture = Fixture::make(Arc::clone(&stack)).await;
    let records = std::env::var_os("RECORD_ANSWERS").is_some();
    let mut wrong = Vec::new();
    for operation in stack.openapi.operations().iter().filter(|operation| operation.alias_of.is_none()) {
        let mut answer = fixture.send(&operation.id).await;
        forget_second_names(&mut answer.body);
        assert_eq!(answer.status, operation.success, "{}: {}", operation.id, answer.body);
        if !answer.header("content-type").unwrap_or_default().contains("application/json") {
            continue;
        }
        if records {
            let mut told = answer.body.clone();
            if IN_PART.contains(&operation.id.as_str()) {
                told = json!({"openapi": told["openapi"], "info": told["info"], "paths": {}});
            }
            let told = Anonymous::default().value("", &told);
            let written = serde_json::to_string_pretty(&told).expect("JSON") + "\n";
            std::fs::write(file(&operation.id), written).expect("a file is written");
        }
        let text = std::fs::read_to_string(file(&operation.id));
        let Ok(text) = text else {
            wrong.push(format!("{} does not exist", file(&operation.id)));
            continue;
        };
        let example: Value = serde_json::from_str(&text).expect("an answer is JSON");
        if let Some(difference) = difference(&operation.id, &example, &answer.body, IN_PART.contains(&operation.id.as_str())) {
            wrong.push(difference);
        }
    }
    assert!(wrong.is_empty(), "run this test with RECORD_ANSWERS=1, then `make generate`:\n{}", wrong.join("\n"));
}

/// Tokens are told with them under every path; the description only notes them.
fn forget_second_names(value: &mut Value) {
    value.as_object_mut().into_iter().flatten().for_each(|(_, field)| forget_second_names(field));
    let second = ["accessToken", "refreshToken", "full_name"];
    value.as_object_mut().into_iter().for_each(|fields| fields.retain(|name, _| !second.contains(&name.as_str())));
}

/// Where two values have other fields or types; what is null or empty in one of them says nothing.
fn difference(at: &str, example: &Value, answer: &Value, is_in_part: bool) -> Option<String> {
    match (example, answer) {
        (Value::Object(told), Value::Object(fields)) => {
            let missing = fields.keys().filter(|name| !is_in_part && !told.contains_key(*name));
            let surplus = told.keys().filter(|name| !fields.contains_key(*name));
            if let Some(name) = missing.chain(surplus).next() {
                return Some(format!("{at}.{name} is in one of the example and the answer"));
            }
            told.iter().find_map(|(name, value)| difference(&format!("{at}.{name}"), value, &fields[name], is_in_part))
        }
        (Value::Array(told), Value::Array(items)) => {
            let (first, other) = (told.first()?, items.first()?);
            difference(&format!("{at}[0]"), first, other, is_in_part)
        }
        (Value::Null, _) | (_, Value::Null) => None,
        _ => (kind(example) != kind(answer)).then(|| format!("{at} is {example} and {answer}")),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// Takes out of an answer what is another every time: ids, times, tokens, this machine's addresses.
#[derive(Default)]
struct Anonymous {
    ids: HashMap<Uuid, usize>,
}

impl Anonymous {
    fn value(&mut self, name: &str, value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                fields.iter().map(|(name, field)| (name.clone(), self.value(name, field))).collect::<Map<_, _>>().into()
            }
            Value::Array(items) => items.iter().map(|item| self.value(name, item)).collect(),
            Value::String(text) => json!(self.text(name, text)),
            other => other.clone(),
        }
    }

    fn text(&mut self, name: &str, text: &str) -> String {
        if text.parse::<jiff::Timestamp>().is_ok() {
            return HOUR.to_owned();
        }
        if name == "email" {
            return "ana@escola.example".to_owned();
        }
        if name == "ticket" || name.ends_with("_token") || name.starts_with("x-amz-") || name == "policy" {
            return text.chars().take(12).chain("…".chars()).collect();
        }
        if ["secret", "challenge", "recovery_codes", "qr_svg"].contains(&name) {
            return text.chars().take(9).chain("…".chars()).collect();
        }
        if name == "otpauth_uri" {
            return "otpauth://totp/Balc%C3%A3o:ana@escola.example?secret=O4QRYSC7JHUGPEFA7YCFQDXCDUVEKEOC&issuer=Balc%C3%A3o"
                .to_owned();
        }
        if name == "public_key" {
            return "BDd3_hVL9fZi9Ybo2UUzA284WG5FZR30_95YeZJsiApwXKpNcF1rRPF3foIiBHXRdJI2Qhumhf6_LFTeZaNndIo".to_owned();
        }
        if name == "url" && text.starts_with("ws") {
            return "wss://sockets.example.com?ticket=q7Zr2m0bX5vJ".to_owned();
        }
        if let Some((_, path)) = text.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.split_once('/')) {
            return format!("https://files.example.com/{}", self.without_ids(path));
        }
        self.without_ids(text)
    }

    /// The same text with small numbers for its ids, each id's own.
    fn without_ids(&mut self, text: &str) -> String {
        let (mut told, mut rest) = (String::new(), text);
        while let Some(first) = rest.chars().next() {
            let id = rest.get(..36).filter(|piece| piece.as_bytes()[8] == b'-').and_then(|piece| piece.parse::<Uuid>().ok());
            if let Some(id) = id {
                let next = self.ids.len() + 1;
                let number = *self.ids.entry(id).or_insert(next);
                told.extend(format!("019a9b70-3c00-7000-8000-{number:012}").chars());
                rest = &rest[36..];
            } else {
                told.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        told
    }
}

pub async fn every_operation_has_examples_that_fit(stack: Arc<Stack>) {
    let openapi = &stack.openapi;
    let mut wrong = Vec::new();
    let mut hold = |what: String, media: &Value| {
        if media.get("example").is_none() {
            wrong.push(format!("{what} has no example"));
        } else if let Some(fault) = openapi.faults(&what, &media["schema"], &media["example"]).into_iter().next() {
            wrong.push(format!("{what}: {fault}"));
        }
    };
    for operation in openapi.operations() {
        let described = &openapi.document["paths"][&operation.path][operation.method.to_lowercase()];
        assert!(text(&described["description"]).len() > text(&described["summary"]).len(), "{}", operation.id);
        for parameter in described["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "path" || parameter.get("example").is_some() {
                hold(format!("{} {}", operation.id, parameter["name"]), parameter);
            }
        }
        if let Some(body) = described["requestBody"]["content"].get("application/json") {
            hold(format!("the body of {}", operation.id), body);
        }
        let answer = &described["responses"][operation.success.to_string()]["content"]["application/json"];
        if answer.is_object() {
            hold(format!("the answer of {}", operation.id), answer);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Schemas are objects: `true` says nothing to those who make types of them.
pub async fn no_schema_is_a_boolean(stack: Arc<Stack>) {
    let mut found = Vec::new();
    look_for_booleans("", &stack.openapi.document, &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn look_for_booleans(at: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let below = format!("{at}/{name}");
                let is_schema = at.ends_with("/properties") || ["items", "schema"].contains(&name.as_str());
                if (is_schema && field.is_boolean()) || (name == "additionalProperties" && *field == json!(true)) {
                    found.push(below.clone());
                }
                if name != "example" {
                    look_for_booleans(&below, field, found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| look_for_booleans(at, item, found)),
        _ => {}
    }
}
