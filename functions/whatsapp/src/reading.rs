//! What adapters read alike: texts, times and names in JSON of any shape.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use shared::text::without_nul;

use crate::{
    item::Item,
    mend::{ESCAPED_NUL, fault, readable, without_lone_surrogates},
};

/// A webhook's body, of which what cannot be read is marked and what Postgres cannot store is replaced.
///
/// # Errors
/// Why it is no JSON object, not even in form.
pub fn parse(body: &[u8]) -> Result<Map<String, Value>, String> {
    let text = String::from_utf8_lossy(body);
    let parsed = serde_json::from_str(&text).or_else(|_| readable(&without_lone_surrogates(text.as_bytes())));
    let has_nul = body.windows(ESCAPED_NUL.len()).any(|part| part == ESCAPED_NUL);
    match parsed.map(|value: Value| if has_nul { without_nul(value) } else { value }) {
        Ok(Value::Object(envelope)) => Ok(envelope),
        Ok(_) => Err("it is no object".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// Something of which a part cannot be read.
pub fn unreadable(value: &Value) -> Option<Item> {
    fault(value).map(|error| Item::Broken { id: text(value, "id"), error })
}

/// The items of a list, of which one that cannot be read spoils no other.
pub fn each(list: &Value, read: impl Fn(&Value) -> Item) -> Vec<Item> {
    array(list).iter().map(|item| unreadable(item).unwrap_or_else(|| read(item))).collect()
}

/// Characters of a client's name.
const LONGEST_NAME: usize = 120;

/// 2009-01-01: nobody wrote on WhatsApp before.
const FIRST_TIME: Timestamp = Timestamp::constant(1_230_768_000, 0);

/// Seconds since the epoch, as text or as a number. A time nobody can have written at counts as now: it would hold a conversation at the
/// top of every list, or its window open, for ever.
pub fn time(seconds: &Value, now: Timestamp) -> Timestamp {
    let seconds = seconds.as_i64().or_else(|| seconds.as_str()?.parse().ok());
    let told = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let latest = now.saturating_add(SignedDuration::from_hours(24)).unwrap_or(now);
    told.filter(|told| (FIRST_TIME..=latest).contains(told)).unwrap_or(now)
}

/// Where a place is, in degrees, as a number or as text; nothing beyond `most` is on the earth.
pub fn degrees(value: &Value, most: f64) -> Option<f64> {
    let told = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    told.filter(|told: &f64| told.abs() <= most)
}

pub fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A text that says something; empty is absent.
pub fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A person's name on one line, without what cannot be seen or turns the writing round; cut at what a name may have.
pub fn name(value: &Value, field: &str) -> Option<String> {
    let is_hidden = |character: char| {
        let code = u32::from(character);
        character.is_control() || matches!(code, 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x2069 | 0xFEFF)
    };
    let shown: String =
        text(value, field)?.chars().map(|character| if character.is_whitespace() { ' ' } else { character }).collect();
    let shown: String = shown.chars().filter(|character| !is_hidden(*character)).take(LONGEST_NAME).collect();
    Some(shown.trim().to_owned()).filter(|name| !name.is_empty())
}

pub fn pick(value: &Value, names: &[&str]) -> Value {
    let fields = names.iter().filter_map(|name| Some(((*name).to_owned(), value.get(*name)?.clone())));
    Value::Object(fields.collect::<Map<_, _>>())
}
