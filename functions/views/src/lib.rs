//! Filters of the inbox that people keep, for themselves or for all.

use conversations::ConversationFilters;
use garde::{Path, Report};
use schemars::{Schema, SchemaGenerator};
use serde::{Deserializer, de::Error as _};
use shared::prelude::*;

pub const NAME_TAKEN: Problem =
    Problem::new(409, "name_taken", "Já existe uma visão com este nome.", "There is a view with this name already.")
        .showing::<View>();
pub const SUPERVISORS_ONLY: Problem = Problem::new(
    403,
    "supervisors_only",
    "Só um supervisor altera o que é de todos.",
    "Only a supervisor changes what is everybody's.",
);
pub const TOO_MANY: Problem = Problem::new(409, "too_many", "Já existem 50 visões aqui.", "There are 50 views here already.");

/// The columns of `View`, from a relation named `views`.
#[macro_export]
macro_rules! view_columns {
    () => {
        "views.id, views.owner_id is null as is_shared, views.name, views.filters, views.position, views.created_by_id, views.version,
           views.created_at, views.updated_at"
    };
}

/// One, locked until the transaction ends.
pub const LOCKED: &str = concat!("select ", view_columns!(), " from views where id = $1 for no key update of views");

/// The one with the name `$2` among those that all have, `$1`, or one's own.
pub const WITH_NAME: &str = concat!(
    "select ",
    view_columns!(),
    " from views
     where owner_id is not distinct from case when not $1 then app.user_id() end and app.look(name) = app.look($2)"
);

/// Kept filters of the inbox.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct View {
    pub id: Uuid,
    /// Whether all staff have it.
    pub is_shared: bool,
    pub name: String,
    /// As `GET /conversations` takes them; of several values a list.
    #[schemars(with = "Map<String, Value>")]
    pub filters: Value,
    /// Its place among one's own, or among those that all have.
    pub position: i32,
    pub created_by_id: Uuid,
    pub version: i32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Versioned for View {
    fn version(&self) -> i32 {
        self.version
    }
}

impl View {
    /// Tells those who have it.
    pub fn tell<P: EventPayload>(&self, transaction: &Transaction, caller: &Identity, payload: &P) {
        tell(transaction, caller, self.is_shared, payload);
    }
}

/// Tells all staff, or the caller alone.
pub fn tell<P: EventPayload>(transaction: &Transaction, caller: &Identity, is_shared: bool, payload: &P) {
    if is_shared { transaction.tell_staff(payload) } else { transaction.tell_person(caller.user_id, payload) }
}

/// Whether this caller may write those that all have, or their own.
pub fn may_write(is_shared: bool, caller: &Identity) -> bool {
    !is_shared || caller.role.is_leader()
}

/// How many values of one filter, and how many bytes of all, a view keeps.
const MOST_VALUES: usize = 20;
const MOST_BYTES: usize = 4000;

/// What `GET /conversations` may be asked for, and nothing that it would pass over.
#[derive(Debug)]
pub struct Filters {
    /// As they were given.
    pub given: Value,
    pub read: ConversationFilters,
}

impl<'de> Deserialize<'de> for Filters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Map::<String, Value>::deserialize(deserializer)?;
        let schema = Value::from(schemars::schema_for!(ConversationFilters));
        if let Some(unknown) = given.keys().find(|name| schema["properties"].get(name.as_str()).is_none()) {
            return Err(D::Error::custom(format!("unknown field `{unknown}`")));
        }
        let given = Value::Object(given);
        let read = ConversationFilters::deserialize(&given).map_err(D::Error::custom)?;
        Ok(Self { given, read })
    }
}

impl Validate for Filters {
    type Context = ();

    fn validate_into(&self, (): &(), parent: &mut dyn FnMut() -> Path, report: &mut Report) {
        let has_too_many = |value: &Value| value.as_array().is_some_and(|values| values.len() > MOST_VALUES);
        if self.given.as_object().is_some_and(|given| given.values().any(has_too_many))
            || self.given.to_string().len() > MOST_BYTES
        {
            let (portuguese, english) = ("São valores demais.", "These are too many values.");
            report.append(parent(), shared::rule("too_long", portuguese, english));
        }
        self.read.validate_into(&(), parent, report);
    }
}

impl JsonSchema for Filters {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ViewFilters".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = ConversationFilters::json_schema(generator);
        schema.insert("additionalProperties".into(), json!(false));
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        for property in properties.into_iter().flat_map(Map::values_mut) {
            if property.get("items").is_some() {
                property["maxItems"] = json!(MOST_VALUES);
            }
        }
        schema
    }
}

/// There is a new view.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ViewCreated {
    pub view: View,
}
event!(ViewCreated = "view.created");

/// It has another name or other filters.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ViewUpdated {
    pub view: View,
}
event!(ViewUpdated = "view.updated");

/// A view is gone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ViewDeleted {
    pub view_id: Uuid,
}
event!(ViewDeleted = "view.deleted");

/// One's own, or those that all have, come in another order.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ViewsOrdered {
    pub is_shared: bool,
    pub view_ids: Vec<Uuid>,
}
event!(ViewsOrdered = "views.ordered");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_those_of_the_inbox() {
        let read = |filters: Value| serde_json::from_value::<Filters>(filters);
        let rules = |filters: Value| read(filters).unwrap().validate();
        assert!(rules(json!({"category": ["open"], "assignee": ["me", "none"], "unread": true})).is_ok());
        assert!(rules(json!({})).is_ok());
        for unreadable in [json!({"categories": ["open"]}), json!({"category": "open"}), json!({"unread": "yes"}), json!([])] {
            assert!(read(unreadable.clone()).is_err(), "{unreadable}");
        }
        for refused in [json!({"category": ["resolved"]}), json!({"assignee": ["you"]}), json!({"tag": vec!["x"; 21]})] {
            assert!(rules(refused.clone()).is_err(), "{refused}");
        }
        assert!(rules(json!({"tag": ["x".repeat(4000)]})).is_err());
    }
}
