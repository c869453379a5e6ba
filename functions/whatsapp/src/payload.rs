//! What Meta sends, read leniently: one strange element never spoils its siblings.

use jiff::{SignedDuration, Timestamp};
use postgres_from_row::FromRow;
use serde_json::{Map, Value, json};
use shared::{phone, text::without_nul};
use uuid::Uuid;

mod account;
mod content;
mod kind;
mod mend;
pub mod template;

pub use account::{AccountNotice, Alert};
pub use kind::{ItemKind, kinds};
use mend::{ESCAPED_NUL, fault, readable, without_lone_surrogates};
pub use template::TemplateChange;

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
    /// A client takes marketing messages, or no more.
    Preference(Preference),
    /// The business's phone calls somebody by this name.
    Contact(Contact),
    /// WhatsApp tells something about the account or a number of it.
    Account(AccountNotice),
    /// WhatsApp tells what became of a template.
    Template(TemplateChange),
    /// Something in a group of people, which is nobody's private word: kept in the raw webhook only.
    Group {
        id: Option<String>,
    },
    /// Something we keep in the raw webhook only.
    Ignored(String),
    /// Something that cannot be read.
    Broken {
        id: Option<String>,
        error: String,
    },
}

impl Item {
    /// WhatsApp's id of it, or of the message it tells of.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Message(message) | Self::Echo(message) | Self::Notice(message) => Some(&message.id),
            Self::Status(status) => Some(&status.id),
            Self::Change(change) => Some(&change.id),
            Self::Broken { id, .. } | Self::Group { id } => id.as_deref(),
            Self::NewUserId { .. }
            | Self::Preference(_)
            | Self::Contact(_)
            | Self::Account(_)
            | Self::Template(_)
            | Self::Ignored(_) => None,
        }
    }
}

/// A client as WhatsApp names them. At least one is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// Digits; absent for people who hide their number.
    pub wa_id: Option<String>,
    pub user_id: Option<String>,
    pub name: Option<String>,
}

impl Sender {
    /// By which of a client's identities they are heard of: their number, or without one their user id.
    #[must_use]
    pub fn identity(&self) -> Option<String> {
        let number = self.wa_id.as_deref().map(|wa_id| format!("phone:{}", phone::canonical(wa_id)));
        number.or_else(|| self.user_id.as_deref().map(|user_id| format!("bsuid:{user_id}")))
    }
}

/// Whether a client takes marketing messages.
#[derive(Clone, Debug, PartialEq)]
pub struct Preference {
    pub sender: Sender,
    pub granted: bool,
    pub at: Timestamp,
    /// As it came.
    pub proof: Value,
}

/// An entry of the address book on the business's phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Digits, as the phone has them.
    pub number: String,
    pub name: String,
    pub at: Timestamp,
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
    /// By which a client who made it is known; of the business's own, whom it wrote to.
    pub phone: Option<String>,
    pub bsuid: Option<String>,
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

/// Fields whose changes are always of one number: without its id they are of nobody.
const OF_A_NUMBER: [&str; 6] = ["messages", "smb_message_echoes", "smb_app_state_sync", "user_preferences", "history", "calls"];

/// Whom a change is for: a number, or the account as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The number's id. Changes of the account carry none.
    pub phone_number_id: Option<String>,
    /// The WhatsApp Business Account.
    pub account_id: Option<String>,
    /// The number people see.
    pub display_number: Option<String>,
}

impl Address {
    fn of(entry: &Value, change: &Value) -> Self {
        let value = &change["value"];
        let metadata = &value["metadata"];
        let shown = text(metadata, "display_phone_number").or_else(|| text(value, "display_phone_number"));
        let phone_number_id = text(metadata, "phone_number_id");
        let is_of_nobody =
            phone_number_id.is_none() && change["field"].as_str().is_some_and(|field| OF_A_NUMBER.contains(&field));
        Self {
            account_id: text(entry, "id").filter(|_| !is_of_nobody),
            phone_number_id,
            display_number: shown.map(|shown| phone::canonical(&shown)),
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        let Self { phone_number_id, .. } = self;
        if phone_number_id.is_some() { *phone_number_id == other.phone_number_id } else { self == other }
    }

    /// What unrouted webhooks are kept under.
    #[must_use]
    pub fn key(&self) -> &str {
        self.phone_number_id.as_deref().or(self.account_id.as_deref()).unwrap_or_default()
    }
}

/// The items of one address, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    pub address: Address,
    pub items: Vec<Item>,
}

/// Reads a webhook's body, each element by itself: what cannot be read is an item of its own.
///
/// # Errors
/// Why nothing of it can be read.
pub fn read(body: &[u8], now: Timestamp) -> Result<Vec<Notification>, String> {
    let mut envelope = parse(body)?;
    let mut entries = match envelope.remove("entry") {
        Some(Value::Array(entries)) => entries,
        Some(_) => return Err("`entry` is no list".into()),
        None => Vec::new(),
    };
    if body.windows(ESCAPED_NUL.len()).any(|part| part == ESCAPED_NUL) {
        entries = entries.into_iter().map(without_nul).collect();
    }
    let mut notifications: Vec<Notification> = Vec::new();
    for entry in &entries {
        let changes = array(&entry["changes"]);
        for change in changes {
            add(&mut notifications, Address::of(entry, change), items(change, entry, now));
        }
        if let Some(item) = unreadable(entry).filter(|_| changes.iter().all(|change| fault(change).is_none())) {
            add(&mut notifications, Address::of(entry, &Value::Null), vec![item]);
        }
    }
    Ok(notifications)
}

fn add(notifications: &mut Vec<Notification>, address: Address, items: Vec<Item>) {
    match notifications.iter_mut().find(|notification| notification.address.is_same(&address)) {
        Some(notification) => notification.items.extend(items),
        None => notifications.push(Notification { address, items }),
    }
}

/// Something of which a part cannot be read.
fn unreadable(value: &Value) -> Option<Item> {
    fault(value).map(|error| Item::Broken { id: text(value, "id"), error })
}

/// The same webhook with what is of this address only.
pub fn part_of(body: &[u8], address: &Address) -> Vec<u8> {
    let mut envelope = parse(body).unwrap_or_default();
    if let Some(entries) = envelope.get_mut("entry").and_then(Value::as_array_mut) {
        entries.retain_mut(|entry| {
            let account = json!({"id": entry["id"]});
            let is_own = |change: &Value| address.is_same(&Address::of(&account, change));
            let Some(changes) = entry.get_mut("changes").and_then(Value::as_array_mut) else { return is_own(&Value::Null) };
            changes.retain(is_own);
            !changes.is_empty()
        });
    }
    Value::Object(envelope).to_string().into_bytes()
}

fn parse(body: &[u8]) -> Result<Map<String, Value>, String> {
    let text = String::from_utf8_lossy(body);
    let parsed = serde_json::from_str(&text).or_else(|_| readable(&without_lone_surrogates(text.as_bytes())));
    match parsed {
        Ok(Value::Object(envelope)) => Ok(envelope),
        Ok(_) => Err("it is no object".into()),
        Err(error) => Err(error.to_string()),
    }
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
        "smb_app_state_sync" => each(&value["state_sync"], |contact| read_contact(contact, now)),
        group if group.starts_with("group_") => vec![Item::Group { id: None }],
        _ => vec![account::read(&field, value, entry, now)],
    }
}

/// The items of a list, of which one that cannot be read spoils no other.
fn each(list: &Value, read: impl Fn(&Value) -> Item) -> Vec<Item> {
    array(list).iter().map(|item| unreadable(item).unwrap_or_else(|| read(item))).collect()
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
    Item::Preference(Preference { sender, granted, at: time(preference, now), proof: preference.clone() })
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
        (Some(number), Some(name)) => Item::Contact(Contact { number, name, at: time(&entry["metadata"], now) }),
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
        at: time(status, now),
        message_id: text(status, "biz_opaque_callback_data").and_then(|text| text.parse().ok()),
        error_code: error["code"].as_i64().map(|code| code.to_string()),
        error_detail: detail,
    })
}

/// Characters of a client's name.
const LONGEST_NAME: usize = 120;

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

/// A person's name on one line, without what cannot be seen or turns the writing round; cut at what a name may have.
fn name(value: &Value, field: &str) -> Option<String> {
    let is_hidden = |character: char| {
        let code = u32::from(character);
        character.is_control() || matches!(code, 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x2069 | 0xFEFF)
    };
    let shown: String =
        text(value, field)?.chars().map(|character| if character.is_whitespace() { ' ' } else { character }).collect();
    let shown: String = shown.chars().filter(|character| !is_hidden(*character)).take(LONGEST_NAME).collect();
    Some(shown.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Whether it names a group, by any of the fields that may.
fn is_of_group(item: &Value) -> bool {
    let is_named = |group: &Value| !group.is_null() && *group != "";
    let is_group = |person: &str| text(item, person).is_some_and(|id| id.ends_with("@g.us"));
    is_named(&item["group_id"]) || ["from", "to", "recipient_id"].into_iter().any(is_group)
}

fn pick(value: &Value, names: &[&str]) -> Value {
    let fields = names.iter().filter_map(|name| Some(((*name).to_owned(), value.get(*name)?.clone())));
    Value::Object(fields.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests;
