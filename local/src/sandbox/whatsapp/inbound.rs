//! What people write to a business, and what the business writes on its own phone.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Sandbox,
    media::{Kind, sha256},
    new_message_id,
    statuses::user_id_of,
    webhooks::Attempt,
};

/// A message of a person, as ordered through the control API.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Inbound {
    pub phone_number_id: String,
    /// Digits. With `user_id` alone the person has no visible number; with neither, a number is made up.
    pub from: Option<String>,
    pub user_id: Option<String>,
    pub name: Option<String>,
    pub username: Option<String>,
    pub content: Content,
    pub id: Option<String>,
    /// Unix seconds.
    pub timestamp: Option<i64>,
    /// Notifications sent at the same time.
    pub copies: Option<usize>,
    /// False answers at once.
    pub wait: Option<bool>,
    /// False sends each notification once only.
    pub retry: Option<bool>,
}

/// What the message holds: a `message` as Meta writes it, or one of the short forms.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Content {
    message: Option<Value>,
    text: Option<String>,
    button_reply: Option<Value>,
    list_reply: Option<Value>,
    button: Option<Value>,
    reaction: Option<Value>,
    location: Option<Value>,
    media: Option<InboundMedia>,
    context: Option<Value>,
    referral: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InboundMedia {
    base64: Option<String>,
    text: Option<String>,
    mime_type: String,
    /// Message type; found from `mime_type` when absent.
    #[serde(rename = "type")]
    kind: Option<String>,
    filename: Option<String>,
    caption: Option<String>,
    voice: Option<bool>,
    /// False leaves out the address that newer notifications carry.
    url: Option<bool>,
}

const CONTENT_KEYS: [&str; 10] =
    ["message", "text", "button_reply", "list_reply", "button", "reaction", "location", "media", "context", "referral"];

/// Reads an order whose content stands beside the other fields.
pub(super) fn read(mut order: Value) -> Result<Inbound, String> {
    let fields = order.as_object_mut().ok_or("the body must be a JSON object")?;
    let mut content = serde_json::Map::new();
    for key in CONTENT_KEYS {
        if let Some(value) = fields.remove(key) {
            content.insert(key.to_owned(), value);
        }
    }
    fields.insert("content".to_owned(), Value::Object(content));
    let inbound: Inbound = serde_json::from_value(order).map_err(|error| error.to_string())?;
    if inbound.phone_number_id.is_empty() {
        return Err("phone_number_id is required".to_owned());
    }
    Ok(inbound)
}

impl Sandbox {
    /// Sends a person's message to the functions; answers what the control API answers.
    pub(super) async fn receive(self: &Arc<Self>, order: Inbound) -> Result<Value, String> {
        let number = order.phone_number_id.clone();
        let at = order.timestamp.unwrap_or_else(|| Timestamp::now().as_second());
        let id = order.id.clone().unwrap_or_else(new_message_id);
        let (from, user_id) = identify(&order);
        let mut message = self.content_of(&number, &order.content)?;
        message["id"] = json!(id);
        message["timestamp"] = json!(at.to_string());
        message["from_user_id"] = json!(user_id);
        let mut contact = json!({
            "profile": {"name": order.name.as_deref().unwrap_or("Maria Teste")},
            "user_id": user_id,
        });
        if let Some(username) = &order.username {
            contact["profile"]["username"] = json!(username);
        }
        if let Some(from) = &from {
            message["from"] = json!(from);
            contact["wa_id"] = json!(from);
            self.whatsapp.heard_from(&number, from, at);
        }
        self.whatsapp.heard_from(&number, &user_id, at);
        let media_id = media_id_of(&message);
        let value = json!({"contacts": [contact], "messages": [message]});
        let body = self.envelope(&number, "messages", value);
        let sent = json!({"id": id, "media_id": media_id, "body": body});
        Ok(self.notify_copies(&order, body, sent).await)
    }

    /// Tells of a message that the business wrote on its own phone.
    pub(super) async fn echo(self: &Arc<Self>, order: Inbound) -> Result<Value, String> {
        let number = order.phone_number_id.clone();
        let at = order.timestamp.unwrap_or_else(|| Timestamp::now().as_second());
        let id = order.id.clone().unwrap_or_else(new_message_id);
        let (person, user_id) = identify(&order);
        let mut message = self.content_of(&number, &order.content)?;
        message["id"] = json!(id);
        message["timestamp"] = json!(at.to_string());
        message["from"] = json!(self.whatsapp.settings(&number).display_phone_number);
        message["to_user_id"] = json!(user_id);
        if let Some(person) = person {
            message["to"] = json!(person);
        }
        let value = json!({"message_echoes": [message]});
        let body = self.envelope(&number, "smb_message_echoes", value);
        let sent = json!({"id": id, "body": body});
        Ok(self.notify_copies(&order, body, sent).await)
    }

    async fn notify_copies(self: &Arc<Self>, order: &Inbound, body: Value, mut sent: Value) -> Value {
        let sandbox = Arc::clone(self);
        let number = order.phone_number_id.clone();
        let copies = order.copies.unwrap_or(1).clamp(1, 100);
        let retry = order.retry.unwrap_or(true);
        let sending = async move { join_all((0..copies).map(|_| sandbox.notify(&number, body.clone(), retry))).await };
        if order.wait == Some(false) {
            tokio::spawn(sending);
            return sent;
        }
        let attempts: Vec<Attempt> = sending.await;
        sent["status"] = json!(attempts.first().and_then(|attempt| attempt.status));
        sent["ms"] = json!(attempts.first().map(|attempt| attempt.ms));
        sent["attempts"] = json!(attempts);
        sent
    }

    /// The part of a message that its type decides.
    fn content_of(&self, number: &str, content: &Content) -> Result<Value, String> {
        let mut message = if let Some(message) = &content.message {
            message.clone()
        } else if let Some(text) = &content.text {
            json!({"type": "text", "text": {"body": text}})
        } else if let Some(reply) = &content.button_reply {
            json!({"type": "interactive",
                "interactive": {"type": "button_reply", "button_reply": reply}})
        } else if let Some(reply) = &content.list_reply {
            json!({"type": "interactive",
                "interactive": {"type": "list_reply", "list_reply": reply}})
        } else if let Some(button) = &content.button {
            json!({"type": "button", "button": button})
        } else if let Some(reaction) = &content.reaction {
            json!({"type": "reaction", "reaction": reaction})
        } else if let Some(location) = &content.location {
            json!({"type": "location", "location": location})
        } else if content.media.is_some() {
            json!({})
        } else {
            return Err(format!("one of {} is required", CONTENT_KEYS[..8].join(", ")));
        };
        if !message.is_object() {
            return Err("message must be a JSON object".to_owned());
        }
        if let Some(media) = &content.media {
            let (kind, object) = self.inbound_media(number, media)?;
            message["type"] = json!(kind);
            message[kind] = object;
        }
        if let Some(context) = &content.context {
            message["context"] = context.clone();
        }
        if let Some(referral) = &content.referral {
            message["referral"] = referral.clone();
        }
        Ok(message)
    }

    fn inbound_media(&self, number: &str, media: &InboundMedia) -> Result<(String, Value), String> {
        let bytes = match (&media.base64, &media.text) {
            (Some(encoded), None) => STANDARD.decode(encoded).map_err(|error| format!("media.base64: {error}"))?,
            (None, Some(text)) => text.clone().into_bytes(),
            _ => return Err("media needs one of base64 and text".to_owned()),
        };
        // People may send any file as a document; only businesses are bound to a list.
        let kind = media.kind.clone().unwrap_or_else(|| Kind::of(&media.mime_type).map_or("document", Kind::name).to_owned());
        let stored = self.store_media(number, &media.mime_type, Bytes::from(bytes));
        let mut object = json!({
            "id": stored.id,
            "mime_type": stored.mime_type,
            "sha256": STANDARD.encode(sha256(&stored.bytes)),
        });
        if media.url != Some(false) {
            object["url"] = json!(self.link_media(&stored));
        }
        if let Some(filename) = &media.filename {
            object["filename"] = json!(filename);
        }
        if let Some(caption) = &media.caption {
            object["caption"] = json!(caption);
        }
        if kind == "audio" {
            object["voice"] = json!(media.voice.unwrap_or(false));
        }
        if kind == "sticker" {
            object["animated"] = json!(false);
        }
        Ok((kind, object))
    }
}

/// The number, when it is visible, and the business-scoped id.
fn identify(order: &Inbound) -> (Option<String>, String) {
    match (&order.from, &order.user_id) {
        (from, Some(user_id)) => (from.clone(), user_id.clone()),
        (Some(from), None) => (Some(from.clone()), user_id_of(from)),
        (None, None) => {
            let from = format!("55119{}", super::digits_of(&new_message_id(), 8));
            let user_id = user_id_of(&from);
            (Some(from), user_id)
        }
    }
}

fn media_id_of(message: &Value) -> Option<&str> {
    message[message["type"].as_str()?]["id"].as_str()
}
