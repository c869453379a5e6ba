//! `components.schemas`: the schemas of all functions under their types' names, each name meaning one schema.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail, ensure};
use serde_json::{Map, Value, json};

use crate::functions::Function;

const PREFIX: &str = "#/components/schemas/";

#[derive(Default)]
pub struct Schemas(BTreeMap<String, Entry>);

struct Entry {
    schema: Value,
    function: String,
    use_of_it: Use,
}

/// How a function uses a type: what may be left out of an input is always there in an output, so that their schemas differ.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    Input,
    Output,
    Both,
}

impl Use {
    fn shown(self) -> &'static str {
        match self {
            Self::Input => "as input",
            Self::Output => "as output",
            Self::Both => "as input and output",
        }
    }
}

impl Schemas {
    /// Adds a schema that no function describes.
    pub fn add(&mut self, name: &str, schema: Value) {
        let entry = Entry { schema, function: "generate".to_owned(), use_of_it: Use::Both };
        self.0.insert(name.to_owned(), entry);
    }

    /// Adds the schemas a function describes.
    pub fn add_of(&mut self, function: &Function) -> Result<()> {
        let description = &function.description;
        let Some(schemas) = description["schemas"].as_object() else { return Ok(()) };
        let inputs = reached(&[&description["body"], &description["query"], &description["input"]], schemas);
        let outputs = reached(&[&description["answer"], &description["events"]], schemas);
        for (name, schema) in schemas {
            let use_of_it = match (inputs.contains(name), outputs.contains(name)) {
                (true, false) => Use::Input,
                (false, true) => Use::Output,
                _ => Use::Both,
            };
            self.add_one(name, schema, function, use_of_it)?;
        }
        Ok(())
    }

    fn add_one(&mut self, name: &str, schema: &Value, function: &Function, use_of_it: Use) -> Result<()> {
        let new = Entry { schema: schema.clone(), function: function.name.clone(), use_of_it };
        let Some(old) = self.0.get_mut(name) else {
            self.0.insert(name.to_owned(), new);
            return Ok(());
        };
        if old.schema == new.schema {
            if old.use_of_it != new.use_of_it {
                old.use_of_it = Use::Both;
            }
            return Ok(());
        }
        let (one, other) = (old.use_of_it.shown(), new.use_of_it.shown());
        let advice = if old.use_of_it == new.use_of_it {
            "two types of different content need different names"
        } else {
            "a type that is both input and output needs the same schema as both (no `default` or `skip_serializing_if`), or two types"
        };
        bail!("the schema {name} of {} ({one}) differs from that of {} ({other}): {advice}", old.function, new.function)
    }

    /// Says of a type what one of its fields holds for each value of another.
    pub fn narrow(&mut self, name: &str, by: &str, field: &str, schemas: &BTreeMap<String, Value>) {
        let Some(fields) = self.0.get_mut(name).and_then(|entry| entry.schema.as_object_mut()) else { return };
        let branch = |(value, schema): (&String, &Value)| {
            let properties = json!({by: {"const": value}, field: schema});
            json!({"title": value, "type": "object", "required": [by, field], "properties": properties})
        };
        fields.insert("oneOf".into(), schemas.iter().map(branch).collect());
    }

    /// Fails on a reference to a schema that is not there.
    pub fn check_references(&self, document: &Value) -> Result<()> {
        let mut found = BTreeSet::new();
        references(document, &mut found);
        for entry in self.0.values() {
            references(&entry.schema, &mut found);
        }
        for name in found {
            ensure!(self.0.contains_key(&name), "a reference names the schema {name}, which no function describes");
        }
        Ok(())
    }

    pub fn into_json(self) -> Value {
        self.0.into_iter().map(|(name, entry)| (name, entry.schema)).collect::<Map<_, _>>().into()
    }
}

/// Names of the schemas that `roots` lead to.
fn reached(roots: &[&Value], schemas: &Map<String, Value>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for root in roots {
        references(root, &mut found);
    }
    loop {
        let mut more = found.clone();
        for schema in found.iter().filter_map(|name| schemas.get(name)) {
            references(schema, &mut more);
        }
        if more == found {
            return found;
        }
        found = more;
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix(PREFIX));
            found.extend(name.map(str::to_owned));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// A schema that stands for itself, made part of the document: its definitions move to `components.schemas`.
pub fn hoisted(schema: &Value) -> (Value, Map<String, Value>) {
    let mut schema = renamed(schema);
    let Some(fields) = schema.as_object_mut() else { return (schema, Map::new()) };
    fields.remove("$schema");
    let definitions = fields.remove("$defs").and_then(|definitions| definitions.as_object().cloned()).unwrap_or_default();
    (schema, definitions)
}

fn renamed(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| {
                let target = field.as_str().filter(|_| name == "$ref").and_then(|reference| reference.strip_prefix("#/$defs/"));
                let field = target.map_or_else(|| renamed(field), |target| format!("{PREFIX}{target}").into());
                (name.clone(), field)
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(renamed).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str, description: Value) -> Function {
        Function { name: name.into(), package: "leads".into(), headline: String::new(), details: None, description }
    }

    fn with_lead(name: &str, place: &str, schema: Value) -> Function {
        function(name, json!({place: {"schema": {"$ref": "#/components/schemas/Lead"}}, "schemas": {"Lead": schema}}))
    }

    #[test]
    fn one_name_means_one_schema() {
        let mut schemas = Schemas::default();
        assert!(schemas.add_of(&with_lead("get_lead", "answer", json!({"type": "object"}))).is_ok());
        assert!(schemas.add_of(&with_lead("list_leads", "answer", json!({"type": "object"}))).is_ok());
        let told = schemas.add_of(&with_lead("create_lead", "body", json!({"type": "string"}))).unwrap_err().to_string();
        assert!(told.contains("get_lead (as output)") && told.contains("create_lead (as input)"), "{told}");
        assert!(told.contains("both input and output"), "{told}");
    }

    #[test]
    fn a_type_is_narrowed_by_one_of_its_fields() {
        let mut schemas = Schemas::default();
        schemas.add("Event", json!({"type": "object", "properties": {"type": {"type": "string"}, "data": {}}}));
        schemas.narrow("Event", "type", "data", &BTreeMap::from([("lead.created".to_owned(), json!({"type": "object"}))]));
        let event = &schemas.into_json()["Event"];
        assert_eq!(event["oneOf"][0]["properties"], json!({"type": {"const": "lead.created"}, "data": {"type": "object"}}));
    }

    #[test]
    fn definitions_move_out() {
        let (schema, definitions) =
            hoisted(&json!({"$schema": "x", "$defs": {"A": {"type": "string"}}, "items": {"$ref": "#/$defs/A"}}));
        assert_eq!(schema, json!({"items": {"$ref": "#/components/schemas/A"}}));
        assert_eq!(definitions["A"], json!({"type": "string"}));
    }

    #[test]
    fn references_to_nothing_are_refused() {
        let document = json!({"a": [{"$ref": "#/components/schemas/Missing"}]});
        assert!(Schemas::default().check_references(&document).is_err());
    }
}
