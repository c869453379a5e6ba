//! Turning a message into what WhatsApp's Cloud API takes. Pure; limits from Meta's documentation.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::LONGEST_CAPTION;

/// Characters of a text.
pub const LONGEST_TEXT: usize = 4096;
/// Of a text with buttons or a list below.
pub const LONGEST_QUESTION: usize = 1024;
/// Of a button's title, and of that of a row of a list.
pub const LONGEST_BUTTON: usize = 20;
pub const LONGEST_ROW: usize = 24;
/// Of what stands below a row's title.
pub const LONGEST_DESCRIPTION: usize = 72;

/// Options that are buttons; more are a list.
const MOST_BUTTONS: usize = 3;

/// Characters of a title of one of so many options.
#[must_use]
pub const fn longest_title(options: usize) -> usize {
    if options <= MOST_BUTTONS { LONGEST_BUTTON } else { LONGEST_ROW }
}

/// A message as the worker loads it.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub message_id: Uuid,
    pub kind: String,
    pub body: String,
    pub payload: Value,
    /// What the client is addressed by, as WhatsApp gave it.
    pub address: String,
    /// Whether the address is a business-scoped user id and not a phone number.
    pub is_user_id: bool,
    /// Whose name goes above the words.
    pub signed_by: Option<String>,
    /// WhatsApp's id of the message this one answers.
    pub reply_to: Option<String>,
    /// Whether that one is the business's own.
    pub answers_own: bool,
    pub file: Option<FileToSend>,
}

#[cfg(test)]
impl Delivery {
    /// One without a file, to a mobile.
    pub fn sample(kind: &str, body: &str, payload: Value) -> Self {
        Self {
            message_id: Uuid::nil(),
            kind: kind.into(),
            body: body.into(),
            payload,
            address: "5511987654321".into(),
            is_user_id: false,
            signed_by: None,
            reply_to: None,
            answers_own: false,
            file: None,
        }
    }
}

/// A file already uploaded to WhatsApp.
#[derive(Clone, Debug)]
pub struct FileToSend {
    pub media_id: String,
    pub name: String,
}

/// The body of `POST /{phone_number_id}/messages`.
pub fn compose(delivery: &Delivery) -> Value {
    let mut body = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "biz_opaque_callback_data": delivery.message_id.to_string(),
    });
    body[if delivery.is_user_id { "recipient" } else { "to" }] = json!(delivery.address);
    if delivery.kind == "reaction" {
        body["type"] = json!("reaction");
        body["reaction"] = json!({"message_id": delivery.reply_to, "emoji": delivery.body});
        return body;
    }
    if let Some(id) = &delivery.reply_to {
        body["context"] = json!({"message_id": id});
    }
    let (kind, content) = content(delivery);
    body["type"] = json!(kind);
    body[kind] = content;
    body
}

fn content(delivery: &Delivery) -> (&'static str, Value) {
    let payload = &delivery.payload;
    match delivery.kind.as_str() {
        "image" => ("image", media(delivery, true, false)),
        "video" => ("video", media(delivery, true, false)),
        "document" => ("document", media(delivery, true, true)),
        "sticker" => ("sticker", media(delivery, false, false)),
        "audio" => {
            let mut audio = media(delivery, false, false);
            if payload["voice"] == json!(true) {
                audio["voice"] = json!(true);
            }
            ("audio", audio)
        }
        "location" => ("location", pick(payload, &["latitude", "longitude", "name", "address"])),
        "contacts" => ("contacts", payload["contacts"].clone()),
        "template" => ("template", template(delivery)),
        "interactive" => match interactive(&signed(delivery, LONGEST_QUESTION), payload) {
            Some(interactive) => ("interactive", interactive),
            None => text(&signed(delivery, LONGEST_TEXT)),
        },
        _ => text(&signed(delivery, LONGEST_TEXT)),
    }
}

/// The words below the name of who writes, in WhatsApp's bold; without it where there is no room for both.
pub fn signed(delivery: &Delivery, longest: usize) -> String {
    let name = delivery.signed_by.as_deref().map(|name| name.replace('*', ""));
    let with_name = name.map(|name| format!("*{}:*\n{}", name.trim(), delivery.body));
    with_name.filter(|words| words.chars().count() <= longest).unwrap_or_else(|| delivery.body.clone())
}

fn text(body: &str) -> (&'static str, Value) {
    ("text", json!({"body": body, "preview_url": body.contains("https://")}))
}

fn media(delivery: &Delivery, has_caption: bool, has_name: bool) -> Value {
    let mut media = Map::new();
    if let Some(file) = &delivery.file {
        media.insert("id".into(), json!(file.media_id));
        if has_name {
            media.insert("filename".into(), json!(file.name));
        }
    }
    if has_caption && !delivery.body.is_empty() {
        media.insert("caption".into(), json!(signed(delivery, LONGEST_CAPTION)));
    }
    Value::Object(media)
}

/// With the file of its header, which has its own id at WhatsApp.
fn template(delivery: &Delivery) -> Value {
    let mut template = delivery.payload["template"].clone();
    let format = delivery.payload["header_format"].as_str();
    if let (Some(format), Some(components)) = (format, template["components"].as_array_mut()) {
        let file = json!({"type": format, format: media(delivery, false, format == "document")});
        components.insert(0, json!({"type": "header", "parameters": [file]}));
    }
    template
}

/// Up to three options are buttons, up to ten a list; more than that the caller has put into the text.
fn interactive(body: &str, payload: &Value) -> Option<Value> {
    let options = payload["options"].as_array().filter(|options| !options.is_empty())?;
    let body = json!({"text": shorten(body, LONGEST_QUESTION)});
    let field = |option: &Value, name: &str| option[name].as_str().unwrap_or_default().to_owned();
    if options.len() <= MOST_BUTTONS {
        let buttons = options.iter().map(|option| {
            json!({"type": "reply", "reply": {"id": field(option, "id"), "title": shorten(&field(option, "title"), LONGEST_BUTTON)}})
        });
        return Some(json!({"type": "button", "body": body, "action": {"buttons": buttons.collect::<Vec<_>>()}}));
    }
    let rows = options.iter().take(10).map(|option| {
        let mut row = json!({"id": field(option, "id"), "title": shorten(&field(option, "title"), LONGEST_ROW)});
        let description = field(option, "description");
        if !description.is_empty() {
            row["description"] = json!(shorten(&description, LONGEST_DESCRIPTION));
        }
        row
    });
    let button = payload["button"].as_str().unwrap_or("Ver opções");
    Some(json!({
        "type": "list",
        "body": body,
        "action": {"button": shorten(button, LONGEST_BUTTON), "sections": [{"rows": rows.collect::<Vec<_>>()}]},
    }))
}

/// The words with the options below them, for channels without buttons.
pub fn with_options(words: &str, payload: &Value) -> String {
    let options = payload["options"].as_array().into_iter().flatten();
    let lines =
        options.enumerate().map(|(index, option)| format!("{}. {}", index + 1, option["title"].as_str().unwrap_or_default()));
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() { words.to_owned() } else { format!("{words}\n\n{}", lines.join("\n")) }
}

fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.trim().to_owned();
    }
    let cut: String = text.chars().take(most - 1).collect();
    format!("{}…", cut.trim_end())
}

fn pick(payload: &Value, names: &[&str]) -> Value {
    let fields = names.iter().filter_map(|name| Some(((*name).to_owned(), payload.get(*name)?.clone())));
    Value::Object(fields.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(kind: &str, body: &str, payload: Value) -> Delivery {
        Delivery {
            file: Some(FileToSend { media_id: "9".into(), name: "a.pdf".into() }),
            ..Delivery::sample(kind, body, payload)
        }
    }

    fn options(count: usize) -> Value {
        let options: Vec<Value> = (0..count)
            .map(|index| json!({"id": index.to_string(), "title": format!("Uma opção bem comprida {index}")}))
            .collect();
        json!({"options": options})
    }

    #[test]
    fn text_goes_to_the_phone_number_with_our_id() {
        let body = compose(&delivery("text", "Olá", json!({})));
        assert_eq!(body["to"], "5511987654321");
        assert_eq!(body["text"]["body"], "Olá");
        assert_eq!(body["biz_opaque_callback_data"], Uuid::nil().to_string());
        assert!(body.get("recipient").is_none() && body.get("context").is_none());
    }

    #[test]
    fn a_user_without_a_visible_number_is_addressed_by_id() {
        let signed = |body: &str| compose(&Delivery { signed_by: Some("Ana *B*".into()), ..delivery("text", body, json!({})) });
        assert_eq!(signed("Olá")["text"]["body"], "*Ana B:*\nOlá");
        let long = "á".repeat(4090);
        assert_eq!(signed(&long)["text"]["body"], long.as_str());
        let body = compose(&Delivery { is_user_id: true, address: "BR.1".into(), ..delivery("text", "Olá", json!({})) });
        assert_eq!(body["recipient"], "BR.1");
        assert!(body.get("to").is_none());
    }

    #[test]
    fn captions_and_names_go_where_whatsapp_takes_them() {
        assert_eq!(
            compose(&delivery("document", "Segue", json!({})))["document"],
            json!({"id": "9", "filename": "a.pdf", "caption": "Segue"})
        );
        assert_eq!(compose(&delivery("audio", "", json!({"voice": true})))["audio"], json!({"id": "9", "voice": true}));
        assert_eq!(compose(&delivery("image", "", json!({})))["image"], json!({"id": "9"}));
    }

    #[test]
    fn few_options_are_buttons_and_more_a_list_with_titles_within_the_limits() {
        let buttons = compose(&delivery("interactive", "Escolha", options(3)));
        let buttons = buttons["interactive"]["action"]["buttons"].as_array().unwrap();
        assert!(buttons.iter().all(|button| button["reply"]["title"].as_str().unwrap().chars().count() <= LONGEST_BUTTON));
        let list = compose(&delivery("interactive", "Escolha", options(12)));
        assert_eq!(list["interactive"]["type"], "list");
        assert_eq!(list["interactive"]["action"]["sections"][0]["rows"].as_array().unwrap().len(), 10);
    }

    #[test]
    fn a_template_has_its_file_in_its_header() {
        let template =
            json!({"name": "oferta", "language": {"code": "pt_BR"}, "components": [{"type": "body", "parameters": []}]});
        let sent = compose(&delivery("template", "Oi", json!({"template": template, "header_format": "document"})));
        let header =
            json!({"type": "header", "parameters": [{"type": "document", "document": {"id": "9", "filename": "a.pdf"}}]});
        assert_eq!((&sent["type"], &sent["template"]["components"][0]), (&json!("template"), &header));
        assert_eq!(compose(&delivery("template", "Oi", json!({"template": template})))["template"], template);
    }

    #[test]
    fn a_reaction_names_its_message_and_quotes_none() {
        let body = compose(&Delivery { reply_to: Some("wamid.1".into()), ..delivery("reaction", "👍", json!({})) });
        assert_eq!((&body["type"], &body["reaction"]), (&json!("reaction"), &json!({"message_id": "wamid.1", "emoji": "👍"})));
        assert!(body.get("context").is_none());
    }

    #[test]
    fn options_without_any_become_text() {
        assert_eq!(compose(&delivery("interactive", "Olá", json!({})))["type"], "text");
    }
}
