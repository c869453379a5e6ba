use proptest::prelude::*;

use super::*;
use crate::{
    any::any_json,
    item::{Change, InboundMessage},
};

/// What webhooks call their fields, and whatever else.
const NAMES: &str = "(key|id|text|message|imageMessage|protocolMessage|type|remoteJid|.{1,5})";

const NOW: Timestamp = Timestamp::constant(1_764_600_200, 0);

fn of(event: &str, data: &Value) -> Vec<Item> {
    let body =
        json!({"event": event, "instance": "vendas", "data": data, "sender": "551140000000@s.whatsapp.net", "apikey": "SECRET"});
    let mut notifications = read(body.to_string().as_bytes(), NOW).unwrap();
    assert_eq!((notifications.len(), notifications[0].address.key()), (1, ""));
    notifications.remove(0).items
}

fn one(event: &str, data: &Value) -> Item {
    let mut items = of(event, data);
    assert_eq!(items.len(), 1);
    items.remove(0)
}

#[test]
fn what_the_phone_had_before_is_read_by_whom_it_was_said_with() {
    let old = |id: &str, is_own: bool, status: Value| {
        json!({"key": {"remoteJid": "5511987654321@s.whatsapp.net", "fromMe": is_own, "id": id}, "pushName": "Maria",
            "message": {"conversation": id}, "messageTimestamp": 1_764_000_000, "status": status})
    };
    let group = json!({"key": {"remoteJid": "1@g.us", "fromMe": false, "id": "g"}, "message": {"conversation": "x"}});
    let data = json!([old("1", false, json!("READ")), old("2", true, json!(4)), group, old("3", true, json!("PENDING"))]);
    let body = json!({"event": "messages.set", "instance": "vendas", "data": data, "progress": 64, "isLatest": false});
    let items = read(body.to_string().as_bytes(), NOW).unwrap().remove(0).items;
    let [Item::Past(past), Item::History(told)] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!((told.phase, told.progress, past.sender.name.as_deref()), (None, Some(64), Some("Maria")));
    let read: Vec<(bool, Option<&str>)> = past.messages.iter().map(|past| (past.is_own, past.status)).collect();
    assert_eq!(read, [(false, None), (true, Some("read")), (true, Some("sent"))]);
}

fn upsert(message: &Value) -> Value {
    json!({
        "key": {"remoteJid": "5511987654321@s.whatsapp.net", "remoteJidAlt": "123456789012345@lid", "fromMe": false, "id": "3EB01"},
        "pushName": "Maria", "message": message, "messageTimestamp": 1_764_600_100,
    })
}

fn message(item: Item) -> InboundMessage {
    match item {
        Item::Message(message) | Item::Echo(message) => message,
        other => panic!("{other:?} is no message"),
    }
}

#[test]
fn a_text_with_what_it_answers() {
    let mut data = upsert(&json!({"conversation": "Bom dia"}));
    data["contextInfo"] = json!({"stanzaId": "3EB00"});
    let InboundMessage { id, sender, at, kind, body, reply_to, media, .. } = message(one("messages.upsert", &data));
    assert_eq!((id.as_str(), kind, body.as_str(), reply_to.as_deref(), media), ("3EB01", "text", "Bom dia", Some("3EB00"), None));
    assert_eq!(
        sender,
        Sender { wa_id: Some("5511987654321".into()), user_id: Some("123456789012345".into()), name: Some("Maria".into()) }
    );
    assert_eq!(at.as_second(), 1_764_600_100);
}

#[test]
fn whoever_hides_their_number_is_known_by_the_other_id() {
    for key in [
        json!({"remoteJid": "123456789012345@lid", "fromMe": false, "id": "a"}),
        json!({"remoteJid": "123456789012345@lid", "senderPn": "5511987654321@s.whatsapp.net", "fromMe": false, "id": "a"}),
        json!({"remoteJid": "5511987654321:12@s.whatsapp.net", "fromMe": false, "id": "a"}),
    ] {
        let mut data = upsert(&json!({"conversation": "Oi"}));
        data["key"] = key.clone();
        let sender = message(one("MESSAGES_UPSERT", &data)).sender;
        let text = key.to_string();
        assert_eq!(sender.user_id.is_some(), text.contains("@lid"));
        assert_eq!(sender.wa_id.is_some(), text.contains("@s.whatsapp.net"));
    }
}

#[test]
fn groups_statuses_and_channels_are_nobodys_word() {
    let mut data = upsert(&json!({"conversation": "Oi"}));
    data["key"] = json!({"remoteJid": "120363@g.us", "participant": "5511987654321@s.whatsapp.net", "fromMe": false, "id": "a"});
    assert_eq!(one("messages.upsert", &data), Item::Group { id: Some("a".into()) });
    for address in ["status@broadcast", "1234567@newsletter"] {
        data["key"] = json!({"remoteJid": address, "fromMe": false, "id": "a"});
        assert!(matches!(one("messages.upsert", &data), Item::Ignored(_)));
    }
    data["key"] = json!({"fromMe": false, "id": "a"});
    assert!(matches!(one("messages.upsert", &data), Item::Broken { .. }));
}

#[test]
fn what_the_business_writes_is_an_echo_without_a_name() {
    let mut data = upsert(&json!({"extendedTextMessage": {"text": "Olá!"}}));
    data["key"]["fromMe"] = json!(true);
    for event in ["messages.upsert", "send.message"] {
        let Item::Echo(echo) = one(event, &data) else { panic!("no echo") };
        assert_eq!((echo.body.as_str(), echo.sender.name), ("Olá!", None));
    }
}

#[test]
fn files_are_fetched_by_the_message() {
    let cases = [
        (json!({"imageMessage": {"mimetype": "image/jpeg", "caption": "Foto"}}), "image", "Foto"),
        (json!({"videoMessage": {"mimetype": "video/mp4"}}), "video", ""),
        (json!({"audioMessage": {"mimetype": "audio/ogg; codecs=opus", "ptt": true}}), "audio", ""),
        (
            json!({"documentWithCaptionMessage": {"message": {"documentMessage": {"mimetype": "application/pdf", "fileName": "a.pdf"}}}}),
            "document",
            "",
        ),
        (json!({"stickerMessage": {"mimetype": "image/webp"}}), "sticker", ""),
        (json!({"ephemeralMessage": {"message": {"imageMessage": {"mimetype": "image/png"}}}}), "image", ""),
    ];
    for (content, kind, body) in cases {
        let message = message(one("messages.upsert", &upsert(&content)));
        assert_eq!((message.kind, message.body.as_str()), (kind, body), "{content}");
        assert_eq!(message.media.map(|media| media.id).as_deref(), Some("3EB01"));
    }
    let voice = message(one("messages.upsert", &upsert(&json!({"audioMessage": {"mimetype": "audio/ogg", "ptt": true}}))));
    assert_eq!(voice.payload["voice"], true);
    let once = upsert(&json!({"viewOnceMessageV2": {"message": {"imageMessage": {"mimetype": "image/jpeg"}}}}));
    let once = message(one("messages.upsert", &once));
    assert_eq!((once.kind, once.media), ("unsupported", None));
}

#[test]
fn places_people_choices_and_polls() {
    let place = json!({"locationMessage": {"degreesLatitude": -23.5, "degreesLongitude": -46.6, "name": "Escola"}});
    let place = message(one("messages.upsert", &upsert(&place)));
    assert_eq!((place.kind, place.body.as_str(), &place.payload["latitude"]), ("location", "Escola", &json!(-23.5)));
    let card = "BEGIN:VCARD\nVERSION:3.0\nFN:João\nitem1.TEL;waid=5511912345678:+55 11 91234-5678\nEND:VCARD";
    let person = message(one("messages.upsert", &upsert(&json!({"contactMessage": {"displayName": "J", "vcard": card}}))));
    assert_eq!((person.kind, person.body.as_str()), ("contacts", "João"));
    assert_eq!(person.payload["contacts"][0]["phones"], json!([{"phone": "+55 11 91234-5678", "wa_id": "5511912345678"}]));
    let row = json!({"listResponseMessage": {"title": "Manhã", "singleSelectReply": {"selectedRowId": "m"}}});
    let row = message(one("messages.upsert", &upsert(&row)));
    assert_eq!((row.kind, row.body.as_str(), &row.payload["reply"]["id"]), ("interactive", "Manhã", &json!("m")));
    let poll = json!({"pollCreationMessageV3": {"name": "Quando?", "options": [{"optionName": "Hoje"}]}});
    let poll = message(one("messages.upsert", &upsert(&poll)));
    assert_eq!((poll.kind, poll.body.as_str()), ("unsupported", "Enquete: Quando?"));
}

#[test]
fn only_a_new_text_is_an_edit_and_only_a_revocation_takes_back() {
    let key = json!({"id": "3EB00", "remoteJid": "5511987654321@s.whatsapp.net", "fromMe": false});
    let kind = |data: Value| match one("messages.edited", &data) {
        Item::Change(Change { kind, target, body, .. }) => {
            assert_eq!(target, "3EB00");
            format!("{kind} {body}")
        }
        Item::Ignored(_) => "ignored".into(),
        other => panic!("{other:?}"),
    };
    let edited = json!({"conversation": "novo"});
    for name in [json!("MESSAGE_EDIT"), json!(14)] {
        let data = json!({"key": key, "type": name, "editedMessage": edited, "timestampMs": "1764600150000"});
        assert_eq!(kind(data), "edit novo");
    }
    for name in [json!("REVOKE"), json!(0), Value::Null] {
        assert_eq!(kind(json!({"key": key, "type": name})), "revoke ");
    }
    for name in [json!("EPHEMERAL_SETTING"), json!(3), json!(5)] {
        assert_eq!(kind(json!({"key": key, "type": name})), "ignored");
    }
    assert!(matches!(one("messages.delete", &key), Item::Change(Change { kind, .. }) if kind == "revoke"));
    // The same edit again is the same change, a later one is another.
    let id = |at: &str| match one("messages.edited", &json!({"key": key, "editedMessage": edited, "timestampMs": at})) {
        Item::Change(change) => change.id,
        other => panic!("{other:?}"),
    };
    assert_eq!(id("1764600150000"), id("1764600150000"));
    assert_ne!(id("1764600150000"), id("1764600151000"));
}

#[test]
fn statuses_are_of_what_the_business_sent() {
    let status = |word: &str, is_own: bool| {
        one(
            "messages.update",
            &json!({"keyId": "3EB00", "remoteJid": "5511987654321@s.whatsapp.net", "fromMe": is_own, "status": word}),
        )
    };
    let words =
        [("SERVER_ACK", "sent"), ("DELIVERY_ACK", "delivered"), ("READ", "read"), ("PLAYED", "read"), ("ERROR", "failed")];
    for (told, ours) in words {
        assert!(matches!(status(told, true), Item::Status(InboundStatus { status, .. }) if status == ours));
        assert!(matches!(status(told, false), Item::Ignored(_)));
    }
    assert!(matches!(status("DELETED", true), Item::Ignored(_)));
}

#[test]
fn reactions_come_and_go() {
    let mut data = upsert(&json!({"reactionMessage": {"key": {"id": "3EB00"}, "text": "👍"}}));
    let Item::Change(Change { kind, target, body, changed_by, .. }) = one("messages.upsert", &data) else { panic!("no change") };
    assert_eq!((kind.as_str(), target.as_str(), body.as_str(), changed_by.as_str()), ("reaction", "3EB00", "👍", "client"));
    data["message"]["reactionMessage"]["text"] = json!("");
    assert!(matches!(one("messages.upsert", &data), Item::Change(Change { body, .. }) if body.is_empty()));
}

#[test]
fn contacts_come_alone_or_many_and_a_number_is_no_name() {
    let contact = |name: &str| json!({"remoteJid": "5511987654321@s.whatsapp.net", "pushName": name});
    assert!(matches!(one("contacts.update", &contact("Maria")), Item::Contact(Contact { name, .. }) if name == "Maria"));
    assert_eq!(of("contacts.upsert", &json!([contact("Maria"), contact("5511987654321")])).len(), 2);
    assert!(matches!(one("contacts.update", &contact("5511987654321")), Item::Ignored(_)));
}

#[test]
fn the_servers_key_is_not_kept() {
    let body = json!({"event": "messages.upsert", "apikey": "SECRET", "data": {"key": {"id": "a"}}}).to_string();
    let kept = String::from_utf8(keepable(body.as_bytes())).unwrap();
    assert!(!kept.contains("SECRET") && kept.contains("messages.upsert"), "{kept}");
    let deep = json!({"event": "x", "data": {"Token": "SECRET", "instance": [{"apiKey": "SECRET", "hash": {"apikey": "SECRET"}, "id": "1"}]}});
    let kept = String::from_utf8(keepable(deep.to_string().as_bytes())).unwrap();
    assert!(!kept.contains("SECRET") && kept.contains("\"id\":\"1\""), "{kept}");
    assert_eq!(keepable(b"no JSON"), b"no JSON");
    for unread in
        [r#"[{"apikey":"SECRET","a":"b"}]"#, r#"{"a":"b","apikey" : "SECRET"#, r#"{"APIKEY":"SECRET","a":"b"} and more"#]
    {
        let kept = String::from_utf8(keepable(unread.as_bytes())).unwrap();
        assert!(!kept.contains("SECRET") && kept.contains(r#""a":"b""#), "{kept}");
    }
}

proptest! {
    #[test]
    fn whatever_comes_is_read_or_refused(body in ".{0,200}") {
        let _ = read(body.as_bytes(), NOW);
    }

    #[test]
    fn whatever_stands_in_a_field_is_an_item(field in 0..12_usize, value in any_json(&["120363@g.us", "5511987654321@s.whatsapp.net"], NAMES), event in 0..6_usize) {
        let events = ["messages.upsert", "send.message", "messages.update", "messages.edited", "messages.delete", "contacts.update"];
        let mut data = upsert(&json!({"conversation": "Oi"}));
        let places = ["/key", "/key/id", "/key/remoteJid", "/key/remoteJidAlt", "/key/fromMe", "/pushName", "/message", "/message/conversation",
                      "/messageTimestamp"];
        if let Some(place) = places.get(field).and_then(|place| data.pointer_mut(place)) {
            *place = value;
        } else {
            data = value;
        }
        let items = of(events[event], &data);
        prop_assert!(!items.is_empty());
        for item in items {
            if let Item::Message(message) | Item::Echo(message) = item {
                prop_assert!(message.sender.wa_id.is_some() || message.sender.user_id.is_some());
                prop_assert!(!message.id.is_empty());
            }
        }
    }
}
