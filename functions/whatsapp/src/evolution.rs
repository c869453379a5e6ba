//! What a server of the Evolution API tells of one instance. Its address is the webhook's own: the body names nobody that could be believed.
//! Source: the event payloads of Evolution API 2.3; older and newer fields are read where they differ.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{
    item::{
        Address, Contact, InboundStatus, Item, Notification, Sender,
        past::{Gathering, HistoryTold},
    },
    provider::Provider,
    reading::{array, name, parse, text, time, unreadable},
};

mod content;
mod vcard;

/// Fields that are nobody's to keep, wherever they stand: they are secrets.
const NOT_KEPT: [&str; 4] = ["apikey", "api_key", "token", "hash"];

/// Reads one webhook, which tells of one event.
///
/// # Errors
/// Why nothing of it can be read.
pub fn read(body: &[u8], now: Timestamp) -> Result<Vec<Notification>, String> {
    let envelope = parse(body)?;
    let told = envelope.get("event").and_then(Value::as_str).unwrap_or_default();
    let event = told.to_lowercase().replace(['_', '-'], ".");
    let data = envelope.get("data").unwrap_or(&Value::Null);
    let list = match data {
        Value::Array(list) => list.as_slice(),
        Value::Null => &[],
        one => std::slice::from_ref(one),
    };
    if event == "messages.set" {
        let items = history(list, &envelope, now);
        return Ok(vec![Notification { provider: Provider::Evolution, address: Address::default(), items }]);
    }
    let mut items: Vec<Item> = list.iter().map(|data| unreadable(data).unwrap_or_else(|| item(&event, data, now))).collect();
    if items.is_empty() {
        items.push(Item::Ignored(if event.is_empty() { "it names no event".into() } else { event }));
    }
    Ok(vec![Notification { provider: Provider::Evolution, address: Address::default(), items }])
}

/// What the phone had before it was linked, as the server comes upon it.
fn history(list: &[Value], envelope: &Map<String, Value>, now: Timestamp) -> Vec<Item> {
    let mut gathering = Gathering::new(Provider::Evolution);
    for data in list.iter().flat_map(|data| if data["messages"].is_array() { all(data, "messages") } else { vec![data] }) {
        let item = unreadable(data).unwrap_or_else(|| content::message(data, now));
        gathering.add(item, Some(status_of(&data["status"]).unwrap_or("sent")));
    }
    let progress = envelope.get("progress").and_then(Value::as_f64).map(|progress| progress.clamp(0.0, 100.0).round());
    let mut items = gathering.items();
    // Whole and small.
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 100")]
    items.push(Item::History(HistoryTold { phase: None, progress: progress.map(|progress| progress as i32), declined: None }));
    items
}

/// A body without what is not kept.
#[must_use]
pub fn keepable(body: &[u8]) -> Vec<u8> {
    let Ok(envelope) = parse(body) else { return without_secrets(body) };
    let mut envelope = Value::Object(envelope);
    remove_secrets(&mut envelope);
    envelope.to_string().into_bytes()
}

fn remove_secrets(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !NOT_KEPT.contains(&name.to_lowercase().as_str()));
            fields.values_mut().for_each(remove_secrets);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_secrets),
        _ => {}
    }
}

/// What nobody can read, with signs in place of what follows such a name, up to the next quotation mark.
fn without_secrets(body: &[u8]) -> Vec<u8> {
    let (mut kept, names) = (body.to_vec(), body.to_ascii_lowercase());
    for name in NOT_KEPT {
        let name = format!("\"{name}\"");
        for found in (0..names.len()).filter(|at| names[*at..].starts_with(name.as_bytes())) {
            let value = found + name.len();
            let Some(begins) = names[value..].iter().position(|byte| *byte == b'"').map(|at| value + at + 1) else { continue };
            let is_value = names[value..begins - 1].iter().all(|byte| byte.is_ascii_whitespace() || *byte == b':');
            let ends = names[begins..].iter().position(|byte| *byte == b'"').map_or(kept.len(), |at| begins + at);
            if is_value {
                kept[begins..ends].fill(b'*');
            }
        }
    }
    kept
}

fn item(event: &str, data: &Value, now: Timestamp) -> Item {
    match event {
        "messages.upsert" | "send.message" => content::message(data, now),
        "messages.update" => status(data, now),
        "messages.edited" => content::edited(data, now),
        "messages.delete" => content::deleted(data, now),
        "contacts.upsert" | "contacts.update" | "contacts.set" => contact(data, now),
        other => Item::Ignored(other.to_owned()),
    }
}

/// Whom a key is about.
enum Party {
    /// One person, by their number, their hidden id or both.
    Person(Sender),
    Group,
    /// Something that is nobody's word to us: a status, a channel.
    Nobody(String),
}

/// The person of a message's key, whichever of its fields says so in this version.
fn party(key: &Value, beside: &Value) -> Party {
    let addresses =
        [(key, "remoteJid"), (key, "remoteJidAlt"), (key, "senderPn"), (beside, "remoteJidAlt"), (beside, "senderPn")];
    let addresses: Vec<String> = addresses.iter().filter_map(|(place, field)| text(place, field)).collect();
    if addresses.iter().any(|address| address.ends_with("@g.us")) {
        return Party::Group;
    }
    let digits = |server: &str| {
        let of = |address: &String| {
            let user = address.strip_suffix(server)?;
            // A device of theirs may stand behind a colon.
            let user = user.split(':').next().unwrap_or_default();
            let is_id = (5..=20).contains(&user.len()) && user.bytes().all(|byte| byte.is_ascii_digit());
            is_id.then(|| user.to_owned())
        };
        addresses.iter().find_map(of)
    };
    let sender = Sender { wa_id: digits("@s.whatsapp.net").or_else(|| digits("@c.us")), user_id: digits("@lid"), name: None };
    if sender.wa_id.is_some() || sender.user_id.is_some() {
        return Party::Person(sender);
    }
    Party::Nobody(addresses.first().cloned().unwrap_or_default())
}

/// What became of a message of the business. Of the client's own, what we have done with it says nothing new.
fn status(data: &Value, now: Timestamp) -> Item {
    let key = &data["key"];
    let Some(id) = text(data, "keyId").or_else(|| text(key, "id")) else {
        return Item::Broken { id: None, error: "a status names no message".into() };
    };
    let address = if text(data, "remoteJid").is_some() { data } else { key };
    if matches!(party(address, data), Party::Group) {
        return Item::Group { id: Some(id) };
    }
    let is_own = data["fromMe"].as_bool().or_else(|| key["fromMe"].as_bool()).unwrap_or(true);
    let told = data["status"].as_str().map(str::to_uppercase).unwrap_or_default();
    // A deletion is told by an event of its own: here it is what versions say that know nothing better.
    let Some(status) = status_of(&data["status"]) else { return Item::Ignored(format!("status {told}")) };
    if !is_own {
        return Item::Ignored(format!("status {told} of a client's message"));
    }
    Item::Status(InboundStatus {
        id,
        status,
        at: time(&data["messageTimestamp"], now),
        message_id: None,
        error_code: (status == "failed").then(|| "error".to_owned()),
        error_detail: (status == "failed").then(|| "O WhatsApp não aceitou a mensagem.".to_owned()),
        charge: None,
    })
}

/// By its name, or by its number as the phone has it.
fn status_of(told: &Value) -> Option<&'static str> {
    let name = told.as_str().map(str::to_uppercase);
    match (name.as_deref(), told.as_i64()) {
        (Some("SERVER_ACK"), _) | (_, Some(2)) => Some("sent"),
        (Some("DELIVERY_ACK"), _) | (_, Some(3)) => Some("delivered"),
        (Some("READ" | "PLAYED"), _) | (_, Some(4 | 5)) => Some("read"),
        (Some("ERROR"), _) | (_, Some(0)) => Some("failed"),
        _ => None,
    }
}

/// What the phone calls somebody, or they themselves; a number that stands for a name is none.
fn contact(data: &Value, now: Timestamp) -> Item {
    let Party::Person(Sender { wa_id: Some(number), .. }) = party(data, data) else {
        return Item::Ignored("a contact without a number".into());
    };
    let named = name(data, "pushName").filter(|name| name.chars().any(char::is_alphabetic));
    named
        .map_or_else(|| Item::Ignored("a contact without a name".into()), |name| Item::Contact(Contact { number, name, at: now }))
}

/// Milliseconds, as text or as a number.
fn milliseconds(value: &Value, now: Timestamp) -> Timestamp {
    let told = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    time(&json!(told.map(|told| told / 1_000)), now)
}

/// Several things as one.
fn all<'a>(value: &'a Value, field: &str) -> Vec<&'a Value> {
    array(&value[field]).iter().collect()
}

#[cfg(test)]
mod tests;
