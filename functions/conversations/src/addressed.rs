//! A message and whom it is for, as one object.

use std::{borrow::Cow, sync::LazyLock};

use garde::{Path, Report};
use schemars::{Schema, SchemaGenerator};
use serde::{
    Deserializer,
    de::{DeserializeOwned, Error as _},
};
use shared::prelude::*;

use crate::MessageToSend;

/// The fields of a message beside those that say whom it is for, none of which has the name of another.
#[derive(Debug)]
pub struct Addressed<To> {
    pub to: To,
    pub message: MessageToSend,
}

/// A message into a conversation.
#[derive(Debug, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SendMessage")]
pub struct ToConversation {
    #[garde(skip)]
    pub conversation_id: Uuid,
}

/// What a message is told with.
static FIELDS: LazyLock<Value> = LazyLock::new(|| Value::from(schemars::schema_for!(MessageToSend))["properties"].take());

impl<'de, To: DeserializeOwned> Deserialize<'de> for Addressed<To> {
    /// What is no message's is the address's, which refuses what it does not know.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = Map::<String, Value>::deserialize(deserializer)?;
        let (message, to): (Map<_, _>, Map<_, _>) = all.into_iter().partition(|(name, _)| FIELDS.get(name.as_str()).is_some());
        let to = To::deserialize(Value::Object(to)).map_err(D::Error::custom)?;
        let message = MessageToSend::deserialize(Value::Object(message)).map_err(D::Error::custom)?;
        Ok(Self { to, message })
    }
}

impl<To: Validate<Context = ()>> Validate for Addressed<To> {
    type Context = ();

    fn validate_into(&self, (): &(), parent: &mut dyn FnMut() -> Path, report: &mut Report) {
        self.to.validate_into(&(), parent, report);
        self.message.validate_into(&(), parent, report);
    }
}

impl<To: JsonSchema> JsonSchema for Addressed<To> {
    fn schema_name() -> Cow<'static, str> {
        To::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut whole = MessageToSend::json_schema(generator);
        let to = To::json_schema(generator);
        for (key, value) in to.as_object().into_iter().flatten() {
            match (whole.get_mut(key), value) {
                (Some(Value::Object(fields)), Value::Object(more)) => fields.extend(more.clone()),
                (Some(Value::Array(items)), Value::Array(more)) => items.extend(more.clone()),
                _ => drop(whole.insert(key.clone(), value.clone())),
            }
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_stand_side_by_side_and_no_others() {
        let read = serde_json::from_value::<Addressed<ToConversation>>;
        let sent = read(json!({"conversation_id": Uuid::nil(), "body": "Olá"})).unwrap();
        assert_eq!((sent.to.conversation_id, sent.message.body.as_str()), (Uuid::nil(), "Olá"));
        assert!(read(json!({"body": "Olá"})).is_err());
        assert!(read(json!({"conversation_id": Uuid::nil(), "body": "Olá", "colour": "red"})).is_err());
        let schema = Value::from(schemars::schema_for!(Addressed<ToConversation>));
        assert!(schema["properties"]["conversation_id"].is_object() && schema["properties"]["body"].is_object(), "{schema}");
        assert_eq!((&schema["required"], &schema["additionalProperties"]), (&json!(["conversation_id"]), &json!(false)));
        assert!(schema["oneOf"].is_array());
    }
}
