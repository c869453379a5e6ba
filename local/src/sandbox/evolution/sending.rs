//! `POST /message/…`: messages out, checked as the server checks them.

use axum::http::StatusCode;
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Answer, Asked, Notice, Outcome,
    answers::Failed,
    instances::of,
    server::{Instance, Server, State, random_text},
};
use crate::sandbox::faults::{Circumstance, FaultKind, Target};

/// Longer addresses are none to the server's validator.
const LONGEST_URL: usize = 2083;

pub(super) fn is_known(kind: &str) -> bool {
    ["sendText", "sendMedia", "sendWhatsAppAudio", "sendReaction", "sendLocation", "sendContact"].contains(&kind)
}

pub(super) fn send(asked: &Asked, server: &mut Server, name: &str, kind: &str) -> Outcome {
    let body = asked.body;
    let (message_type, message) = content(kind, body)?;
    let jid = if kind == "sendReaction" {
        body["key"]["remoteJid"].as_str().unwrap_or_default().to_owned()
    } else {
        let number = body["number"].as_str().filter(|number| !number.is_empty());
        let number = number.ok_or_else(|| Failed::new(400, "instance requires property \"number\""))?;
        if server.settings.without_whatsapp.iter().any(|without| without == number) {
            return Err(Failed::no_whatsapp(number));
        }
        jid_of(number)
    };
    let instance = of(server, name)?;
    is_connected(instance)?;
    let sent = json!({
        "key": {"remoteJid": jid, "fromMe": true, "id": format!("3EB0{}", random_text(18).to_ascii_uppercase())},
        "pushName": "Você",
        "status": "PENDING",
        "message": message,
        "contextInfo": context_of(body),
        "messageType": message_type,
        "messageTimestamp": Timestamp::now().as_second(),
        "instanceId": instance.id,
        "source": "web",
    });
    instance.messages.push(sent.clone());
    let mut notices = vec![instance.notice("send.message", sent.clone())];
    notices.extend(statuses(asked, instance, &sent));
    Ok((Answer::json(StatusCode::CREATED, sent), notices))
}

/// How far the message comes.
fn statuses(asked: &Asked, instance: &Instance, sent: &Value) -> Vec<Notice> {
    let text = sent.to_string();
    let at = Circumstance { phone_number_id: Some(asked.server_name), text: &text, ..Circumstance::default() };
    let words: &[&str] = match asked.sandbox.faults.of_statuses(Target::EvolutionWebhooks, &at) {
        Some(FaultKind::NoStatus) => &[],
        Some(FaultKind::FailedStatus { .. }) => &["ERROR"],
        _ => &["SERVER_ACK", "DELIVERY_ACK"],
    };
    words.iter().map(|status| instance.notice("messages.update", update(instance, &sent["key"], status))).collect()
}

/// The data of a `messages.update`.
pub(super) fn update(instance: &Instance, key: &Value, status: &str) -> Value {
    json!({
        "keyId": key["id"],
        "remoteJid": key["remoteJid"],
        "fromMe": key["fromMe"],
        "participant": null,
        "status": status,
        "instanceId": instance.id,
        "messageId": random_text(24),
    })
}

pub(super) fn is_connected(instance: &Instance) -> Result<(), Failed> {
    match instance.state {
        State::Open => Ok(()),
        State::Connecting => Err(Failed::new(500, "Connection Closed")),
        State::Close => Err(Failed::new(400, format!("The \"{}\" instance is not connected", instance.name))),
    }
}

/// The message as WhatsApp has it, and what it is called.
fn content(kind: &str, body: &Value) -> Result<(String, Value), Failed> {
    let missing = |name: &str| Failed::new(400, format!("instance requires property \"{name}\""));
    let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty()).ok_or_else(|| missing(name));
    match kind {
        "sendText" => Ok(("conversation".into(), json!({"conversation": text("text")?}))),
        "sendMedia" => media(body),
        "sendWhatsAppAudio" => {
            check_source(text("audio")?)?;
            Ok((
                "audioMessage".into(),
                json!({"audioMessage": {"mimetype": "audio/ogg; codecs=opus", "seconds": 3, "ptt": true}}),
            ))
        }
        "sendReaction" => {
            let emoji = body["reaction"].as_str().ok_or_else(|| missing("reaction"))?;
            if !body["key"]["id"].is_string() {
                return Err(missing("key"));
            }
            Ok(("reactionMessage".into(), json!({"reactionMessage": {"key": body["key"], "text": emoji}})))
        }
        "sendLocation" => {
            let (Some(latitude), Some(longitude)) = (body["latitude"].as_f64(), body["longitude"].as_f64()) else {
                return Err(missing("latitude"));
            };
            let place = json!({"degreesLatitude": latitude, "degreesLongitude": longitude, "name": text("name")?, "address": body["address"]});
            Ok(("locationMessage".into(), json!({"locationMessage": place})))
        }
        _ => contacts(body),
    }
}

fn media(body: &Value) -> Result<(String, Value), Failed> {
    let kind = body["mediatype"].as_str().unwrap_or_default();
    if !["image", "document", "video", "audio", "ptv"].contains(&kind) {
        return Err(Failed::new(400, "mediatype is not one of enum values: image,document,video,audio,ptv"));
    }
    let source = body["media"].as_str().unwrap_or_default();
    check_source(source)?;
    if kind == "document" && !source.starts_with("http") && !body["fileName"].is_string() {
        return Err(Failed::new(400, "For base64 the file name must be informed."));
    }
    let name = format!("{kind}Message");
    let mut content = json!({"mimetype": body["mimetype"], "fileName": body["fileName"], "caption": body["caption"]});
    content["url"] = json!("https://mmg.whatsapp.net/v/encrypted");
    Ok((name.clone(), json!({name: content})))
}

fn contacts(body: &Value) -> Result<(String, Value), Failed> {
    let given = body["contact"].as_array().filter(|list| !list.is_empty());
    let given = given.ok_or_else(|| Failed::new(400, "instance requires property \"contact\""))?;
    let cards: Vec<Value> = given
        .iter()
        .map(|contact| {
            let name = contact["fullName"].as_str().unwrap_or_default();
            json!({"displayName": name, "vcard": format!("BEGIN:VCARD\nVERSION:3.0\nFN:{name}\nEND:VCARD")})
        })
        .collect();
    Ok(if let [card] = cards.as_slice() {
        ("contactMessage".into(), json!({"contactMessage": card}))
    } else {
        ("contactsArrayMessage".into(), json!({"contactsArrayMessage": {"contacts": cards}}))
    })
}

/// An address with a dot in its host, or raw base64.
fn check_source(source: &str) -> Result<(), Failed> {
    let is_url = url::Url::parse(source)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| host.contains('.')));
    let is_one = if is_url { source.len() <= LONGEST_URL } else { !source.is_empty() && STANDARD.decode(source).is_ok() };
    if is_one { Ok(()) } else { Err(Failed::new(400, "Owned media must be a url or base64")) }
}

fn context_of(body: &Value) -> Value {
    let quoted = &body["quoted"]["key"]["id"];
    if quoted.is_string() { json!({"stanzaId": quoted}) } else { Value::Null }
}

/// Of a Brazilian mobile number the 9 goes where the first digit after it is 7 or more and the area code is 31 or more.
pub(super) fn jid_of(number: &str) -> String {
    if number.contains('@') {
        return number.to_owned();
    }
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let is_mobile = digits.len() == 13 && digits.starts_with("55") && digits.as_bytes()[4] == b'9';
    let keeps = !is_mobile || digits.as_bytes()[5] < b'7' || digits[2..4].parse::<u8>().is_ok_and(|area| area < 31);
    if keeps { format!("{digits}@s.whatsapp.net") } else { format!("{}{}@s.whatsapp.net", &digits[..4], &digits[5..]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brazilian_numbers_lose_their_nine_where_whatsapp_knows_them_without() {
        for (number, jid) in [
            ("5511987654321", "5511987654321"),
            ("5541987654321", "554187654321"),
            ("5541967654321", "5541967654321"),
            ("14155550123", "14155550123"),
        ] {
            assert_eq!(jid_of(number), format!("{jid}@s.whatsapp.net"));
        }
        assert_eq!(jid_of("1@lid"), "1@lid");
    }

    #[test]
    fn media_is_an_address_with_a_dot_or_raw_base64() {
        let long = format!("https://a.example/{}", "x".repeat(2100));
        for refused in ["http://localhost:9000/a", "http://minio:9000/a", "data:image/png;base64,AAAA", "", "a b", &long] {
            assert!(check_source(refused).is_err(), "{refused}");
        }
        for taken in ["http://127.0.0.1:9000/a", "https://a.example/a.jpg", "AAAA"] {
            assert!(check_source(taken).is_ok(), "{taken}");
        }
    }
}
