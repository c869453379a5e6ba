//! What Meta sends, read leniently: one strange element never spoils its siblings.

use jiff::{SignedDuration, Timestamp};
use postgres_from_row::FromRow;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// One thing a webhook tells, in the order it tells them.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A client wrote.
    Message(InboundMessage),
    /// The business wrote on its own phone.
    Echo(InboundMessage),
    /// WhatsApp tells something about a client.
    Notice(InboundMessage),
    Status(InboundStatus),
    /// Somebody changed a message.
    Change(Change),
    /// A client's business-scoped id changed.
    NewUserId {
        previous: String,
        current: String,
    },
    /// Something we keep in the raw webhook only.
    Ignored(String),
    /// Something that cannot be read.
    Broken {
        id: Option<String>,
        error: String,
    },
}

/// A client as WhatsApp names them. At least one is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// Digits; absent for people who hide their number.
    pub wa_id: Option<String>,
    pub user_id: Option<String>,
    pub name: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct InboundMessage {
    pub id: String,
    pub sender: Sender,
    /// Now, when it carries none that can be believed.
    pub at: Timestamp,
    /// Our kind.
    pub kind: &'static str,
    pub body: String,
    pub payload: Value,
    pub media: Option<Media>,
    /// WhatsApp's id of the message it answers.
    pub reply_to: Option<String>,
}

/// A change of a message that was sent before, though it may come after.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Change {
    pub id: String,
    /// WhatsApp's id of the message.
    pub target: String,
    /// `edit`, `revoke` or `reaction`.
    pub kind: String,
    /// `client` or `agent`.
    pub changed_by: String,
    /// The new text, or the emoji: none takes the reaction away.
    pub body: String,
    pub at: Timestamp,
}

/// A file waiting at WhatsApp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    pub id: String,
    pub mime_type: String,
    pub name: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundStatus {
    pub id: String,
    /// `sent`, `delivered`, `read` or `failed`.
    pub status: &'static str,
    pub at: Timestamp,
    /// Our own id, sent along as `biz_opaque_callback_data`.
    pub message_id: Option<Uuid>,
    pub error_code: Option<String>,
    pub error_detail: Option<String>,
}

/// The items of one number, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    pub phone_number_id: String,
    pub items: Vec<Item>,
}

/// Reads a webhook's body. `None` when it is not one of Meta's at all.
pub fn read(body: &[u8], now: Timestamp) -> Option<Vec<Notification>> {
    let mut envelope = parse(body)?;
    let mut entries = match envelope.remove("entry") {
        Some(Value::Array(entries)) => entries,
        Some(_) => return None,
        None => Vec::new(),
    };
    if body.windows(ESCAPED_NUL.len()).any(|part| part == ESCAPED_NUL) {
        entries = entries.into_iter().map(without_nul).collect();
    }
    let mut notifications: Vec<Notification> = Vec::new();
    for entry in &entries {
        for change in array(&entry["changes"]) {
            let value = &change["value"];
            let number = number_of(change);
            let items = items(text(change, "field").as_deref().unwrap_or_default(), value, now);
            match notifications.iter_mut().find(|notification| notification.phone_number_id == number) {
                Some(notification) => notification.items.extend(items),
                None => notifications.push(Notification { phone_number_id: number, items }),
            }
        }
    }
    Some(notifications)
}

/// The same webhook with what is of this number only.
pub fn part_of(body: &[u8], phone_number_id: &str) -> Vec<u8> {
    let mut envelope = parse(body).unwrap_or_default();
    for entry in envelope.get_mut("entry").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(changes) = entry.get_mut("changes").and_then(Value::as_array_mut) {
            changes.retain(|change| number_of(change) == phone_number_id);
        }
    }
    Value::Object(envelope).to_string().into_bytes()
}

fn parse(body: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(body).or_else(|_| serde_json::from_slice(&without_lone_surrogates(body))).ok()
}

fn number_of(change: &Value) -> String {
    text(&change["value"]["metadata"], "phone_number_id").unwrap_or_default()
}

fn items(field: &str, value: &Value, now: Timestamp) -> Vec<Item> {
    match field {
        "messages" => {
            let contacts = array(&value["contacts"]);
            let messages = array(&value["messages"]).iter().map(|message| read_message(message, contacts, now));
            let statuses = array(&value["statuses"]).iter().map(|status| read_status(status, now));
            let errors = array(&value["errors"]).iter().map(|error| Item::Ignored(format!("error {}", error["code"])));
            messages.chain(statuses).chain(errors).collect()
        }
        "smb_message_echoes" => array(&value["message_echoes"]).iter().map(|message| read_echo(message, now)).collect(),
        "user_id_update" => {
            let change = &value["user_id"];
            match (text(change, "previous"), text(change, "current")) {
                (Some(previous), Some(current)) => vec![Item::NewUserId { previous, current }],
                _ => vec![Item::Ignored("user_id_update".into())],
            }
        }
        other => vec![Item::Ignored(other.to_owned())],
    }
}

fn read_message(message: &Value, contacts: &[Value], now: Timestamp) -> Item {
    let mut sender = Sender { wa_id: text(message, "from"), user_id: text(message, "from_user_id"), name: None };
    let contact = contacts.iter().find(|contact| {
        let same = |mine: &Option<String>, theirs: Option<String>| mine.is_some() && *mine == theirs;
        same(&sender.wa_id, text(contact, "wa_id")) || same(&sender.user_id, text(contact, "user_id"))
    });
    if let Some(contact) = contact {
        sender.wa_id = sender.wa_id.or_else(|| text(contact, "wa_id"));
        sender.user_id = sender.user_id.or_else(|| text(contact, "user_id"));
        sender.name = text(&contact["profile"], "name");
    }
    read_content(message, sender, now, "client")
}

fn read_echo(message: &Value, now: Timestamp) -> Item {
    let sender = Sender { wa_id: text(message, "to"), user_id: text(message, "to_user_id"), name: None };
    read_content(message, sender, now, "agent")
}

fn read_content(message: &Value, sender: Sender, now: Timestamp, by: &str) -> Item {
    let Some(id) = text(message, "id") else { return Item::Broken { id: None, error: "it has no id".into() } };
    if sender.wa_id.is_none() && sender.user_id.is_none() {
        return Item::Broken { id: Some(id), error: "it names no sender".into() };
    }
    let kind = text(message, "type").unwrap_or_default();
    let content = &message[kind.as_str()];
    let at = time(message, now);
    if matches!(kind.as_str(), "edit" | "revoke" | "reaction") {
        return read_change(id, kind, content, at, by);
    }
    let (our_kind, body, payload) = match kind.as_str() {
        "text" => ("text", text(content, "body").unwrap_or_default(), json!({})),
        "image" | "video" | "document" => (media_kind(&kind), text(content, "caption").unwrap_or_default(), json!({})),
        "sticker" => ("sticker", String::new(), pick(content, &["animated"])),
        "audio" => ("audio", String::new(), json!({"voice": content["voice"] == json!(true)})),
        "location" => location(content),
        "contacts" => {
            let name = text(&content[0]["name"], "formatted_name").unwrap_or_default();
            ("contacts", name, json!({"contacts": content}))
        }
        "interactive" if content.is_object() => interactive(content),
        "button" => {
            let title = text(content, "text").unwrap_or_default();
            ("interactive", title.clone(), json!({"reply": {"id": content["payload"], "title": title}}))
        }
        "order" => ("order", text(content, "text").unwrap_or_default(), json!({"order": content})),
        "system" => {
            ("system", text(content, "body").unwrap_or_default(), json!({"system": content, "identity": message["identity"]}))
        }
        "request_welcome" => ("system", String::new(), json!({"request_welcome": true})),
        other => ("unsupported", String::new(), json!({"type": other, "content": content, "errors": message["errors"]})),
    };
    let media = matches!(our_kind, "image" | "video" | "document" | "sticker" | "audio")
        .then(|| {
            let mime_type = text(content, "mime_type").unwrap_or_else(|| "application/octet-stream".into());
            Some(Media { id: text(content, "id")?, mime_type, name: text(content, "filename") })
        })
        .flatten();
    let mut payload = payload;
    for name in ["referral", "context"] {
        if let (Some(fields), Some(extra)) = (payload.as_object_mut(), message.get(name)) {
            fields.insert(name.into(), extra.clone());
        }
    }
    let message =
        InboundMessage { at, kind: our_kind, body, payload, media, reply_to: text(&message["context"], "id"), id, sender };
    match (kind.as_str(), by) {
        ("system", _) => Item::Notice(message),
        (_, "agent") => Item::Echo(message),
        _ => Item::Message(message),
    }
}

fn read_change(id: String, kind: String, content: &Value, at: Timestamp, by: &str) -> Item {
    let (target, body) = match kind.as_str() {
        "reaction" => (text(content, "message_id"), text(content, "emoji")),
        "edit" => {
            let edited = &content["message"];
            let inner = text(edited, "type").unwrap_or_default();
            let body = text(&edited[inner.as_str()], if inner == "text" { "body" } else { "caption" });
            (text(content, "original_message_id"), body)
        }
        _ => (text(content, "original_message_id"), None),
    };
    let Some(target) = target else { return Item::Broken { id: Some(id), error: format!("the {kind} names no message") } };
    Item::Change(Change { id, target, kind, changed_by: by.to_owned(), body: body.unwrap_or_default(), at })
}

fn media_kind(kind: &str) -> &'static str {
    match kind {
        "image" => "image",
        "video" => "video",
        _ => "document",
    }
}

/// Coordinates come as numbers or as text.
fn location(content: &Value) -> (&'static str, String, Value) {
    let coordinate = |name: &str| content[name].as_f64().or_else(|| content[name].as_str()?.parse().ok());
    let mut place = pick(content, &["name", "address", "url"]);
    place["latitude"] = json!(coordinate("latitude"));
    place["longitude"] = json!(coordinate("longitude"));
    let body = text(content, "name").or_else(|| text(content, "address")).unwrap_or_default();
    ("location", body, place)
}

fn interactive(content: &Value) -> (&'static str, String, Value) {
    let kind = text(content, "type").unwrap_or_default();
    let reply = &content[kind.as_str()];
    let title = text(reply, "title").or_else(|| text(reply, "body")).unwrap_or_default();
    ("interactive", title, json!({"type": kind, "reply": reply}))
}

fn read_status(status: &Value, now: Timestamp) -> Item {
    let Some(id) = text(status, "id") else { return Item::Broken { id: None, error: "a status names no message".into() } };
    let ours = match text(status, "status").as_deref() {
        Some("sent") => "sent",
        Some("delivered") => "delivered",
        Some("read" | "played") => "read",
        Some("failed") => "failed",
        other => return Item::Ignored(format!("status {}", other.unwrap_or_default())),
    };
    let error = &status["errors"][0];
    let detail = text(&error["error_data"], "details").or_else(|| text(error, "title"));
    Item::Status(InboundStatus {
        id,
        status: ours,
        at: time(status, now),
        message_id: text(status, "biz_opaque_callback_data").and_then(|text| text.parse().ok()),
        error_code: error["code"].as_i64().map(|code| code.to_string()),
        error_detail: detail,
    })
}

/// 2009-01-01: nobody wrote on WhatsApp before.
const FIRST_TIME: Timestamp = Timestamp::constant(1_230_768_000, 0);

/// Seconds since the epoch, as text or as a number. A time nobody can have written at counts as now: it would hold a conversation at the
/// top of every list, or its window open, for ever.
fn time(value: &Value, now: Timestamp) -> Timestamp {
    let seconds = &value["timestamp"];
    let seconds = seconds.as_i64().or_else(|| seconds.as_str()?.parse().ok());
    let told = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let latest = now.saturating_add(SignedDuration::from_hours(24)).unwrap_or(now);
    told.filter(|told| (FIRST_TIME..=latest).contains(told)).unwrap_or(now)
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A text that says something; empty is absent.
fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn pick(value: &Value, names: &[&str]) -> Value {
    let fields = names.iter().filter_map(|name| Some(((*name).to_owned(), value.get(*name)?.clone())));
    Value::Object(fields.collect::<Map<_, _>>())
}

/// As JSON writes it; as it stands it is not allowed there.
const ESCAPED_NUL: &[u8] = b"\\u0000";

/// Half of an escaped pair, as phones that cut an emoji in two send it, is no text: a replacement character takes its place.
fn without_lone_surrogates(body: &[u8]) -> Vec<u8> {
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

/// Postgres stores no NUL: what came with one, be it an id, is kept with a replacement character.
fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains('\0') => Value::String(text.replace('\0', "\u{fffd}")),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nul).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, item)| (name.replace('\0', "\u{fffd}"), without_nul(item))).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests;
