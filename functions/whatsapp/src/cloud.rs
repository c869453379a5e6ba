//! What Meta sends, read leniently: one strange element never spoils its siblings.

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::phone;

use crate::{
    item::{Address, Charge, Contact, InboundStatus, Item, Notification, Preference, Sender},
    mend::fault,
    provider::Provider,
    reading::{array, each, name, parse, text, time, unreadable},
};

mod account;
mod content;
mod history;
pub mod template;

/// Fields whose changes are always of one number: without its id they are of nobody.
const OF_A_NUMBER: [&str; 6] = ["messages", "smb_message_echoes", "smb_app_state_sync", "user_preferences", "history", "calls"];

/// Whom a change is for: a number, or the account as a whole.
fn address_of(entry: &Value, change: &Value) -> Address {
    let value = &change["value"];
    let metadata = &value["metadata"];
    let shown = text(metadata, "display_phone_number").or_else(|| text(value, "display_phone_number"));
    let number = text(metadata, "phone_number_id");
    let is_of_nobody = number.is_none() && change["field"].as_str().is_some_and(|field| OF_A_NUMBER.contains(&field));
    Address {
        account_key: text(entry, "id").filter(|_| !is_of_nobody),
        external_key: number,
        display_number: shown.map(|shown| phone::canonical(&shown)),
    }
}

/// Reads a webhook's body, each element by itself: what cannot be read is an item of its own.
///
/// # Errors
/// Why nothing of it can be read.
pub fn read(body: &[u8], now: Timestamp) -> Result<Vec<Notification>, String> {
    let mut envelope = parse(body)?;
    let entries = match envelope.remove("entry") {
        Some(Value::Array(entries)) => entries,
        Some(_) => return Err("`entry` is no list".into()),
        None => Vec::new(),
    };
    let mut notifications: Vec<Notification> = Vec::new();
    for entry in &entries {
        let changes = array(&entry["changes"]);
        for change in changes {
            add(&mut notifications, address_of(entry, change), items(change, entry, now), is_history(change));
        }
        if let Some(item) = unreadable(entry).filter(|_| changes.iter().all(|change| fault(change).is_none())) {
            add(&mut notifications, address_of(entry, &Value::Null), vec![item], false);
        }
    }
    Ok(notifications)
}

/// What was said before waits for its own turn: it is told of by itself.
fn is_history(change: &Value) -> bool {
    change["field"] == "history"
}

fn add(notifications: &mut Vec<Notification>, address: Address, items: Vec<Item>, is_history: bool) {
    let is_same = |other: &&mut Notification| other.address.is_same(&address) && other.is_history() == is_history;
    match notifications.iter_mut().find(is_same) {
        Some(notification) => notification.items.extend(items),
        None => notifications.push(Notification { provider: Provider::Cloud, address, items }),
    }
}

/// The same webhook with what this tells only.
pub fn part_of(body: &[u8], told: &Notification) -> Vec<u8> {
    let Notification { address, .. } = told;
    let mut envelope = parse(body).unwrap_or_default();
    if let Some(entries) = envelope.get_mut("entry").and_then(Value::as_array_mut) {
        entries.retain_mut(|entry| {
            let account = json!({"id": entry["id"]});
            let is_own =
                |change: &Value| address.is_same(&address_of(&account, change)) && is_history(change) == told.is_history();
            let Some(changes) = entry.get_mut("changes").and_then(Value::as_array_mut) else { return is_own(&Value::Null) };
            changes.retain(is_own);
            !changes.is_empty()
        });
    }
    Value::Object(envelope).to_string().into_bytes()
}

/// What a change tells. Where a part of it that is no item cannot be read, it tells of that.
fn items(change: &Value, entry: &Value, now: Timestamp) -> Vec<Item> {
    let mut items = told(change, entry, now);
    let is_told = items.iter().any(|item| matches!(item, Item::Broken { .. }));
    items.extend(unreadable(change).filter(|_| !is_told));
    items
}

fn told(change: &Value, entry: &Value, now: Timestamp) -> Vec<Item> {
    let field = text(change, "field").unwrap_or_default();
    let value = &change["value"];
    match field.as_str() {
        "messages" => {
            let contacts = array(&value["contacts"]);
            let messages = each(&value["messages"], |message| read_message(message, contacts, now));
            let statuses = each(&value["statuses"], |status| read_status(status, now));
            let errors = array(&value["errors"]).iter().map(|error| Item::Ignored(format!("error {}", error["code"])));
            messages.into_iter().chain(statuses).chain(errors).collect()
        }
        "smb_message_echoes" => each(&value["message_echoes"], |message| read_echo(message, now)),
        "user_id_update" => {
            let change = &value["user_id"];
            match (text(change, "previous"), text(change, "current")) {
                (Some(previous), Some(current)) => vec![Item::NewUserId { previous, current }],
                _ => vec![Item::Ignored("user_id_update".into())],
            }
        }
        "user_preferences" => {
            let contacts = array(&value["contacts"]);
            each(&value["user_preferences"], |preference| read_preference(preference, contacts, now))
        }
        "history" => history::read(value, now),
        "smb_app_state_sync" => each(&value["state_sync"], |contact| read_contact(contact, now)),
        group if group.starts_with("group_") => vec![Item::Group { id: None }],
        _ => vec![account::read(&field, value, entry, now)],
    }
}

/// The client with these ids, and what the notification tells of them besides.
fn known_sender(wa_id: Option<String>, user_id: Option<String>, contacts: &[Value]) -> Sender {
    let mut sender = Sender { wa_id, user_id, name: None };
    let contact = contacts.iter().find(|contact| {
        let same = |mine: &Option<String>, theirs: Option<String>| mine.is_some() && *mine == theirs;
        same(&sender.wa_id, text(contact, "wa_id")) || same(&sender.user_id, text(contact, "user_id"))
    });
    if let Some(contact) = contact {
        sender.wa_id = sender.wa_id.or_else(|| text(contact, "wa_id"));
        sender.user_id = sender.user_id.or_else(|| text(contact, "user_id"));
        sender.name = name(&contact["profile"], "name");
    }
    sender
}

fn read_message(message: &Value, contacts: &[Value], now: Timestamp) -> Item {
    let sender = known_sender(text(message, "from"), text(message, "from_user_id"), contacts);
    content::read(message, sender, now, "client")
}

fn read_echo(message: &Value, now: Timestamp) -> Item {
    let sender = Sender { wa_id: text(message, "to"), user_id: text(message, "to_user_id"), name: None };
    content::read(message, sender, now, "agent")
}

fn read_preference(preference: &Value, contacts: &[Value], now: Timestamp) -> Item {
    let category = text(preference, "category").unwrap_or_default();
    let granted = match text(preference, "value").as_deref() {
        Some("stop") => false,
        Some("resume") => true,
        other => return Item::Ignored(format!("user_preferences {category} {}", other.unwrap_or_default())),
    };
    if category != "marketing_messages" {
        return Item::Ignored(format!("user_preferences {category}"));
    }
    let sender = known_sender(text(preference, "wa_id"), text(preference, "user_id"), contacts);
    if sender.wa_id.is_none() && sender.user_id.is_none() {
        return Item::Broken { id: None, error: "the preference names nobody".into() };
    }
    Item::Preference(Preference { sender, granted, at: time(&preference["timestamp"], now), proof: preference.clone() })
}

/// The phone tells the whole address book, and later what is added and edited. Whoever is removed keeps their name.
fn read_contact(entry: &Value, now: Timestamp) -> Item {
    let (kind, action) = (text(entry, "type").unwrap_or_default(), text(entry, "action").unwrap_or_default());
    if kind != "contact" || action == "remove" {
        return Item::Ignored(format!("smb_app_state_sync {kind} {action}"));
    }
    let contact = &entry["contact"];
    let named = name(contact, "full_name").or_else(|| name(contact, "first_name"));
    match (text(contact, "phone_number"), named) {
        (Some(number), Some(name)) => Item::Contact(Contact { number, name, at: time(&entry["metadata"]["timestamp"], now) }),
        _ => Item::Ignored("smb_app_state_sync contact without number or name".into()),
    }
}

fn read_status(status: &Value, now: Timestamp) -> Item {
    let Some(id) = text(status, "id") else { return Item::Broken { id: None, error: "a status names no message".into() } };
    if text(status, "recipient_type").as_deref() == Some("group") || is_of_group(status) {
        return Item::Group { id: Some(id) };
    }
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
        at: time(&status["timestamp"], now),
        message_id: text(status, "biz_opaque_callback_data").and_then(|text| text.parse().ok()),
        error_code: error["code"].as_i64().map(|code| code.to_string()),
        error_detail: detail,
        charge: charge(status, ours),
    })
}

/// Meta takes money for a message once it has arrived. Most say so twice, with `delivered` and with `read`; the first may never come.
fn charge(status: &Value, ours: &str) -> Option<Charge> {
    let pricing = &status["pricing"];
    if pricing["billable"] != true || !["delivered", "read"].contains(&ours) {
        return None;
    }
    let number = text(status, "recipient_id").as_deref().and_then(phone::country).map(str::to_owned);
    // An id of a person who hides their number begins with their country.
    let of_user_id = || {
        let id = text(status, "recipient_user_id")?;
        let (country, _) = id.split_once('.')?;
        (country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase())).then(|| country.to_owned())
    };
    let category = text(pricing, "category").unwrap_or_else(|| "unknown".to_owned());
    Some(Charge { category: category.chars().take(60).collect(), country: number.or_else(of_user_id) })
}

/// Whether it names a group, by any of the fields that may.
fn is_of_group(item: &Value) -> bool {
    let is_named = |group: &Value| !group.is_null() && *group != "";
    let is_group = |person: &str| text(item, person).is_some_and(|id| id.ends_with("@g.us"));
    is_named(&item["group_id"]) || ["from", "to", "recipient_id"].into_iter().any(is_group)
}

#[cfg(test)]
mod tests;
