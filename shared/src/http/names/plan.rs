//! Where a type has fields with second names, found once from its schema.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Value, json};

use super::{Name, TABLE, Way};
use crate::http::{Answer, shape};

/// No type of ours is deeper; one that contains itself ends here.
const DEEPEST: usize = 6;

/// The second names in a type, and in what it contains.
#[derive(Default)]
pub(crate) struct Plan {
    /// Of its own fields: each second name, and whose it is.
    pub(super) names: Vec<(&'static str, &'static Name)>,
    pub(super) fields: Vec<(String, Plan)>,
    pub(super) items: Option<Box<Plan>>,
}

impl Plan {
    /// Of an answer.
    pub(crate) fn of_answer<A: Answer>() -> Self {
        let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
        let schema = json!(A::schema(&mut generator));
        Self::with_definitions(schema, generator, Way::Told)
    }

    /// Of a body or a query.
    pub(super) fn of_input<T: JsonSchema>() -> Self {
        let mut generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
        let schema = json!(generator.subschema_for::<T>());
        Self::with_definitions(schema, generator, Way::Taken)
    }

    fn with_definitions(mut schema: Value, mut generator: SchemaGenerator, way: Way) -> Self {
        if let Some(fields) = schema.as_object_mut() {
            fields.insert("$defs".into(), generator.take_definitions(true).into());
        }
        Self::at(&schema, &schema, way, 0)
    }

    fn at(root: &Value, schema: &Value, way: Way, depth: usize) -> Self {
        let schema = present(shape::resolve(root, schema));
        let schema = shape::resolve(root, schema);
        if depth > DEEPEST {
            return Self::default();
        }
        let below = |schema: &Value| Some(Self::at(root, schema, way, depth + 1)).filter(|plan| !plan.is_empty());
        let properties = schema["properties"].as_object().into_iter().flatten();
        let mut plan = Self {
            names: names_in(schema, way),
            fields: properties.filter_map(|(name, schema)| Some((name.clone(), below(schema)?))).collect(),
            items: schema.get("items").and_then(below).map(Box::new),
        };
        // One of several types.
        for branch in schema["anyOf"].as_array().into_iter().flatten().filter_map(below) {
            plan.join(branch);
        }
        plan
    }

    fn join(&mut self, other: Self) {
        let Self { names, fields, items } = other;
        let is_new = |second: &str| self.names.iter().all(|(known, _)| *known != second);
        let names: Vec<_> = names.into_iter().filter(|(second, _)| is_new(second)).collect();
        self.names.extend(names);
        self.fields.extend(fields);
        self.items = self.items.take().or(items);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.fields.is_empty() && self.items.is_none()
    }

    /// Whether the type itself has this field, by our name, with second names.
    pub(crate) fn has(&self, ours: &str) -> bool {
        self.names.iter().any(|(_, name)| name.ours == ours)
    }

    /// Our name for a field of the type itself that was given by a second one.
    pub(super) fn ours(&self, given: &str) -> Option<&'static str> {
        self.names.iter().find(|(second, _)| *second == given).map(|(_, name)| name.ours)
    }
}

/// The second names of the fields that a schema declares, each once. One that it declares itself is a field of its own.
fn names_in(schema: &Value, way: Way) -> Vec<(&'static str, &'static Name)> {
    let declares = |name: &str| schema["properties"].get(name).is_some();
    let is_meant = |name: &&Name| name.only.is_none_or(|only| only == way) && declares(name.ours);
    let mut found: Vec<(&str, &Name)> = Vec::new();
    for name in TABLE.iter().filter(is_meant).filter(|name| name.beside.iter().all(|beside| declares(beside))) {
        for second in name.also {
            if !declares(second) && found.iter().all(|(known, _)| known != second) {
                found.push((second, name));
            }
        }
    }
    found
}

/// What may be null, as it is when it is not.
fn present(schema: &Value) -> &Value {
    let branches = schema["anyOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut present = branches.iter().filter(|branch| branch["type"] != "null");
    match (present.next(), present.next()) {
        (Some(only), None) => only,
        _ => schema,
    }
}

/// Notes in a schema, as `x-also` of each field, how else it is called.
pub(crate) fn note(schema: &mut Value, way: Way) {
    for (second, name) in names_in(schema, way) {
        if let Some(field) = schema["properties"][name.ours].as_object_mut() {
            let also = field.entry("x-also").or_insert_with(|| json!([]));
            also.as_array_mut().into_iter().for_each(|also| also.push(json!(second)));
        }
    }
}
