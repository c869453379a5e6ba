//! `x-socket-actions`: the messages a connected client may send.

use anyhow::{Result, ensure};
use serde_json::{Map, Value, json};

use crate::{
    functions::Function,
    schemas::{Schemas, hoisted},
};

/// The actions by name, each with what it does and the schema of its message. Their types join the others in `schemas`.
pub fn actions(functions: &[Function], schemas: &mut Schemas) -> Result<Value> {
    let mut actions = Map::new();
    for function in functions.iter().filter(|function| function.is("websocket")) {
        let key = function.text("route_key")?;
        check_route_key(key, function)?;
        if key.starts_with('$') {
            continue;
        }
        let (message, definitions) = hoisted(&function.description["input"]);
        let described = json!({"name": function.name, "schemas": definitions, "input": message.clone()});
        schemas.add_of(&Function {
            name: function.name.clone(),
            package: function.package.clone(),
            headline: function.headline.clone(),
            details: None,
            description: described,
        })?;
        let message = with_action(message, key);
        actions.insert(key.to_owned(), json!({"operationId": function.name, "summary": function.summary(), "message": message}));
    }
    Ok(actions.into())
}

/// The message as it is sent: the function's input and the `action` that finds the function.
fn with_action(mut message: Value, key: &str) -> Value {
    let Some(fields) = message.as_object_mut() else { return message };
    fields.remove("title");
    fields.insert("type".into(), "object".into());
    if let Some(properties) = fields.entry("properties").or_insert_with(|| json!({})).as_object_mut() {
        properties.insert("action".into(), json!({"const": key}));
    }
    if let Some(required) = fields.entry("required").or_insert_with(|| json!([])).as_array_mut() {
        required.insert(0, "action".into());
    }
    message
}

/// SAM takes only letters and digits besides the three fixed keys.
fn check_route_key(key: &str, function: &Function) -> Result<()> {
    let is_fixed = ["$connect", "$disconnect", "$default"].contains(&key);
    let is_action = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    ensure!(is_fixed || is_action, "the route key {key} of {} has other than letters and digits", function.name);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(name: &str, key: &str, input: Value) -> Function {
        let description = json!({"trigger": "websocket", "route_key": key, "input": input});
        Function {
            name: name.into(),
            package: "realtime".into(),
            headline: "`ping` — answers.".into(),
            details: None,
            description,
        }
    }

    #[test]
    fn a_message_names_its_action() {
        let input = json!({"$defs": {"Place": {"type": "string"}}, "type": "object", "title": "Ping",
            "properties": {"after": {"$ref": "#/$defs/Place"}}, "additionalProperties": false});
        let functions = [socket("ping", "ping", input), socket("connect", "$connect", Value::Null)];
        let mut schemas = Schemas::default();
        let actions = actions(&functions, &mut schemas).unwrap();
        assert_eq!(actions.as_object().unwrap().len(), 1);
        assert_eq!(actions["ping"]["summary"], "answers.");
        let message = &actions["ping"]["message"];
        assert_eq!(message["properties"]["action"], json!({"const": "ping"}));
        assert_eq!(message["properties"]["after"]["$ref"], "#/components/schemas/Place");
        assert_eq!(message["required"], json!(["action"]));
        assert!(schemas.check_references(&actions).is_ok());
    }

    #[test]
    fn keys_that_sam_refuses_are_refused() {
        let functions = [socket("send_message", "send-message", Value::Null)];
        assert!(actions(&functions, &mut Schemas::default()).is_err());
    }
}
