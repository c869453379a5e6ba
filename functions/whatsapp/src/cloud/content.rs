//! What a message says: our kind, the words to show, and what is particular to the kind. A message without words is given some, so that
//! everybody sees what it is; the bot goes by its kind.

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::phone;

use super::is_of_group;
use crate::{
    item::{Change, InboundMessage, Item, Media, Sender},
    reading::{degrees, pick, text, time},
};

/// Our kind, the words, the payload.
type Content = (&'static str, String, Value);

pub(super) fn read(message: &Value, sender: Sender, now: Timestamp, by: &str) -> Item {
    let id = text(message, "id");
    if is_of_group(message) {
        return Item::Group { id };
    }
    let Some(id) = id else { return Item::Broken { id: None, error: "it has no id".into() } };
    if sender.wa_id.is_none() && sender.user_id.is_none() {
        return Item::Broken { id: Some(id), error: "it names no sender".into() };
    }
    let kind = text(message, "type").unwrap_or_default();
    let content = &message[kind.as_str()];
    let at = time(&message["timestamp"], now);
    if matches!(kind.as_str(), "edit" | "revoke" | "reaction") {
        return read_change(id, kind, content, at, by, sender);
    }
    let (our_kind, body, mut payload) = read_content(&kind, content, message);
    let media = matches!(our_kind, "image" | "video" | "document" | "sticker" | "audio").then(|| read_media(content)).flatten();
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

fn read_content(kind: &str, content: &Value, message: &Value) -> Content {
    match (kind, text(content, "body")) {
        ("text", Some(body)) => ("text", body, json!({})),
        ("image", _) if has_file(content) => ("image", caption(content), json!({})),
        ("video", _) if has_file(content) => ("video", caption(content), json!({})),
        ("document", _) if has_file(content) => ("document", caption(content), json!({})),
        ("sticker", _) if has_file(content) => ("sticker", String::new(), pick(content, &["animated"])),
        ("audio", _) if has_file(content) => ("audio", String::new(), json!({"voice": content["voice"] == json!(true)})),
        ("location", _) if content.is_object() => location(content),
        ("contacts", _) if content.is_array() => {
            let name = text(&content[0]["name"], "formatted_name").unwrap_or_default();
            ("contacts", name, json!({"contacts": content}))
        }
        ("interactive", _) if content.is_object() => interactive(content),
        ("button", _) if content.is_object() => {
            let title = text(content, "text").unwrap_or_else(|| "Resposta".into());
            ("interactive", title.clone(), json!({"reply": {"id": content["payload"], "title": title}}))
        }
        ("order", _) => ("order", text(content, "text").unwrap_or_default(), json!({"order": content})),
        ("system", body) => {
            let body = body.unwrap_or_else(|| "Aviso do WhatsApp sobre este cliente".into());
            ("system", body, json!({"system": content, "identity": message["identity"]}))
        }
        ("request_welcome", _) => ("system", "Abriu a conversa".into(), json!({"request_welcome": true})),
        _ => {
            let payload = json!({"type": kind, "content": content, "errors": message["errors"]});
            ("unsupported", unsupported(kind, content), payload)
        }
    }
}

fn caption(content: &Value) -> String {
    text(content, "caption").unwrap_or_default()
}

fn has_file(content: &Value) -> bool {
    text(content, "id").is_some()
}

fn read_media(content: &Value) -> Option<Media> {
    let mime_type = text(content, "mime_type").unwrap_or_else(|| "application/octet-stream".into());
    Some(Media { id: text(content, "id")?, mime_type, name: text(content, "filename") })
}

fn location(content: &Value) -> Content {
    let mut place = pick(content, &["name", "address", "url"]);
    place["latitude"] = json!(degrees(&content["latitude"], 90.0));
    place["longitude"] = json!(degrees(&content["longitude"], 180.0));
    let body = text(content, "name").or_else(|| text(content, "address")).unwrap_or_default();
    ("location", body, place)
}

/// A tapped button or row says its title; other replies are told in words of ours.
fn interactive(content: &Value) -> Content {
    let kind = text(content, "type").unwrap_or_default();
    let reply = &content[kind.as_str()];
    let words = match (kind.as_str(), text(reply, "response").as_deref()) {
        ("nfm_reply", _) if reply["name"] == "address_message" => Some("Enviou um endereço"),
        ("nfm_reply", _) => Some("Respondeu a um formulário"),
        ("call_permission_reply", Some("accept")) => Some("Aceitou receber ligações"),
        ("call_permission_reply", Some("reject")) => Some("Não aceitou receber ligações"),
        ("call_permission_reply", _) => Some("Respondeu ao pedido de ligação"),
        _ => None,
    };
    let words = words.map(str::to_owned).or_else(|| text(reply, "title")).or_else(|| text(reply, "body"));
    ("interactive", words.unwrap_or_else(|| "Resposta interativa".into()), json!({"type": kind, "reply": reply}))
}

fn unsupported(kind: &str, content: &Value) -> String {
    match (kind, text(content, "type").as_deref()) {
        ("text", _) => "Mensagem sem texto".into(),
        ("interactive" | "button", _) => "Resposta que o WhatsApp não entregou".into(),
        ("media_placeholder" | "image" | "video" | "document" | "sticker" | "audio", _) => {
            "Mídia que o WhatsApp não entregou".into()
        }
        ("unsupported", Some("poll")) => "Enquete (não suportada)".into(),
        ("unsupported", Some("event")) => "Evento (não suportado)".into(),
        ("unsupported", Some("view_once")) => "Mídia de visualização única (não suportada)".into(),
        _ => "Mensagem não suportada".into(),
    }
}

fn read_change(id: String, kind: String, content: &Value, at: Timestamp, by: &str, sender: Sender) -> Item {
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
    let phone = sender.wa_id.as_deref().map(phone::canonical);
    let (changed_by, body) = (by.to_owned(), body.unwrap_or_default());
    Item::Change(Change { id, target, kind, changed_by, phone, user_id: sender.user_id, body, at })
}
