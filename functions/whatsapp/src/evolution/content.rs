//! What a message of an instance says: our kind, the words to show, and what is particular to the kind, in the shapes that messages of the
//! Cloud API have.

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::phone;

use super::{Party, all, milliseconds, party, vcard};
use crate::{
    item::{Change, InboundMessage, Item, Media, Sender},
    reading::{degrees, name, text, time},
};

/// Our kind, the words, the payload.
type Content = (&'static str, String, Value);

/// Messages that only wrap another one.
const WRAPPERS: [&str; 8] = [
    "ephemeralMessage",
    "documentWithCaptionMessage",
    "deviceSentMessage",
    "viewOnceMessage",
    "viewOnceMessageV2",
    "viewOnceMessageV2Extension",
    "editedMessage",
    "groupMentionedMessage",
];

/// Wrappers around what may be looked at once, on the phone.
const VIEW_ONCE: [&str; 3] = ["viewOnceMessage", "viewOnceMessageV2", "viewOnceMessageV2Extension"];

/// Deeper is no message that anybody sends.
const LEVELS: usize = 4;

pub(super) fn message(data: &Value, now: Timestamp) -> Item {
    let key = &data["key"];
    let id = text(key, "id");
    let mut sender = match party(key, data) {
        Party::Person(sender) => sender,
        Party::Group => return Item::Group { id },
        Party::Nobody(address) if address.is_empty() => return Item::Broken { id, error: "it names no sender".into() },
        Party::Nobody(address) => {
            return Item::Ignored(format!("a message of {}", address.rsplit('@').next().unwrap_or_default()));
        }
    };
    let Some(id) = id else { return Item::Broken { id: None, error: "it has no id".into() } };
    let is_own = key["fromMe"] == true;
    if !is_own {
        sender.name = name(data, "pushName");
    }
    let at = time(seconds(&data["messageTimestamp"]), now);
    let Opened { content, is_view_once } = open(&data["message"]);
    let reaction = &content["reactionMessage"];
    if reaction.is_object() {
        let body = text(reaction, "text").unwrap_or_default();
        return change(id, text(&reaction["key"], "id"), "reaction", is_own, sender, body, at);
    }
    let protocol = &content["protocolMessage"];
    if protocol.is_object() {
        return told_by_protocol(protocol, is_own, sender, at);
    }
    let (kind, body, mut payload) = if is_view_once { view_once() } else { read(content) };
    let media = file_of(content).filter(|_| !is_view_once).map(|(_, file)| Media {
        id: id.clone(),
        mime_type: text(file, "mimetype").unwrap_or_else(|| "application/octet-stream".into()),
        name: text(file, "fileName").or_else(|| text(file, "title")),
    });
    let context = context(data, content);
    if let Some(fields) = payload.as_object_mut() {
        if let Some(advert) = context.get("externalAdReply").filter(|advert| advert.is_object()) {
            fields.insert(
                "referral".into(),
                json!({"headline": advert["title"], "body": advert["body"], "source_url": advert["sourceUrl"]}),
            );
        }
        if context["isForwarded"] == true {
            fields.insert("context".into(), json!({"forwarded": true}));
        }
    }
    let message = InboundMessage { reply_to: text(context, "stanzaId"), id, sender, at, kind, body, payload, media };
    if is_own { Item::Echo(message) } else { Item::Message(message) }
}

/// `MESSAGE_EDIT`, `REVOKE` and more come under one name.
pub(super) fn edited(data: &Value, now: Timestamp) -> Item {
    let key = &data["key"];
    let sender = match party(key, data) {
        Party::Person(sender) => sender,
        Party::Group => return Item::Group { id: text(key, "id") },
        Party::Nobody(_) => return Item::Ignored("an edit of nobody's message".into()),
    };
    let at = milliseconds(&data["timestampMs"], now);
    told_by_protocol(data, key["fromMe"] == true, sender, at)
}

/// `data` is the key, or has it.
pub(super) fn deleted(data: &Value, now: Timestamp) -> Item {
    let key = if data["key"].is_object() { &data["key"] } else { data };
    let id = text(key, "id");
    match party(key, data) {
        Party::Person(sender) => revoke(id, key["fromMe"] == true, sender, now),
        Party::Group => Item::Group { id },
        Party::Nobody(_) => Item::Ignored("a deletion of nobody's message".into()),
    }
}

/// An edit carries the new message; of all else only taking back concerns us.
fn told_by_protocol(protocol: &Value, is_own: bool, sender: Sender, at: Timestamp) -> Item {
    let target = text(&protocol["key"], "id");
    let kind = &protocol["type"];
    let edited = &protocol["editedMessage"];
    if edited.is_object() {
        let Opened { content, .. } = open(edited);
        let (_, body, _) = read(content);
        let told = protocol["timestampMs"].as_str().map_or_else(|| at.as_second().to_string(), str::to_owned);
        let id = format!("{}:edit:{told}", target.as_deref().unwrap_or_default());
        return change(id, target, "edit", is_own, sender, body, at);
    }
    if kind == "REVOKE" || *kind == json!(0) || (kind.is_null() && target.is_some()) {
        return revoke(target, is_own, sender, at);
    }
    Item::Ignored(format!("protocolMessage {kind}"))
}

fn revoke(target: Option<String>, is_own: bool, sender: Sender, at: Timestamp) -> Item {
    let id = format!("{}:revoke", target.as_deref().unwrap_or_default());
    change(id, target, "revoke", is_own, sender, String::new(), at)
}

fn change(id: String, target: Option<String>, kind: &str, is_own: bool, sender: Sender, body: String, at: Timestamp) -> Item {
    let Some(target) = target else { return Item::Broken { id: Some(id), error: format!("the {kind} names no message") } };
    let changed_by = if is_own { "agent" } else { "client" };
    let phone = sender.wa_id.as_deref().map(phone::canonical);
    Item::Change(Change {
        id,
        target,
        kind: kind.into(),
        changed_by: changed_by.into(),
        phone,
        user_id: sender.user_id,
        body,
        at,
    })
}

/// Seconds, or the two halves of a long number.
fn seconds(told: &Value) -> &Value {
    if told["low"].is_number() { &told["low"] } else { told }
}

struct Opened<'a> {
    content: &'a Value,
    is_view_once: bool,
}

fn open(message: &Value) -> Opened<'_> {
    let mut opened = Opened { content: message, is_view_once: false };
    for _ in 0..LEVELS {
        let Some(wrapper) = WRAPPERS.into_iter().find(|wrapper| opened.content[*wrapper]["message"].is_object()) else { break };
        opened.is_view_once |= VIEW_ONCE.contains(&wrapper);
        opened.content = &opened.content[wrapper]["message"];
    }
    opened
}

/// What the message answers and where it comes from: beside the message, or in the part of it that says something.
fn context<'a>(data: &'a Value, content: &'a Value) -> &'a Value {
    let beside = &data["contextInfo"];
    let inside = || content.as_object()?.values().map(|part| &part["contextInfo"]).find(|context| context.is_object());
    if beside.is_object() { beside } else { inside().unwrap_or(beside) }
}

const FILES: [(&str, &str); 6] = [
    ("imageMessage", "image"),
    ("videoMessage", "video"),
    ("ptvMessage", "video"),
    ("audioMessage", "audio"),
    ("documentMessage", "document"),
    ("stickerMessage", "sticker"),
];

fn file_of(content: &Value) -> Option<(&'static str, &Value)> {
    FILES.into_iter().find_map(|(field, kind)| Some((kind, content.get(field).filter(|file| file.is_object())?)))
}

fn read(content: &Value) -> Content {
    let words = text(content, "conversation").or_else(|| text(&content["extendedTextMessage"], "text"));
    if let Some(words) = words {
        return ("text", words, json!({}));
    }
    if let Some((kind, file)) = file_of(content) {
        return match kind {
            "audio" => ("audio", String::new(), json!({"voice": file["ptt"] == true})),
            "sticker" => ("sticker", String::new(), json!({"animated": file["isAnimated"] == true})),
            kind => (kind, text(file, "caption").unwrap_or_default(), json!({})),
        };
    }
    for field in ["locationMessage", "liveLocationMessage"] {
        if content[field].is_object() {
            return location(&content[field]);
        }
    }
    if content["contactMessage"].is_object() {
        return contacts(&[&content["contactMessage"]]);
    }
    if content["contactsArrayMessage"].is_object() {
        return contacts(&all(&content["contactsArrayMessage"], "contacts"));
    }
    tapped(content).unwrap_or_else(|| unsupported(content))
}

fn location(place: &Value) -> Content {
    let (name, address) = (text(place, "name"), text(place, "address"));
    let mut payload =
        json!({"latitude": degrees(&place["degreesLatitude"], 90.0), "longitude": degrees(&place["degreesLongitude"], 180.0)});
    for (field, value) in [("name", &name), ("address", &address)] {
        if let Some(value) = value {
            payload[field] = json!(value);
        }
    }
    ("location", name.or(address).unwrap_or_default(), payload)
}

fn contacts(list: &[&Value]) -> Content {
    let read = |contact: &&Value| {
        let (shown, card) = (text(contact, "displayName").unwrap_or_default(), text(contact, "vcard").unwrap_or_default());
        vcard::contact(&shown, &card)
    };
    let contacts: Vec<Value> = list.iter().map(read).collect();
    let first = contacts.first().and_then(|contact| text(&contact["name"], "formatted_name"));
    ("contacts", first.unwrap_or_default(), json!({"contacts": contacts}))
}

/// A tapped button or row, by whichever of its names.
fn tapped(content: &Value) -> Option<Content> {
    let reply = |kind: &str, id: Option<String>, title: Option<String>| {
        let title = title.or_else(|| id.clone()).unwrap_or_else(|| "Resposta interativa".into());
        ("interactive", title.clone(), json!({"type": kind, "reply": {"id": id, "title": title}}))
    };
    let there = |field: &str| content.get(field).filter(|part| part.is_object());
    if let Some(part) = there("buttonsResponseMessage") {
        return Some(reply("button_reply", text(part, "selectedButtonId"), text(part, "selectedDisplayText")));
    }
    if let Some(part) = there("templateButtonReplyMessage") {
        return Some(reply("button_reply", text(part, "selectedId"), text(part, "selectedDisplayText")));
    }
    if let Some(part) = there("listResponseMessage") {
        return Some(reply("list_reply", text(&part["singleSelectReply"], "selectedRowId"), text(part, "title")));
    }
    let part = there("interactiveResponseMessage")?;
    Some(reply("button_reply", text(&part["nativeFlowResponseMessage"], "name"), text(&part["body"], "text")))
}

fn view_once() -> Content {
    ("unsupported", "Mídia de visualização única (não suportada)".into(), json!({"type": "view_once"}))
}

/// Kept as it came, with words that say what it is.
fn unsupported(content: &Value) -> Content {
    let kind = content.as_object().and_then(|fields| fields.keys().find(|field| *field != "messageContextInfo").cloned());
    let kind = kind.unwrap_or_default();
    let part = &content[kind.as_str()];
    if kind.starts_with("pollCreationMessage") {
        let question = text(part, "name").unwrap_or_default();
        let options: Vec<String> = all(part, "options").into_iter().filter_map(|option| text(option, "optionName")).collect();
        return (
            "unsupported",
            format!("Enquete: {question}"),
            json!({"type": "poll", "poll": {"name": question, "options": options}}),
        );
    }
    let words = match kind.as_str() {
        "" => "Mensagem sem texto",
        "pollUpdateMessage" => "Respondeu a uma enquete (não suportado)",
        "eventMessage" => "Evento (não suportado)",
        _ => "Mensagem não suportada",
    };
    ("unsupported", words.into(), json!({"type": kind, "content": part}))
}
