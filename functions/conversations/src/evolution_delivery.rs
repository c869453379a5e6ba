//! Turning a message into what an Evolution API server takes. Pure.

use serde_json::{Value, json};

use crate::{
    Delivery,
    delivery::{signed, with_options},
};

/// Longest text and caption of WhatsApp.
const TEXT: usize = 4096;
const CAPTION: usize = 1024;

/// A file as it goes with its message.
pub struct File<'a> {
    pub name: &'a str,
    pub mime_type: &'a str,
    /// Without a prefix, which the server refuses.
    pub base64: String,
}

/// The call under `/message/`, and its body; `None` for kinds that nobody can send there.
pub fn compose(delivery: &Delivery, file: Option<&File<'_>>) -> Option<(&'static str, Value)> {
    let number = if delivery.is_user_id { jid(&delivery.address, true) } else { delivery.address.clone() };
    let payload = &delivery.payload;
    if delivery.kind == "reaction" {
        let key = json!({
            "id": delivery.reply_to,
            "remoteJid": if delivery.answers_own { sent_to(&delivery.address, delivery.is_user_id) } else { jid(&delivery.address, delivery.is_user_id) },
            "fromMe": delivery.answers_own,
        });
        return Some(("sendReaction", json!({"key": key, "reaction": delivery.body})));
    }
    let (what, mut body) = match (delivery.kind.as_str(), file) {
        ("image" | "video" | "document", Some(file)) => ("sendMedia", media(&delivery.kind, delivery, file)),
        ("audio", Some(file)) if payload["voice"] == true => {
            // Ours are what WhatsApp takes already.
            ("sendWhatsAppAudio", json!({"audio": file.base64, "encoding": false}))
        }
        ("audio", Some(file)) => ("sendMedia", media("audio", delivery, file)),
        ("sticker", Some(file)) => ("sendSticker", json!({"sticker": file.base64})),
        ("location", _) => {
            let text = |field: &str| payload[field].as_str().unwrap_or_default();
            let place = json!({
                "name": text("name"),
                "address": text("address"),
                "latitude": payload["latitude"],
                "longitude": payload["longitude"],
            });
            ("sendLocation", place)
        }
        ("contacts", _) => ("sendContact", json!({"contact": contacts(payload)})),
        ("text", _) => ("sendText", text(&signed(delivery, TEXT))),
        // Buttons and lists do not arrive on every phone: they are words there.
        ("interactive", _) => ("sendText", text(&with_options(&signed(delivery, TEXT), payload))),
        _ => return None,
    };
    body["number"] = json!(number);
    body["delay"] = json!(0);
    if let Some(id) = &delivery.reply_to {
        body["quoted"] = json!({"key": {"id": id}});
    }
    Some((what, body))
}

/// Somebody's full address.
pub fn jid(address: &str, is_user_id: bool) -> String {
    format!("{address}@{}", if is_user_id { "lid" } else { "s.whatsapp.net" })
}

/// The full address that the server has sent to: of a Brazilian mobile number it leaves the ninth digit out where the first one after it is 7 or
/// more and the area code is 31 or more.
pub fn sent_to(address: &str, is_user_id: bool) -> String {
    let is_mobile = !is_user_id && address.len() == 13 && address.starts_with("55") && address.as_bytes()[4] == b'9';
    let is_short = is_mobile && address.as_bytes()[5] >= b'7' && address[2..4].parse::<u8>().is_ok_and(|area| area >= 31);
    if is_short { jid(&format!("{}{}", &address[..4], &address[5..]), false) } else { jid(address, is_user_id) }
}

fn text(words: &str) -> Value {
    json!({"text": words, "linkPreview": words.contains("https://")})
}

fn media(kind: &str, delivery: &Delivery, file: &File<'_>) -> Value {
    let mut media = json!({"mediatype": kind, "mimetype": file.mime_type, "media": file.base64, "fileName": file.name});
    if !delivery.body.is_empty() {
        media["caption"] = json!(signed(delivery, CAPTION));
    }
    media
}

fn contacts(payload: &Value) -> Vec<Value> {
    let contacts = payload["contacts"].as_array().into_iter().flatten();
    contacts
        .map(|contact| {
            let number = contact["phones"][0]["phone"].as_str().unwrap_or_default();
            let digits: String = number.chars().filter(char::is_ascii_digit).collect();
            let id = contact["phones"][0]["wa_id"].as_str().map_or_else(|| digits.clone(), str::to_owned);
            json!({"fullName": contact["name"]["formatted_name"], "wuid": id, "phoneNumber": number})
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_to_a_number_or_a_hidden_id_and_quote_what_they_answer() {
        let (what, body) = compose(&Delivery::sample("text", "Olá", json!({})), None).unwrap();
        assert_eq!((what, &body["number"], &body["text"]), ("sendText", &json!("5511987654321"), &json!("Olá")));
        let hidden = Delivery {
            is_user_id: true,
            address: "123".into(),
            reply_to: Some("3EB0".into()),
            ..Delivery::sample("text", "Olá", json!({}))
        };
        let (_, body) = compose(&hidden, None).unwrap();
        assert_eq!((&body["number"], &body["quoted"]["key"]["id"]), (&json!("123@lid"), &json!("3EB0")));
    }

    #[test]
    fn what_was_sent_is_where_the_server_has_sent_it() {
        for (address, is_user_id, sent) in [
            ("5511987654321", false, "5511987654321@s.whatsapp.net"),
            ("5541987654321", false, "554187654321@s.whatsapp.net"),
            ("5541967654321", false, "5541967654321@s.whatsapp.net"),
            ("554187654321", false, "554187654321@s.whatsapp.net"),
            ("14155550123", false, "14155550123@s.whatsapp.net"),
            ("5541987654321", true, "5541987654321@lid"),
        ] {
            assert_eq!(sent_to(address, is_user_id), sent);
        }
    }

    #[test]
    fn files_go_as_what_they_are() {
        let file = File { name: "a.pdf", mime_type: "application/pdf", base64: "QQ==".into() };
        let (what, body) = compose(&Delivery::sample("document", "Segue", json!({})), Some(&file)).unwrap();
        assert_eq!((what, &body["mediatype"], &body["caption"]), ("sendMedia", &json!("document"), &json!("Segue")));
        let (what, body) = compose(&Delivery::sample("audio", "", json!({"voice": true})), Some(&file)).unwrap();
        assert_eq!((what, &body["audio"]), ("sendWhatsAppAudio", &json!("QQ==")));
        assert_eq!(compose(&Delivery::sample("sticker", "", json!({})), Some(&file)).unwrap().0, "sendSticker");
    }

    #[test]
    fn options_are_words_and_templates_are_not_carried() {
        let options = json!({"options": [{"id": "a", "title": "Manhã"}, {"id": "b", "title": "Tarde"}]});
        let (what, body) = compose(&Delivery::sample("interactive", "Quando?", options), None).unwrap();
        assert_eq!((what, body["text"].as_str().unwrap()), ("sendText", "Quando?\n\n1. Manhã\n2. Tarde"));
        assert!(compose(&Delivery::sample("template", "", json!({})), None).is_none());
    }

    #[test]
    fn a_reaction_names_whose_message_it_is_on() {
        let on_own =
            Delivery { reply_to: Some("3EB0".into()), answers_own: true, ..Delivery::sample("reaction", "👍", json!({})) };
        let (what, body) = compose(&on_own, None).unwrap();
        assert_eq!((what, &body["reaction"], &body["key"]["fromMe"]), ("sendReaction", &json!("👍"), &json!(true)));
        assert_eq!(body["key"]["remoteJid"], "5511987654321@s.whatsapp.net");
    }
}
