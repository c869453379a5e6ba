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
        actions.insert(key.to_owned(), json!({"operationId": function.name, "summary": function.summary(), "message": message}));
    }
    Ok(actions.into())
}

/// SAM takes only letters and digits besides the three fixed keys.
fn check_route_key(key: &str, function: &Function) -> Result<()> {
    let is_fixed = ["$connect", "$disconnect", "$default"].contains(&key);
    let is_action = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    ensure!(is_fixed || is_action, "the route key {key} of {} has other than letters and digits", function.name);
    Ok(())
}
