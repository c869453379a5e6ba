//! What a flow of BotConversa tells. The company says where the values stand (`Mapping`), so what is kept of a webhook is an envelope of our own: the
//! body with the mapping it came by, which reads the same whenever it is applied.

use std::time::Duration;

use integrations::mapping::{Mapping, Told};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::crypto;
use uuid::Uuid;

use crate::{
    item::{Address, InboundMessage, Item, Lead, Notification, Sender},
    mend::fault,
    provider::Provider,
    reading::{name, parse},
};

/// The same body within this long is the same webhook.
pub const REPEATED_WITHIN: Duration = Duration::from_mins(1);

/// A webhook as it is kept.
#[derive(Serialize, Deserialize)]
pub struct Envelope {
    pub channel_account_id: Uuid,
    pub mapping: Mapping,
    /// The id of its message, where the body was told before in another minute.
    pub repeats: Option<String>,
    pub body: Value,
}

impl Envelope {
    /// A body as it came.
    ///
    /// # Errors
    /// Why nothing of it can be read.
    pub fn new(channel_account_id: Uuid, mapping: Mapping, body: &[u8]) -> Result<Self, String> {
        Ok(Self { channel_account_id, mapping, repeats: None, body: Value::Object(parse(body)?) })
    }

    /// What its message is called: by what it says, and by the minute where no id of the flow is in it. An id alone is not believed: one that is
    /// the same for all would make one message of many.
    #[must_use]
    pub fn message_id(&self, at: Timestamp) -> String {
        let said = crypto::fingerprint(&self.body.to_string());
        if self.mapping.read(&self.body).id.is_some() {
            return format!("flow:{said}");
        }
        format!("flow:{said}:{}", at.as_second().div_euclid(60))
    }

    /// As it is kept.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        json!(self).to_string().into_bytes()
    }
}

/// Reads an envelope.
///
/// # Errors
/// Why nothing of it can be read.
pub fn read(envelope: &[u8], now: Timestamp) -> Result<Vec<Notification>, String> {
    let envelope: Envelope = serde_json::from_value(Value::Object(parse(envelope)?)).map_err(|error| error.to_string())?;
    Ok(vec![Notification { provider: Provider::BotConversa, address: Address::default(), items: items(&envelope, now) }])
}

/// Who it is about first, then what they wrote.
fn items(envelope: &Envelope, now: Timestamp) -> Vec<Item> {
    if let Some(error) = fault(&envelope.body) {
        return vec![Item::Broken { id: None, error }];
    }
    let Told { number, name: called, message, subscriber_id, fields, .. } = envelope.mapping.read(&envelope.body);
    // An id is one in its account only.
    let user_id = subscriber_id.map(|id| format!("{}:{id}", envelope.channel_account_id));
    if number.is_none() && user_id.is_none() {
        return vec![Item::Broken { id: None, error: "it names neither a phone nor a subscriber".into() }];
    }
    let called = called.and_then(|called| name(&json!({"name": called}), "name"));
    let sender = Sender { wa_id: number, user_id, name: called };
    let lead = Item::Lead(Lead { sender: sender.clone(), fields });
    let message = message.map(|body| {
        Item::Message(InboundMessage {
            id: envelope.repeats.clone().unwrap_or_else(|| envelope.message_id(now)),
            sender,
            at: now,
            kind: "text",
            body,
            payload: json!({}),
            media: None,
            reply_to: None,
        })
    });
    std::iter::once(lead).chain(message).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::any::any_json;

    const NOW: Timestamp = Timestamp::constant(1_795_348_800, 0);

    fn envelope(body: Value) -> Envelope {
        Envelope { channel_account_id: Uuid::nil(), mapping: Mapping::default(), repeats: None, body }
    }

    fn of(body: Value) -> Vec<Item> {
        read(&envelope(body).bytes(), NOW).unwrap().remove(0).items
    }

    fn lead() -> Value {
        json!({"event": "lead", "phone": "+553187654321", "name": "Maria", "subscriber_id": 900_000_001, "fields": {"cidade": "BH"}})
    }

    #[test]
    fn who_wrote_nothing_is_a_lead_and_who_wrote_a_message_too() {
        let items = of(lead());
        let [Item::Lead(Lead { sender, fields })] = items.as_slice() else { panic!("{items:?}") };
        assert_eq!(sender.wa_id.as_deref(), Some("5531987654321"));
        assert_eq!(sender.user_id.as_deref(), Some("00000000-0000-0000-0000-000000000000:900000001"));
        assert_eq!((sender.name.as_deref(), fields["cidade"].as_str()), (Some("Maria"), "BH"));
        let mut body = lead();
        body["message"] = json!("Quero saber o preço");
        let items = of(body);
        let [Item::Lead(_), Item::Message(message)] = items.as_slice() else { panic!("{items:?}") };
        assert_eq!((message.body.as_str(), message.at), ("Quero saber o preço", NOW));
    }

    #[test]
    fn without_a_phone_there_is_the_subscriber_and_without_both_nobody() {
        let mut body = lead();
        body["phone"] = json!("{{telefone}}");
        let items = of(body.clone());
        assert!(matches!(&items[0], Item::Lead(Lead { sender, .. }) if sender.wa_id.is_none() && sender.user_id.is_some()));
        body["subscriber_id"] = json!("");
        assert!(matches!(of(body)[0], Item::Broken { .. }));
    }

    #[test]
    fn the_same_within_a_minute_is_the_same_and_ids_are_for_ever() {
        let at = |seconds: i64| Timestamp::from_second(1_795_348_800 + seconds).unwrap();
        let told = envelope(lead());
        assert_eq!(told.message_id(at(0)), told.message_id(at(59)));
        assert_ne!(told.message_id(at(0)), told.message_id(at(60)));
        let mut other = lead();
        other["name"] = json!("Ana");
        assert_ne!(told.message_id(at(0)), envelope(other.clone()).message_id(at(0)));
        let numbered = |body: &Value, id: &str| {
            let mut body = body.clone();
            body["message_id"] = json!(id);
            envelope(body)
        };
        assert_eq!(numbered(&lead(), "7").message_id(at(0)), numbered(&lead(), "7").message_id(at(999)));
        assert_ne!(numbered(&lead(), "7").message_id(at(0)), numbered(&other, "7").message_id(at(0)));
        assert_ne!(numbered(&lead(), "{{id}}-1").message_id(at(0)), numbered(&lead(), "{{id}}-1").message_id(at(60)));
        assert_ne!(numbered(&lead(), "7").message_id(at(0)), numbered(&lead(), "8").message_id(at(0)));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(body in ".{0,200}") {
            let _ = read(body.as_bytes(), NOW);
            if let Ok(envelope) = Envelope::new(Uuid::nil(), Mapping::default(), body.as_bytes()) {
                prop_assert!(read(&envelope.bytes(), NOW).is_ok());
            }
        }

        #[test]
        fn whatever_stands_in_a_field_is_an_item(field in 0..8_usize, value in any_json(&["{{telefone}}", "5511987654321"], "(phone|cidade|.{1,5})")) {
            let mut body = lead();
            body["message"] = json!("Oi");
            let names = ["phone", "name", "subscriber_id", "message", "event", "message_id", "fields"];
            match names.get(field) {
                Some(name) => body[*name] = value,
                None => body = json!({"fields": value}),
            }
            let items = of(body);
            prop_assert!(!items.is_empty());
            for item in items {
                if let Item::Message(InboundMessage { id, sender, body, .. }) = item {
                    prop_assert!(sender.wa_id.is_some() || sender.user_id.is_some());
                    prop_assert!(!id.is_empty() && !body.is_empty());
                }
            }
        }
    }
}
