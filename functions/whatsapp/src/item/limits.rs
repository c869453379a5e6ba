//! What of a message is kept: as much as WhatsApp lets people write. A server that tells more is not to make pages that nobody can be shown.

use serde_json::Value;

use super::Item;

/// Characters of a text, which WhatsApp's own programs send.
const LONGEST_TEXT: usize = 65_536;
/// Bytes of a payload that is kept as it came.
const LARGEST_PAYLOAD: usize = 256 * 1024;
/// Characters of a text in a larger one: a name, an address, a title.
const LONGEST_PART: usize = 4_096;
/// Entries of a list in a larger one: contacts of a card, items of an order.
const LONGEST_LIST: usize = 100;

impl Item {
    /// The item as far as it is kept; `None` where that is all of it.
    pub fn shortened(&self) -> Option<Self> {
        let is_too_long = match self {
            Self::Message(message) | Self::Echo(message) | Self::Notice(message) => message.is_too_long(),
            Self::Change(change) => is_too_long(&change.body),
            Self::Past(past) => {
                past.messages.iter().any(|past| past.message.is_too_long())
                    || past.changes.iter().any(|change| is_too_long(&change.body))
            }
            _ => false,
        };
        is_too_long.then(|| {
            let mut item = self.clone();
            match &mut item {
                Self::Message(message) | Self::Echo(message) | Self::Notice(message) => message.shorten(),
                Self::Change(change) => shorten(&mut change.body),
                Self::Past(past) => {
                    past.messages.iter_mut().for_each(|past| past.message.shorten());
                    past.changes.iter_mut().for_each(|change| shorten(&mut change.body));
                }
                _ => {}
            }
            item
        })
    }
}

pub(super) fn is_too_long(text: &str) -> bool {
    text.len() > LONGEST_TEXT && text.chars().count() > LONGEST_TEXT
}

pub(super) fn shorten(text: &mut String) {
    cut(text, LONGEST_TEXT);
}

pub(super) fn is_too_large(payload: &Value) -> bool {
    payload.to_string().len() > LARGEST_PAYLOAD
}

pub(super) fn shorten_parts(payload: &mut Value) {
    match payload {
        Value::String(text) => cut(text, LONGEST_PART),
        Value::Array(items) => {
            items.truncate(LONGEST_LIST);
            items.iter_mut().for_each(shorten_parts);
        }
        Value::Object(fields) => fields.values_mut().for_each(shorten_parts),
        _ => {}
    }
}

fn cut(text: &mut String, most: usize) {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::item::{InboundMessage, Sender};

    fn message(body: &str, payload: Value) -> Item {
        Item::Message(InboundMessage {
            id: "1".into(),
            sender: Sender::default(),
            at: jiff::Timestamp::UNIX_EPOCH,
            kind: "text",
            body: body.into(),
            payload,
            media: None,
            reply_to: None,
        })
    }

    #[test]
    fn what_people_can_write_is_kept_whole_and_what_is_longer_in_part() {
        assert!(message(&"😀".repeat(LONGEST_TEXT), json!({"name": "a".repeat(200_000)})).shortened().is_none());
        let long = message(&"é".repeat(LONGEST_TEXT + 1), json!({})).shortened();
        let Some(Item::Message(long)) = long else { panic!("{long:?}") };
        assert_eq!(long.body.chars().count(), LONGEST_TEXT);
        let cards: Vec<Value> = (0..20_000).map(|_| json!({"name": "é".repeat(5_000)})).collect();
        let many = message("", json!({"contacts": cards})).shortened();
        let Some(Item::Message(many)) = many else { panic!("{many:?}") };
        assert_eq!(many.payload["contacts"].as_array().map(Vec::len), Some(LONGEST_LIST));
        assert_eq!(many.payload["contacts"][0]["name"].as_str().map(|name| name.chars().count()), Some(LONGEST_PART));
    }
}
