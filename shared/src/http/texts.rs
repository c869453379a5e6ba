//! What texts of a request may be, as patterns of the description: `validation` refuses what they exclude.

use serde_json::{Value, json};

use crate::text::{TEXT, WORDS};

/// Gives every text of an input that has no form of its own the pattern of texts.
pub(crate) fn limit(schema: &mut Value) {
    limit_at(schema, "");
}

fn limit_at(schema: &mut Value, name: &str) {
    match schema {
        Value::Object(fields) => {
            let is_text = fields.get("type").is_some_and(|kind| *kind == "string" || *kind == json!(["string", "null"]));
            let has_form = ["pattern", "format", "enum", "const"].iter().any(|key| fields.contains_key(*key));
            if is_text && !has_form {
                let must_speak = fields.get("minLength").is_some_and(|least| *least != 0);
                // Passwords are taken as they are.
                let pattern = if must_speak && !name.contains("password") { WORDS } else { TEXT };
                fields.insert("pattern".into(), json!(pattern));
            }
            for (key, field) in fields.iter_mut() {
                if key == "properties" {
                    field.as_object_mut().into_iter().flatten().for_each(|(name, field)| limit_at(field, name));
                } else {
                    limit_at(field, name);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| limit_at(item, name)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_without_a_form_get_one() {
        let mut schema = json!({"type": "object", "properties": {
            "name": {"type": "string", "minLength": 1}, "note": {"type": ["string", "null"]}, "id": {"type": "string", "format": "uuid"},
            "password": {"type": "string", "minLength": 10}, "tags": {"type": "array", "items": {"type": "string"}},
        }});
        limit(&mut schema);
        let pattern = |path: &str| schema.pointer(path).cloned();
        assert_eq!(pattern("/properties/name/pattern"), Some(json!(WORDS)));
        assert_eq!(pattern("/properties/note/pattern"), Some(json!(TEXT)));
        assert_eq!(pattern("/properties/password/pattern"), Some(json!(TEXT)));
        assert_eq!(pattern("/properties/tags/items/pattern"), Some(json!(TEXT)));
        assert_eq!(pattern("/properties/id/pattern"), None);
    }
}
