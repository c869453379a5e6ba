//! What views ask for: what the lists that they stand for may be asked, and nothing that those would pass over.

use conversations::{AskedConversations, ConversationFilters};
use leads::LeadFilters;
use schemars::{Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use shared::{closed_set, error::FieldProblem, prelude::*, read_field};

closed_set! {
    /// What a view is a list of.
    #[derive(Default)]
    pub ViewKind { #[default] Conversations = "conversations", Leads = "leads" }
}

/// How many values of one filter, and how many bytes of all, a view keeps.
const MOST_VALUES: usize = 20;
const MOST_BYTES: usize = 4000;

/// Filters as they were given.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Filters(Map<String, Value>);

/// What a list is asked for by a view.
pub enum Asked {
    Conversations(Box<AskedConversations>),
    /// With how many are counted at most.
    Leads(Box<leads::listing::Asked>, i64),
}

impl Filters {
    /// Filters that are kept already.
    #[must_use]
    pub fn kept(filters: &Value) -> Self {
        Self(filters.as_object().cloned().unwrap_or_default())
    }

    /// What they ask for when `caller` looks; counts stop at `most`.
    ///
    /// # Errors
    /// 422 with whatever that list cannot be asked for.
    pub fn read(&self, kind: ViewKind, caller: Uuid, most: i64) -> Result<Asked, Error> {
        Ok(match kind {
            ViewKind::Conversations => {
                let list = List { filters: self.read_as()?, order: Order::Desc, at: None, id: None, wanted: most };
                Asked::Conversations(Box::new(AskedConversations::read(list, caller)))
            }
            ViewKind::Leads => Asked::Leads(Box::new(self.read_as::<LeadFilters>()?.asked(caller)), most),
        })
    }

    fn read_as<T: DeserializeOwned + JsonSchema + Validate<Context = ()>>(&self) -> Result<T, Error> {
        let schema = Value::from(schemars::schema_for!(T));
        let is_known = |name: &str| schema["properties"].get(name).is_some();
        let unknown =
            self.0.keys().filter(|name| !is_known(name)).map(|name| {
                FieldProblem::new(format!("filters.{name}"), "unknown_field", "Campo desconhecido.", "Unknown field.")
            });
        let has_too_many = |value: &Value| value.as_array().is_some_and(|values| values.len() > MOST_VALUES);
        let is_too_much = self.0.values().any(has_too_many) || json!(self).to_string().len() > MOST_BYTES;
        let too_much =
            is_too_much.then(|| FieldProblem::new("filters", "too_long", "São valores demais.", "These are too many values."));
        shared::error::refuse(unknown.chain(too_much))?;
        read_field("filters", &json!(self))
    }

    /// Whether they search for words: what is searched for is counted when it is looked at.
    #[must_use]
    pub fn search(&self) -> bool {
        self.0.contains_key("search")
    }
}

impl Asked {
    /// How many there are.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count(&self, transaction: &Transaction) -> Result<i64, Error> {
        match self {
            Self::Conversations(asked) => asked.count(transaction).await,
            Self::Leads(asked, most) => asked.count(transaction, *most).await,
        }
    }
}

/// With nothing beside what the list may be asked, and with few values.
fn strict<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = T::json_schema(generator);
    schema.insert("additionalProperties".into(), json!(false));
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut) {
        if property.get("items").is_some() {
            property["maxItems"] = json!(MOST_VALUES);
        }
    }
    schema
}

macro_rules! strict_filters {
    ($($name:ident of $list:ty),*) => {
        $(
            struct $name;

            impl JsonSchema for $name {
                fn schema_name() -> std::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                    strict::<$list>(generator)
                }
            }
        )*
    };
}

strict_filters! { ViewFilters of ConversationFilters, LeadViewFilters of LeadFilters }

impl JsonSchema for Filters {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FiltersOfEitherKind".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let either = [generator.subschema_for::<ViewFilters>(), generator.subschema_for::<LeadViewFilters>()];
        schemars::json_schema!({"type": "object", "anyOf": either})
    }
}

/// Says of a body which filters go with which kind.
pub fn of_its_kind(schema: &mut Schema) {
    let filters = json!(schema)["properties"]["filters"].clone();
    // Where named schemas stand is the generator's business.
    let reference = |name: &str| first_reference(&filters, &format!("/{name}"));
    let of = |kind: &str, name: &str| json!({"properties": {"kind": {"enum": [kind]}, "filters": {"$ref": reference(name)}}});
    let mut leads = of("leads", "LeadViewFilters");
    leads["required"] = json!(["kind"]);
    schema.insert("oneOf".into(), json!([of("conversations", "ViewFilters"), leads]));
}

fn first_reference(schema: &Value, end: &str) -> Option<String> {
    match schema {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str).filter(|reference| reference.ends_with(end));
            own.map(str::to_owned).or_else(|| fields.values().find_map(|field| first_reference(field, end)))
        }
        Value::Array(items) => items.iter().find_map(|item| first_reference(item, end)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(kind: ViewKind, filters: Value) -> bool {
        Filters::kept(&filters).read(kind, Uuid::nil(), 1).is_err()
    }

    #[test]
    fn filters_are_those_of_their_list() {
        let (inbox, leads) = (ViewKind::Conversations, ViewKind::Leads);
        for (kind, filters) in [
            (inbox, json!({"category": ["open"], "assignee": ["me", "none"], "unread": true})),
            (inbox, json!({})),
            (leads, json!({})),
            (
                leads,
                json!({"status": ["open", "new"], "closer": ["me"], "score_min": 50, "from": "2026-01-01", "value_min": "10.50"}),
            ),
        ] {
            assert!(!refused(kind, filters.clone()), "{filters}");
        }
        for (kind, filters) in [
            (inbox, json!({"categories": ["open"]})),
            (inbox, json!({"category": "open"})),
            (inbox, json!({"unread": "yes"})),
            (inbox, json!({"closer": ["me"]})),
            (inbox, json!({"category": ["resolved"]})),
            (inbox, json!({"assignee": ["you"]})),
            (inbox, json!({"tag": vec!["x"; 21]})),
            (inbox, json!({"tag": ["x".repeat(4000)]})),
            (leads, json!({"assignee": ["me"]})),
            (leads, json!({"closer": "me"})),
            (leads, json!({"score_min": 101})),
            (leads, json!({"temperature": ["tepid"]})),
            (leads, json!({"status": vec!["open"; 21]})),
        ] {
            assert!(refused(kind, filters.clone()), "{filters}");
        }
    }
}
