use proptest::prelude::*;

use super::*;
use crate::item::{Change, InboundMessage};

const NOW: Timestamp = Timestamp::constant(1_764_600_100, 0);

fn webhook(field: &str, value: Value) -> Vec<u8> {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": field, "value": value}]}]})
        .to_string()
        .into_bytes()
}

fn of_messages(messages: Value) -> Vec<Item> {
    let value = json!({
        "metadata": {"phone_number_id": "21"},
        "contacts": [{"profile": {"name": "Maria"}, "wa_id": "5511987654321", "user_id": "BR.1"}],
        "messages": messages,
    });
    let mut notifications = read(&webhook("messages", value), NOW).unwrap();
    assert_eq!(notifications.len(), 1);
    notifications.remove(0).items
}

fn message(mut content: Value) -> Item {
    for (name, value) in [("from", "5511987654321"), ("id", "wamid.1"), ("timestamp", "1764600000")] {
        content[name] = json!(value);
    }
    of_messages(json!([content])).remove(0)
}

fn stored(item: Item) -> InboundMessage {
    match item {
        Item::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_sender_is_matched_with_their_contact_by_either_id() {
    let by_number = stored(message(json!({"type": "text", "text": {"body": "Oi"}})));
    let whole = Sender { wa_id: Some("5511987654321".into()), user_id: Some("BR.1".into()), name: Some("Maria".into()) };
    assert_eq!(by_number.sender, whole);
    let by_user = of_messages(json!([{"from_user_id": "BR.1", "id": "w", "type": "text", "text": {"body": "Oi"}}])).remove(0);
    assert_eq!(stored(by_user).sender, whole);
}

#[test]
fn a_message_without_sender_or_id_is_broken_and_spoils_nothing() {
    let items = of_messages(json!([
        {"id": "w1", "type": "text", "text": {"body": "a"}},
        {"from": "5511987654321", "type": "text", "text": {"body": "b"}},
        {"from": "5511987654321", "id": "w3", "type": "text", "text": {"body": "c"}},
        "nonsense",
    ]));
    assert!(matches!(&items[0], Item::Broken { id: Some(id), .. } if id == "w1"));
    assert!(matches!(items[1], Item::Broken { id: None, .. }));
    assert_eq!(stored(items[2].clone()).body, "c");
    assert!(matches!(items[3], Item::Broken { .. }));
}

#[test]
fn voice_is_told_from_audio_and_missing_means_not() {
    let audio = |content: Value| stored(message(json!({"type": "audio", "audio": content}))).payload["voice"].clone();
    assert_eq!(audio(json!({"id": "9", "mime_type": "audio/ogg", "voice": true})), true);
    assert_eq!(audio(json!({"id": "9", "mime_type": "audio/mpeg"})), false);
}

#[test]
fn coordinates_come_as_numbers_or_as_text() {
    for (latitude, longitude) in [(json!(-23.5), json!(-46.6)), (json!("-23.5"), json!("-46.6"))] {
        let place =
            stored(message(json!({"type": "location", "location": {"latitude": latitude, "longitude": longitude}}))).payload;
        assert_eq!((place["latitude"].as_f64(), place["longitude"].as_f64()), (Some(-23.5), Some(-46.6)));
    }
    let place = stored(message(json!({"type": "location", "location": {"latitude": 91, "longitude": "-180.5"}}))).payload;
    assert_eq!((&place["latitude"], &place["longitude"]), (&Value::Null, &Value::Null), "nowhere on the earth");
}

#[test]
fn replies_of_buttons_lists_and_templates_have_one_shape() {
    let reply = |content: Value| {
        let message = stored(message(content));
        (message.kind, message.body, message.payload["reply"]["id"].clone())
    };
    let expected = ("interactive", "Sim".to_owned(), json!("yes"));
    assert_eq!(
        reply(
            json!({"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "yes", "title": "Sim"}}})
        ),
        expected
    );
    assert_eq!(
        reply(json!({"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "yes", "title": "Sim"}}})),
        expected
    );
    assert_eq!(reply(json!({"type": "button", "button": {"payload": "yes", "text": "Sim"}})), expected);
}

#[test]
fn what_is_unknown_or_incomplete_is_kept_as_unsupported() {
    assert_eq!(stored(message(json!({"type": "poll", "poll": {}}))).kind, "unsupported");
    assert_eq!(stored(message(json!({"type": "interactive", "errors": [{"code": 131_000}]}))).kind, "unsupported");
    assert_eq!(stored(message(json!({}))).kind, "unsupported");
}

#[test]
fn a_message_without_words_says_what_it_is() {
    let said = |content: Value| {
        let message = stored(message(content));
        (message.kind, message.body)
    };
    let interactive = |content: Value| said(json!({"type": "interactive", "interactive": content}));
    let call =
        |answer: &str| interactive(json!({"type": "call_permission_reply", "call_permission_reply": {"response": answer}}));
    assert_eq!(call("accept"), ("interactive", "Aceitou receber ligações".into()));
    assert_eq!(call("reject"), ("interactive", "Não aceitou receber ligações".into()));
    let form = json!({"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": "{}"}});
    assert_eq!(interactive(form), ("interactive", "Respondeu a um formulário".into()));
    assert_eq!(interactive(json!({"type": "hologram", "hologram": {}})), ("interactive", "Resposta interativa".into()));
    assert_eq!(said(json!({"type": "request_welcome"})), ("system", "Abriu a conversa".into()));
    assert_eq!(said(json!({"type": "text"})), ("unsupported", "Mensagem sem texto".into()));
    assert_eq!(said(json!({"type": "media_placeholder"})), ("unsupported", "Mídia que o WhatsApp não entregou".into()));
    assert_eq!(said(json!({"type": "image", "image": {}})), ("unsupported", "Mídia que o WhatsApp não entregou".into()));
    let poll = json!({"type": "unsupported", "unsupported": {"type": "poll"}});
    assert_eq!(said(poll), ("unsupported", "Enquete (não suportada)".into()));
}

#[test]
fn nothing_of_a_group_is_read_as_a_private_word() {
    let of_group = |item: Item| matches!(item, Item::Group { id: Some(id) } if id == "wamid.1");
    for kind in ["text", "image", "reaction", "edit", "revoke", "system", "hologram"] {
        assert!(of_group(message(json!({"type": kind, "group_id": "120363", kind: {"body": "Oi"}}))), "{kind}");
        let echo = json!({"to": "5511987654321", "id": "wamid.1", "type": kind, "group_id": "120363"});
        assert!(of_group(read_echo(&echo, NOW)), "{kind}");
    }
    assert!(of_group(read_echo(&json!({"to": "120363@g.us", "id": "wamid.1", "type": "text"}), NOW)));
    assert!(of_group(read_status(&json!({"id": "wamid.1", "status": "read", "recipient_type": "group"}), NOW)));
    assert!(of_group(read_status(&json!({"id": "wamid.1", "status": "read", "group_id": "120363"}), NOW)));
    assert!(!of_group(message(json!({"type": "text", "group_id": "", "text": {"body": "Oi"}}))));
    assert!(!of_group(message(json!({"type": "text", "group_id": null, "text": {"body": "Oi"}}))));
}

fn item_of(field: &str, value: Value) -> Item {
    read(&webhook(field, value), NOW).unwrap().remove(0).items.remove(0)
}

#[test]
fn preferences_of_marketing_are_read_and_others_kept() {
    let preference = |category: &str, value: &str| {
        let told = json!({"wa_id": "5511987654321", "category": category, "value": value, "timestamp": 1_764_600_000});
        item_of("user_preferences", json!({"user_preferences": [told]}))
    };
    for (value, granted) in [("stop", false), ("resume", true)] {
        let Item::Preference(read) = preference("marketing_messages", value) else { panic!("{value}") };
        assert_eq!(
            (read.granted, read.at.as_second(), read.sender.wa_id.as_deref()),
            (granted, 1_764_600_000, Some("5511987654321"))
        );
    }
    assert_eq!(preference("utility_messages", "stop"), Item::Ignored("user_preferences utility_messages".into()));
    assert_eq!(preference("marketing_messages", "x"), Item::Ignored("user_preferences marketing_messages x".into()));
}

#[test]
fn the_address_book_names_people_on_one_visible_line() {
    let contact = |action: &str, contact: Value| {
        let entry = json!({"type": "contact", "action": action, "contact": contact, "metadata": {"timestamp": "1764600000"}});
        item_of("smb_app_state_sync", json!({"state_sync": [entry]}))
    };
    let hidden = contact("add", json!({"full_name": " Ana\u{202e}\u{200b}\nLima ", "phone_number": "551187654321"}));
    let Item::Contact(Contact { number, name, at }) = hidden else { panic!("a contact") };
    assert_eq!((number.as_str(), name.as_str(), at.as_second()), ("551187654321", "Ana Lima", 1_764_600_000));
    let first = contact("edit", json!({"first_name": "Ana", "phone_number": "1"}));
    assert!(matches!(first, Item::Contact(Contact { name, .. }) if name == "Ana"));
    assert!(matches!(contact("remove", json!({"phone_number": "1"})), Item::Ignored(_)));
    assert!(matches!(contact("add", json!({"full_name": "\u{200b}", "phone_number": "1"})), Item::Ignored(_)));
}

#[test]
fn where_a_person_must_act_admins_are_told_and_all_else_is_named() {
    let code = |field: &str, value: Value| match item_of(field, value) {
        Item::Account(notice) => notice.alert.code.to_owned(),
        Item::Ignored(outcome) => outcome,
        other => panic!("{other:?}"),
    };
    let told = [
        ("account_update", json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}), "account_disabled"),
        (
            "account_update",
            json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "SCHEDULE_FOR_DISABLE"}}),
            "account_to_be_disabled",
        ),
        (
            "account_update",
            json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}}),
            "account_update DISABLED_UPDATE",
        ),
        ("account_update", json!({"event": "ACCOUNT_RESTRICTION"}), "account_restricted"),
        ("account_update", json!({"event": "VERIFIED_ACCOUNT"}), "account_update VERIFIED_ACCOUNT"),
        ("account_alerts", json!({"alert_info": {"alert_severity": "CRITICAL", "alert_status": "ACTIVE"}}), "account_alert"),
        (
            "account_alerts",
            json!({"alert_info": {"alert_severity": "INFORMATIONAL", "alert_type": "OBA_APPROVED"}}),
            "account_alerts OBA_APPROVED",
        ),
        ("message_template_status_update", json!({"event": "PAUSED", "message_template_name": "lembrete"}), "template_paused"),
        (
            "message_template_status_update",
            json!({"event": "APPROVED", "message_template_name": "lembrete"}),
            "message_template_status_update APPROVED lembrete",
        ),
        ("message_template_quality_update", json!({"new_quality_score": "RED"}), "template_quality_red"),
        ("template_category_update", json!({"new_category": "MARKETING"}), "template_category_update MARKETING"),
        ("phone_number_quality_update", json!({"event": "FLAGGED"}), "number_flagged"),
        ("phone_number_name_update", json!({"decision": "DECLINED"}), "number_name_declined"),
        ("security", json!({"event": "PIN_CHANGED"}), "pin_changed"),
        ("business_capability_update", json!({"max_phone_numbers_per_business": 2}), "business_capability_update"),
        ("flows", json!({"event": "FLOW_STATUS_CHANGE", "new_status": "BLOCKED", "flow_id": "7"}), "flow_blocked"),
        ("calls", json!({"calls": [{"id": "wacid.1", "event": "connect"}]}), "calls connect"),
        ("hologram_update", json!({"event": 7}), "hologram_update"),
    ];
    for (field, value, expected) in told {
        assert_eq!(code(field, value.clone()), expected, "{value}");
    }
}

/// Items of a history, the last of which is how far it has come.
fn of_history(value: Value) -> Vec<Item> {
    let mut value = value;
    value["metadata"] = json!({"phone_number_id": "21", "display_phone_number": "551140000000"});
    let mut notifications = read(&webhook("history", value), NOW).unwrap();
    assert!(notifications.len() == 1 && notifications[0].is_history());
    notifications.remove(0).items
}

#[test]
fn a_history_is_read_by_whom_it_was_said_with() {
    let old = |from: &str, id: &str, more: Value| {
        let mut message = json!({"from": from, "id": id, "timestamp": "1764000000", "type": "text", "text": {"body": id},
            "history_context": {"status": "READ"}});
        message.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        message
    };
    let thread = json!({"id": "5511987654321", "messages": [
        old("5511987654321", "wamid.1", json!({})),
        old("551140000000", "wamid.2", json!({"to": "5511987654321", "history_context": {"status": "DELIVERED"}})),
        old("551140000000", "wamid.3", json!({"history_context": {"from_me": true, "status": "pending"}})),
        old("551187654321", "wamid.4", json!({})),
        old("5511987654321", "wamid.5", json!({"type": "reaction", "reaction": {"message_id": "wamid.2", "emoji": "👍"}})),
        old("5511987654321", "wamid.6", json!({"group_id": "x@g.us"})),
        7,
    ]});
    let items = of_history(
        json!({"history": [{"metadata": {"phase": "1", "chunk_order": 2, "progress": 55}, "threads": [thread, {"id": "1@g.us"}]}]}),
    );
    let [Item::Past(past), Item::Broken { .. }, Item::History(told)] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!((told.phase, told.progress, &told.declined), (Some(1), Some(55), &None));
    assert_eq!(past.sender.wa_id.as_deref(), Some("5511987654321"));
    let read: Vec<(&str, bool, Option<&str>)> =
        past.messages.iter().map(|past| (past.message.id.as_str(), past.is_own, past.status)).collect();
    let expected = [
        ("wamid.1", false, None),
        ("wamid.2", true, Some("delivered")),
        ("wamid.3", true, Some("sent")),
        ("wamid.4", false, None),
    ];
    assert_eq!(read, expected);
    assert_eq!((past.changes.len(), past.changes[0].target.as_str()), (1, "wamid.2"));
}

#[test]
fn a_long_history_is_read_in_parts_and_a_declined_one_says_why() {
    let message = |index: usize| json!({"from": "5511987654321", "id": format!("wamid.{index}"), "timestamp": "1764000000", "type": "text", "text": {"body": "x"}});
    let messages: Vec<Value> = (0..120).map(message).collect();
    let items = of_history(json!({"history": [{"threads": [{"id": "5511987654321", "messages": messages}]}]}));
    let lengths: Vec<usize> =
        items.iter().map(|item| if let Item::Past(past) = item { past.messages.len() } else { 0 }).collect();
    assert_eq!(lengths, [50, 50, 20, 0]);
    let error = json!({"code": 2_593_109, "title": "off", "error_data": {"details": "History sharing is turned off"}});
    let items = of_history(json!({"history": [{"errors": [error]}]}));
    let [Item::History(told)] = items.as_slice() else { panic!("{items:?}") };
    let declined = told.declined.clone().unwrap();
    assert_eq!((declined.code.as_str(), declined.detail.as_deref()), ("2593109", Some("History sharing is turned off")));
    // Files come without their thread.
    let image = json!({"from": "551140000000", "to": "5511987654321", "id": "wamid.9", "timestamp": "1764000000", "type": "image",
        "image": {"id": "9", "mime_type": "image/png"}});
    let items = of_history(json!({"messages": [image]}));
    let [Item::Past(past), Item::History(_)] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!((past.sender.wa_id.as_deref(), past.messages[0].is_own), (Some("5511987654321"), true));
}

#[test]
fn what_is_told_of_now_and_of_before_is_kept_apart() {
    let metadata = json!({"phone_number_id": "21"});
    let live = json!({"field": "messages", "value": {"metadata": metadata, "messages": []}});
    let past = json!({"field": "history", "value": {"metadata": metadata, "history": []}});
    let body = json!({"entry": [{"id": "1", "changes": [live, past]}]}).to_string();
    let notifications = read(body.as_bytes(), NOW).unwrap();
    assert_eq!(notifications.iter().map(Notification::is_history).collect::<Vec<_>>(), [false, true]);
    for told in &notifications {
        let part = String::from_utf8(part_of(body.as_bytes(), told)).unwrap();
        assert_eq!(
            (part.contains("\"history\""), part.contains("\"messages\"")),
            (told.is_history(), !told.is_history()),
            "{part}"
        );
        let again = read(part.as_bytes(), NOW).unwrap();
        assert!(again.len() == 1 && again[0].is_history() == told.is_history());
    }
}

#[test]
fn changes_name_their_message_and_their_author() {
    let change = |item: Item| match item {
        Item::Change(Change { target, kind, changed_by, body, .. }) => (target, kind, changed_by, body),
        other => panic!("{other:?}"),
    };
    let expected = |kind: &str, by: &str, body: &str| ("wamid.0".to_owned(), kind.to_owned(), by.to_owned(), body.to_owned());
    let removed = message(json!({"type": "reaction", "reaction": {"message_id": "wamid.0"}}));
    assert_eq!(change(removed), expected("reaction", "client", ""));
    let revoked = message(json!({"type": "revoke", "revoke": {"original_message_id": "wamid.0"}}));
    assert_eq!(change(revoked), expected("revoke", "client", ""));
    let caption = json!({"original_message_id": "wamid.0", "message": {"type": "image", "image": {"id": "1", "caption": "x"}}});
    assert_eq!(change(message(json!({"type": "edit", "edit": caption}))), expected("edit", "client", "x"));
    let echo =
        json!({"to": "5511987654321", "id": "w", "type": "reaction", "reaction": {"message_id": "wamid.0", "emoji": "👍"}});
    assert_eq!(change(read_echo(&echo, NOW)), expected("reaction", "agent", "👍"));
    for kind in ["edit", "revoke", "reaction"] {
        assert!(matches!(message(json!({"type": kind, kind: {}})), Item::Broken { id: Some(_), .. }), "{kind}");
    }
}

#[test]
fn statuses_carry_our_id_and_their_error() {
    let id = uuid::Uuid::from_u128(7);
    let value = json!({"metadata": {"phone_number_id": "21"}, "statuses": [
        {"id": "w", "status": "failed", "timestamp": 1_764_600_000, "biz_opaque_callback_data": id.to_string(),
         "errors": [{"code": 131_047, "title": "t", "error_data": {"details": "d"}}]},
        {"id": "w", "status": "played", "timestamp": "1764600000"},
        {"id": "w", "status": "warned"},
    ]});
    let items = read(&webhook("messages", value), NOW).unwrap().remove(0).items;
    let Item::Status(failed) = &items[0] else { panic!("{items:?}") };
    assert_eq!(
        (failed.message_id, failed.error_code.as_deref(), failed.error_detail.as_deref()),
        (Some(id), Some("131047"), Some("d"))
    );
    assert!(matches!(&items[1], Item::Status(status) if status.status == "read"));
    assert!(matches!(items[2], Item::Ignored(_)));
}

#[test]
fn numbers_are_told_apart_and_keep_their_order() {
    let change = |number: &str, id: &str| json!({"field": "messages", "value": {"metadata": {"phone_number_id": number}, "statuses": [{"id": id, "status": "sent"}]}});
    let body = json!({"entry": [{"changes": [change("1", "a"), change("2", "b")]}, {"changes": [change("1", "c")]}]}).to_string();
    let notifications = read(body.as_bytes(), NOW).unwrap();
    let shape: Vec<_> = notifications.iter().map(|one| (one.address.key(), one.items.len())).collect();
    assert_eq!(shape, [("1", 2), ("2", 1)]);
}

#[test]
fn only_what_is_of_an_account_is_for_one_without_its_number() {
    let address = |field: &str, value: Value| read(&webhook(field, value), NOW).unwrap().remove(0).address;
    let of_account = address("security", json!({"event": "PIN_CHANGED", "display_phone_number": "+52 1 55 1234 5678"}));
    let shown = Some("525512345678".to_owned());
    assert_eq!(of_account, Address { external_key: None, account_key: Some("1".into()), display_number: shown });
    assert_eq!(address("messages", json!({"messages": []})), Address::default());
    let number = address("messages", json!({"metadata": {"phone_number_id": "21"}}));
    assert_eq!((number.key(), number.account_key.as_deref()), ("21", Some("1")));
}

#[test]
fn half_an_emoji_costs_a_character_and_not_the_webhook() {
    let body = webhook(
        "messages",
        json!({"metadata": {"phone_number_id": "21"}, "messages": [
            {"id": "w", "from": "1", "type": "text", "text": {"body": "TEXT"}},
        ]}),
    );
    let said = |escaped: &str| {
        let body = String::from_utf8(body.clone()).unwrap().replace("TEXT", escaped);
        stored(read(body.as_bytes(), NOW).unwrap().remove(0).items.remove(0)).body
    };
    assert_eq!(said(r"a\ud83d"), "a\u{fffd}");
    assert_eq!(said(r"\ude00 b \ud83d\ude00"), "\u{fffd} b 😀");
    assert_eq!(said(r"\\ud83d \ud83d"), "\\ud83d \u{fffd}");
}

/// A webhook whose second of three messages has this field besides.
fn beside(field: &str) -> Vec<u8> {
    let one = |id: &str| json!({"from": "1", "id": id, "type": "text", "text": {"body": id}});
    let value = json!({"metadata": {"phone_number_id": "21"}, "messages": [one("a"), one("SPOILT"), one("c")]});
    let body = String::from_utf8(webhook("messages", value)).unwrap();
    body.replace(r#""id":"SPOILT""#, &format!(r#""id":"b",{field}"#)).into_bytes()
}

#[test]
fn what_cannot_be_read_is_one_item_and_kept_as_it_came() {
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    for field in [format!(r#""x":{deep}"#), r#""x":1e999"#.to_owned(), format!(r#""context":{{"id":{deep}}}"#)] {
        let body = beside(&field);
        let mut notifications = read(&body, NOW).unwrap();
        assert_eq!(notifications.len(), 1);
        let notification = notifications.remove(0);
        let items = &notification.items;
        assert!(
            matches!(&items[1], Item::Broken { id: Some(id), error } if id == "b" && error.starts_with("unreadable: ")),
            "{items:?}"
        );
        assert_eq!([stored(items[0].clone()).id, stored(items[2].clone()).id], ["a", "c"]);
        let part = String::from_utf8(part_of(&body, &notification)).unwrap();
        assert!(part.contains(field.split_once(':').unwrap().1.trim_start_matches(r#"{"id":"#).trim_end_matches('}')));
    }
}

#[test]
fn what_is_no_item_and_cannot_be_read_is_told() {
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let number = r#""field":"messages","value":{"metadata":{"phone_number_id":"21"}"#;
    for (body, key) in [
        (format!(r#"{{"entry":[{{"id":"7","changes":{deep}}}]}}"#), "7"),
        (format!(r#"{{"entry":[{deep}]}}"#), ""),
        (format!(r#"{{"entry":[{{"id":"7","changes":[{{{number},"contacts":{deep}}}}}]}}]}}"#), "21"),
        (format!(r#"{{"entry":[{{"id":"7","changes":[{{{number},"messages":{deep}}}}}]}}]}}"#), "21"),
    ] {
        let notifications = read(body.as_bytes(), NOW).unwrap();
        let broken = |item: &Item| matches!(item, Item::Broken { .. });
        assert!(notifications.iter().any(|one| one.address.key() == key && one.items.iter().any(broken)), "{notifications:?}");
    }
}

#[test]
fn bodies_that_are_no_webhook_say_why() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in ["", "{", "[]", "null", "7", "\"text\"", r#"{"entry":7}"#, r#"{"entry":[]}x"#, deep.as_str()] {
        assert!(!read(body.as_bytes(), NOW).unwrap_err().is_empty(), "{body:.20}");
    }
    assert_eq!(read(b"{}", NOW), Ok(vec![]));
}

#[test]
fn bytes_that_are_no_text_cost_a_character_and_keys_given_twice_count_once() {
    let mut body = beside(r#""id":"b2""#);
    let at = body.windows(4).position(|part| part == br#"":"c"#).unwrap();
    body.splice(at + 3..at + 3, *b"\xff");
    let items = read(&body, NOW).unwrap().remove(0).items;
    assert_eq!(stored(items[1].clone()).id, "b2");
    assert!(items.iter().all(|item| matches!(item, Item::Message(_))), "{items:?}");
}

#[test]
fn times_nobody_can_have_written_at_count_as_now() {
    let at = |timestamp: Value| time(&timestamp, NOW).as_second() - NOW.as_second();
    assert_eq!((at(json!("1764600000")), at(json!(1_764_600_000)), at(json!(1_764_686_500))), (-100, -100, 86_400));
    for wild in
        [json!(null), json!("x"), json!(-5), json!(1_230_767_999), json!("1764686501"), json!("253402207200"), json!(i64::MAX)]
    {
        assert_eq!(at(wild.clone()), 0, "{wild}");
    }
}

const FIELDS: [&str; 13] = [
    "messages",
    "smb_message_echoes",
    "user_id_update",
    "user_preferences",
    "smb_app_state_sync",
    "account_update",
    "account_alerts",
    "message_template_status_update",
    "phone_number_name_update",
    "security",
    "flows",
    "calls",
    "x",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec!["text", "image", "reaction", "edit", "interactive", "system", "", "sent", "1764600000"])
            .prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "entry",
        "changes",
        "field",
        "value",
        "messages",
        "statuses",
        "contacts",
        "metadata",
        "phone_number_id",
        "from",
        "id",
        "type",
        "text",
        "body",
        "timestamp",
        "image",
        "reaction",
        "edit",
        "message",
        "context",
        "interactive",
        "status",
        "errors",
        "user_id",
        "group_id",
        "user_preferences",
        "category",
        "state_sync",
        "contact",
        "phone_number",
        "full_name",
        "calls",
        "event",
        "history",
        "threads",
        "history_context",
        "progress",
        "alert_info",
        "ban_info",
        "restriction_info",
    ]);
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(names.clone().prop_map(str::to_owned), inner, 0..6).prop_map(|fields| json!(fields)),
        ]
    })
}

proptest! {
    #[test]
    fn no_webhook_makes_it_fall_over(value in any_json(), field in prop::sample::select(FIELDS.to_vec())) {
        let _ = read(&webhook(field, value.clone()), NOW);
        let _ = read(value.to_string().as_bytes(), NOW);
    }
}
