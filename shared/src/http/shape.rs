//! Every way in which a value differs from its type's schema. Serde stops at the first.

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::field_problems::{invalid_type, required, unknown_field, unknown_value};
use crate::error::FieldProblem;

/// Missing, unknown and mistyped fields of `value`. Finds nothing where only serde knows better than the schema.
pub(crate) fn problems(schema: &Value, value: &Value) -> Vec<FieldProblem> {
    problems_at(schema, schema, value, "")
}

fn problems_at(root: &Value, schema: &Value, value: &Value, path: &str) -> Vec<FieldProblem> {
    let schema = resolve(root, schema);
    if let Some(known) = known_values(schema) {
        return check_known(&known, value, path);
    }
    if let Some(branches) = alternatives(schema) {
        return problems_of_alternatives(root, branches, value, path);
    }
    if !has_type(schema, value) || !has_format(schema, value) {
        return vec![invalid_type(path, "Invalid value.")];
    }
    match value {
        Value::Object(fields) => problems_of_fields(root, schema, fields, path),
        Value::Array(items) => {
            let of_item = |(index, item)| problems_at(root, &schema["items"], item, &format!("{path}[{index}]"));
            items.iter().enumerate().flat_map(of_item).collect()
        }
        _ => Vec::new(),
    }
}

/// Lists where fields are asked for, which serde would take for the values of a struct in the order of its fields.
pub(crate) fn misplaced_lists(schema: &Value, value: &Value) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    note_misplaced(schema, &[schema], value, "", &mut problems);
    problems
}

fn note_misplaced(root: &Value, schemas: &[&Value], value: &Value, path: &str, problems: &mut Vec<FieldProblem>) {
    let branches: Vec<&Value> = schemas.iter().flat_map(|schema| branches_of(root, schema)).collect();
    match value {
        Value::Array(items) => {
            let takes_lists = branches.iter().any(|branch| has_type(branch, value));
            if !takes_lists && branches.iter().any(|branch| has_type(branch, &Value::Object(Map::new()))) {
                return problems.push(invalid_type(path, "Invalid value."));
            }
            let below: Vec<&Value> = branches.iter().filter_map(|branch| branch.get("items")).collect();
            for (index, item) in items.iter().enumerate() {
                note_misplaced(root, &below, item, &format!("{path}[{index}]"), problems);
            }
        }
        Value::Object(fields) => {
            let meant: Vec<&Value> = branches.into_iter().filter(|branch| is_meant(branch, value)).collect();
            for (name, field) in fields {
                let of_field = |branch: &&'_ Value| branch["properties"].get(name).is_some();
                let below: Vec<&Value> =
                    meant.iter().filter(|branch| of_field(branch)).map(|branch| &branch["properties"][name]).collect();
                let others =
                    meant.iter().filter(|branch| !of_field(branch)).filter_map(|branch| branch.get("additionalProperties"));
                let below: Vec<&Value> = below.into_iter().chain(others).collect();
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                note_misplaced(root, &below, field, &path, problems);
            }
        }
        _ => {}
    }
}

/// Each of the types that a schema leaves the choice of; itself where it leaves none.
fn branches_of<'schema>(root: &'schema Value, schema: &'schema Value) -> Vec<&'schema Value> {
    let schema = resolve(root, schema);
    let branches = alternatives(schema).into_iter().flatten().flat_map(|branch| branches_of(root, branch));
    if alternatives(schema).is_some() { branches.collect() } else { vec![schema] }
}

/// Beside fields, branches only say which of them go together, and the rules say that in words.
fn alternatives(schema: &Value) -> Option<&Vec<Value>> {
    let branches = schema.get("anyOf").or_else(|| schema.get("oneOf")).filter(|_| schema.get("properties").is_none());
    branches.and_then(Value::as_array)
}

fn problems_of_fields(root: &Value, schema: &Value, fields: &Map<String, Value>, path: &str) -> Vec<FieldProblem> {
    let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let names = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let missing = names.filter(|name| !fields.contains_key(*name)).map(|name| required(join(name)));
    let given = fields.iter().flat_map(|(name, value)| match schema["properties"].get(name) {
        Some(property) => problems_at(root, property, value, &join(name)),
        None if schema["additionalProperties"] == false => vec![unknown_field(join(name))],
        None => problems_at(root, &schema["additionalProperties"], value, &join(name)),
    });
    missing.chain(given).collect()
}

/// Judged by the one that was meant; which of several that is, serde may know.
fn problems_of_alternatives(root: &Value, branches: &[Value], value: &Value, path: &str) -> Vec<FieldProblem> {
    let branches = || branches.iter().map(|branch| resolve(root, branch));
    if branches().any(|branch| problems_at(root, branch, value, path).is_empty()) {
        return Vec::new();
    }
    let mut meant = branches().filter(|branch| is_meant(branch, value));
    match (meant.next(), meant.next()) {
        (Some(branch), None) => problems_at(root, branch, value, path),
        _ => Vec::new(),
    }
}

/// Whether it is more than the absence of a value, and no tag in the value names another.
fn is_meant(branch: &Value, value: &Value) -> bool {
    let mut properties = branch["properties"].as_object().into_iter().flatten();
    let is_tagged_otherwise = properties.any(|(name, property)| {
        let tag = property.get("const");
        tag.is_some() && value.get(name).is_some() && value.get(name) != tag
    });
    branch["type"] != "null" && !is_tagged_otherwise
}

pub(super) fn resolve<'schema>(root: &'schema Value, schema: &'schema Value) -> &'schema Value {
    let target = schema["$ref"].as_str().and_then(|reference| root.pointer(reference.strip_prefix('#')?));
    target.map_or(schema, |target| resolve(root, target))
}

/// All values of an enumeration, whose documented ones have a branch of their own.
fn known_values(schema: &Value) -> Option<Vec<&Value>> {
    if let Some(value) = schema.get("const") {
        return Some(vec![value]);
    }
    if let Some(values) = schema["enum"].as_array() {
        return Some(values.iter().collect());
    }
    let branches: Option<Vec<_>> = schema["oneOf"].as_array()?.iter().map(known_values).collect();
    branches.map(|branches| branches.concat())
}

fn check_known(known: &[&Value], value: &Value, path: &str) -> Vec<FieldProblem> {
    if known.contains(&value) {
        return Vec::new();
    }
    let names: Vec<&str> = known.iter().filter_map(|value| value.as_str()).collect();
    vec![if value.is_string() { unknown_value(path, &names) } else { invalid_type(path, "Invalid value.") }]
}

fn has_type(schema: &Value, value: &Value) -> bool {
    match &schema["type"] {
        Value::String(kind) => is_a(kind, value),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).any(|kind| is_a(kind, value)),
        _ => true,
    }
}

fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

fn has_format(schema: &Value, value: &Value) -> bool {
    match (schema["format"].as_str(), value.as_str()) {
        (Some("uuid"), Some(text)) => text.parse::<Uuid>().is_ok(),
        (Some("date-time"), Some(text)) => text.parse::<Timestamp>().is_ok(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use schemars::{JsonSchema, schema_for};
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Input {
        id: Uuid,
        at: Option<Timestamp>,
        #[serde(default)]
        ids: Vec<Uuid>,
        kind: Kind,
        place: Option<Place>,
        channel: Option<Channel>,
        counts: Option<HashMap<String, u32>>,
        anything: Option<Value>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Text,
        /// Documented, and so described apart.
        Image,
    }

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Place {
        latitude: f64,
        name: Option<String>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    #[expect(dead_code, reason = "only its schema is used")]
    enum Channel {
        Phone { number: String },
        Mail { address: String, port: u16 },
    }

    const ID: &str = "00000000-0000-0000-0000-000000000000";

    /// The problems of a whole input with these fields instead of its own.
    fn found(fields: Value) -> Vec<(String, String)> {
        let mut input = json!({"id": ID, "kind": "text"});
        let Value::Object(fields) = fields else { return codes(&fields) };
        input.as_object_mut().unwrap().extend(fields);
        codes(&input)
    }

    fn codes(input: &Value) -> Vec<(String, String)> {
        let schema = Value::from(schema_for!(Input));
        problems(&schema, input).into_iter().map(|problem| (problem.field, problem.code)).collect()
    }

    fn named(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(field, code)| ((*field).to_owned(), (*code).to_owned())).collect()
    }

    #[test]
    fn what_fits_has_no_problems() {
        let place = json!({"latitude": 1, "altitude": 7});
        let whole = json!({"at": "2026-01-02T03:04:05Z", "ids": [ID], "place": place, "channel": {"kind": "phone", "number": "1"},
                           "counts": {"a": 1}, "anything": [1, {"x": null}]});
        assert_eq!(found(whole), []);
        assert_eq!(found(json!({"at": null, "place": null, "channel": null, "counts": null, "kind": "image"})), []);
    }

    #[test]
    fn missing_and_unknown_fields_are_named_together() {
        assert_eq!(codes(&json!({})), named(&[("id", "required"), ("kind", "required")]));
        assert_eq!(codes(&json!({"kind": "text", "zzz": 1})), named(&[("id", "required"), ("zzz", "unknown_field")]));
        assert_eq!(codes(&json!([])), named(&[("", "invalid_type")]));
    }

    #[test]
    fn lists_in_place_of_fields_are_named() {
        let schema = Value::from(schema_for!(Input));
        let misplaced = |input: Value| -> Vec<(String, String)> {
            misplaced_lists(&schema, &input).into_iter().map(|problem| (problem.field, problem.code)).collect()
        };
        let whole = json!({"ids": [ID], "place": {"latitude": 1}, "channel": {"kind": "phone", "number": "1"}, "counts": {"a": 1},
                           "anything": [1, [2], {"x": [3]}], "unknown": [1]});
        assert_eq!(misplaced(whole), []);
        assert_eq!(misplaced(json!([ID, null])), named(&[("", "invalid_type")]));
        assert_eq!(misplaced(json!({"place": [1.5, "here"]})), named(&[("place", "invalid_type")]));
        assert_eq!(
            misplaced(json!({"place": [], "channel": ["phone", "1"]})),
            named(&[("channel", "invalid_type"), ("place", "invalid_type")])
        );
        let places = Value::from(schema_for!(Vec<HashMap<String, Place>>));
        let problems = misplaced_lists(&places, &json!([{"a": {"latitude": 1}}, {"b": [1, null]}]));
        assert_eq!(problems.into_iter().map(|problem| problem.field).collect::<Vec<_>>(), ["[1].b"]);
    }

    #[test]
    fn wrong_types_are_named_where_they_are() {
        assert_eq!(found(json!({"id": 7, "at": "noon"})), named(&[("at", "invalid_type"), ("id", "invalid_type")]));
        assert_eq!(found(json!({"ids": [ID, "x", null]})), named(&[("ids[1]", "invalid_type"), ("ids[2]", "invalid_type")]));
        assert_eq!(
            found(json!({"place": {"latitude": "n", "name": 5}})),
            named(&[("place.latitude", "invalid_type"), ("place.name", "invalid_type")])
        );
        assert_eq!(
            found(json!({"place": 5, "counts": {"a": 1.5}})),
            named(&[("counts.a", "invalid_type"), ("place", "invalid_type")])
        );
    }

    #[test]
    fn unknown_values_name_those_that_are_known() {
        assert_eq!(found(json!({"kind": "video"})), named(&[("kind", "unknown_value")]));
        assert_eq!(found(json!({"kind": 7})), named(&[("kind", "invalid_type")]));
        let schema = Value::from(schema_for!(Kind));
        let problem = problems(&schema, &json!("video")).remove(0);
        assert_eq!(problem.portuguese, "Valor desconhecido. Use: text, image.");
    }

    #[test]
    fn of_tagged_alternatives_the_one_named_counts() {
        assert_eq!(
            found(json!({"channel": {"kind": "mail", "port": "x"}})),
            named(&[("channel.address", "required"), ("channel.port", "invalid_type")])
        );
        // Serde says it.
        assert_eq!(found(json!({"channel": {"kind": "fax"}})), []);
        assert_eq!(found(json!({"channel": {}})), []);
    }
}
