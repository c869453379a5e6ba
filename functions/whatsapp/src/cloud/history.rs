//! What a business's phone had said before its number was connected, in phases and chunks that come in any order.
//! Source: Meta's reference of the field `history`, with the forms that partners show.

use jiff::Timestamp;
use serde_json::Value;
use shared::phone;

use super::{content, is_of_group, name};
use crate::{
    item::{
        Item, Sender,
        past::{Declined, Gathering, HistoryTold},
    },
    provider::Provider,
    reading::{array, text, unreadable},
};

pub(super) fn read(value: &Value, now: Timestamp) -> Vec<Item> {
    let mut gathering = Gathering::new(Provider::Cloud);
    let mut told = HistoryTold::default();
    for part in array(&value["history"]) {
        let metadata = &part["metadata"];
        told.phase = told.phase.max(number(&metadata["phase"]));
        told.progress = told.progress.max(number(&metadata["progress"]).map(|progress| progress.clamp(0, 100)));
        told.declined = told.declined.take().or_else(|| declined(&part["errors"][0]));
        for thread in array(&part["threads"]) {
            read_thread(&mut gathering, thread, now);
        }
    }
    // Files come later and by themselves, without the thread that they are of.
    let own = text(&value["metadata"], "display_phone_number").map(|number| phone::canonical(&number));
    for message in array(&value["messages"]) {
        let from = text(message, "from");
        let is_own = text(message, "to").is_some() || (own.is_some() && from.as_deref().map(phone::canonical) == own);
        let wa_id = if is_own { text(message, "to") } else { from };
        add(&mut gathering, message, Sender { wa_id, user_id: None, name: None }, is_own, now);
    }
    told.declined = told.declined.or_else(|| declined(&value["errors"][0]));
    let mut items = gathering.items();
    items.push(Item::History(told));
    items
}

fn number(value: &Value) -> Option<i32> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).and_then(|number| i32::try_from(number).ok())
}

/// The business shares no history, or WhatsApp does not give it.
fn declined(error: &Value) -> Option<Declined> {
    let code = number(&error["code"])?.to_string();
    let detail = text(&error["error_data"], "details").or_else(|| text(error, "message")).or_else(|| text(error, "title"));
    Some(Declined { code, detail: detail.map(|detail| detail.chars().take(300).collect()) })
}

/// All that was said with one person.
fn read_thread(gathering: &mut Gathering, thread: &Value, now: Timestamp) {
    let context = &thread["context"];
    let id = text(thread, "id").unwrap_or_default();
    let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    let wa_id = if is_number { Some(id.clone()) } else { text(context, "wa_id") };
    let user_id = text(context, "user_id").or_else(|| Some(id).filter(|id| !is_number && is_user_id(id)));
    let sender = Sender { wa_id, user_id, name: name(context, "name") };
    for message in array(&thread["messages"]) {
        add(gathering, message, sender.clone(), is_own(message, &sender), now);
    }
}

/// Two letters of a country, a point, and what tells the person.
fn is_user_id(id: &str) -> bool {
    id.split_once('.').is_some_and(|(country, _)| country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()))
}

/// What is from somebody else than the thread's person is the business's.
fn is_own(message: &Value, sender: &Sender) -> bool {
    if let Some(is_own) = message["history_context"]["from_me"].as_bool() {
        return is_own;
    }
    let same = |mine: Option<String>, theirs: &Option<String>| {
        mine.zip(theirs.as_ref()).is_some_and(|(mine, theirs)| phone::canonical(&mine) == phone::canonical(theirs))
    };
    if text(message, "to").is_some() {
        return true;
    }
    let is_theirs = same(text(message, "from"), &sender.wa_id)
        || (text(message, "from_user_id").is_some() && text(message, "from_user_id") == sender.user_id);
    !is_theirs
}

fn add(gathering: &mut Gathering, message: &Value, sender: Sender, is_own: bool, now: Timestamp) {
    if let Some(broken) = unreadable(message) {
        return gathering.add(broken, None);
    }
    // A thread of a group is nobody's.
    if sender.wa_id.as_deref().is_some_and(|id| id.ends_with("@g.us")) || is_of_group(message) {
        return;
    }
    let status = match text(&message["history_context"], "status").map(|status| status.to_uppercase()).as_deref() {
        Some("READ" | "PLAYED") => "read",
        Some("DELIVERED") => "delivered",
        Some("ERROR" | "FAILED") => "failed",
        _ => "sent",
    };
    let item = content::read(message, sender, now, if is_own { "agent" } else { "client" });
    gathering.add(item, Some(status));
}
