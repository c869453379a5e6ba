//! Bodies that are no proper JSON text, nest deeper than anybody reads, or hold what Postgres cannot store.

use std::collections::BTreeMap;

use serde_json::{Value, json, value::RawValue};

/// As JSON writes it; as it stands it is not allowed there.
pub const ESCAPED_NUL: &[u8] = b"\\u0000";

/// Half of an escaped pair, as phones that cut an emoji in two send it, is no text: a replacement character takes its place.
pub fn without_lone_surrogates(body: &[u8]) -> Vec<u8> {
    let unit = |at: usize| -> Option<u16> {
        let escape = body.get(at..at + 6)?;
        let digits = escape.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut mended = Vec::with_capacity(body.len());
    let mut at = 0;
    while at < body.len() {
        let length = match (unit(at), unit(at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                mended.extend_from_slice(b"\\ufffd");
                at += 6;
                continue;
            }
            (Some(_), _) => 6,
            // Any other escape, an escaped backslash above all, is two bytes that belong together.
            (None, _) if body[at] == b'\\' => 2,
            (None, _) => 1,
        };
        let end = (at + length).min(body.len());
        mended.extend_from_slice(&body[at..end]);
        at = end;
    }
    mended
}

/// Levels that are opened to read what is beside something unreadable: down to the fields of one message.
const LEVELS: usize = 8;

/// Marks what could not be read; holds it as it came.
const UNREADABLE: &str = "balcao:unreadable";

/// A body of which some part cannot be read, with a mark in that part's place.
///
/// # Errors
/// When it is no JSON in form.
pub fn readable(body: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(body).map(|raw| open(raw, LEVELS))
}

fn open(raw: &RawValue, levels: usize) -> Value {
    let error = match serde_json::from_str(raw.get()) {
        Ok(value) => return value,
        Err(error) => error.to_string(),
    };
    if levels > 0 {
        if let Ok(fields) = serde_json::from_str::<BTreeMap<String, &RawValue>>(raw.get()) {
            return fields.into_iter().map(|(name, field)| (name, open(field, levels - 1))).collect();
        }
        if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
            return items.into_iter().map(|item| open(item, levels - 1)).collect();
        }
    }
    json!({UNREADABLE: raw.get(), "error": error})
}

/// Why something in this value could not be read, if anything.
pub fn fault(value: &Value) -> Option<String> {
    match value {
        Value::Object(fields) if fields.contains_key(UNREADABLE) => {
            Some(format!("unreadable: {}", value["error"].as_str().unwrap_or_default()))
        }
        Value::Object(fields) => fields.values().find_map(fault),
        Value::Array(items) => items.iter().find_map(fault),
        _ => None,
    }
}
