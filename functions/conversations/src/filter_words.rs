//! The words that filters of conversations take besides ids: what they may be, and what they stand for.

use shared::{closed_set, prelude::*};

const CATEGORIES: &[&str] = &["bot", "pending", "active", "closed"];

/// Kinds of channels that the client writes to with WhatsApp.
const WHATSAPP: &[&str] = &["whatsapp_cloud", "evolution", "botconversa"];

closed_set! {
    /// `open` is `bot` and `active`, `waiting` is `pending`. In a query in any case.
    pub Category { Bot = "bot", Pending = "pending", Active = "active", Closed = "closed", Open = "open", Waiting = "waiting" }
}

/// Who has a conversation: the caller, nobody, or a user.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
#[expect(dead_code, reason = "only its schema is used")]
pub enum Holder {
    Me,
    None,
    #[schemars(untagged)]
    User(Uuid),
}

/// The caller or a user.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
#[expect(dead_code, reason = "only its schema is used")]
pub enum Handler {
    Me,
    #[schemars(untagged)]
    User(Uuid),
}

/// A kind of channels, all that bring WhatsApp, or one channel account.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
#[expect(dead_code, reason = "only its schema is used")]
pub enum ChannelWord {
    Whatsapp,
    WhatsappCloud,
    Evolution,
    Botconversa,
    Widget,
    #[schemars(untagged)]
    Account(Uuid),
}

/// The categories that a word stands for, whatever its case.
fn category(word: &str) -> Option<&'static [&'static str]> {
    match word.to_ascii_lowercase().as_str() {
        "open" => Some(&["bot", "active"]),
        "waiting" => Some(&["pending"]),
        word => CATEGORIES.chunks(1).find(|known| known[0] == word),
    }
}

/// The kinds of channels that a word stands for, whatever its case.
fn channel_kinds(word: &str) -> Option<&'static [&'static str]> {
    match word.to_ascii_lowercase().as_str() {
        "whatsapp" => Some(WHATSAPP),
        "widget" => Some(&["widget"]),
        word => WHATSAPP.chunks(1).find(|known| known[0] == word),
    }
}

/// Each category asked for, once.
pub fn categories_of(words: &[String]) -> Vec<String> {
    let asked: Vec<&str> = words.iter().filter_map(|word| category(word)).flatten().copied().collect();
    CATEGORIES.iter().filter(|known| asked.contains(known)).map(|known| (*known).to_owned()).collect()
}

/// The ids among the words, and the kinds that the others stand for.
pub fn channels_of(words: &[String]) -> (Vec<Uuid>, Vec<String>) {
    let ids = words.iter().filter_map(|word| word.parse().ok()).collect();
    let kinds = words.iter().filter_map(|word| channel_kinds(word)).flatten().map(|kind| (*kind).to_owned()).collect();
    (ids, kinds)
}

/// The user a word names: `me` is the caller, `none` nobody.
pub fn user_named(word: &str, caller: Uuid) -> Option<Uuid> {
    if word == "me" { Some(caller) } else { word.parse().ok() }
}

pub fn categories(list: &Option<CommaSeparated<String>>, (): &()) -> garde::Result {
    let are_known = list.iter().flat_map(|list| &list.0).all(|word| category(word).is_some());
    if are_known { Ok(()) } else { unknown("bot, pending, active, closed, open, waiting") }
}

/// Two names of one filter ask for the same, or nobody knows what was meant.
pub fn same_categories(
    category: &Option<CommaSeparated<String>>,
) -> impl FnOnce(&Option<CommaSeparated<String>>, &()) -> garde::Result {
    let asked = |list: &Option<CommaSeparated<String>>| list.as_ref().map(|list| categories_of(&list.0)).unwrap_or_default();
    move |status, ()| {
        let (one, other) = (asked(category), asked(status));
        if one.is_empty() || other.is_empty() || one == other {
            return Ok(());
        }
        Err(shared::rule("different_values", "Diz outra coisa que category.", "Says something else than category."))
    }
}

pub fn channels(list: &Option<CommaSeparated<String>>, (): &()) -> garde::Result {
    let is_known = |word: &String| word.parse::<Uuid>().is_ok() || channel_kinds(word).is_some();
    let are_known = list.iter().flat_map(|list| &list.0).all(is_known);
    if are_known { Ok(()) } else { unknown("id, whatsapp, whatsapp_cloud, evolution, botconversa, widget") }
}

pub fn users(words: &'static [&'static str]) -> impl FnOnce(&Option<CommaSeparated<String>>, &()) -> garde::Result {
    move |list, ()| {
        let mut asked = list.iter().flat_map(|list| &list.0);
        if asked.all(|word| words.contains(&word.as_str()) || word.parse::<Uuid>().is_ok()) {
            return Ok(());
        }
        let words = words.join(", ");
        let (portuguese, english) = (format!("Use {words} ou o id de um usuário."), format!("Use {words} or a user's id."));
        Err(shared::rule("unknown_user", &portuguese, &english))
    }
}

fn unknown(known: &str) -> garde::Result {
    let (portuguese, english) = (format!("Valor desconhecido. Use: {known}."), format!("Unknown value. Use: {known}."));
    Err(shared::rule("unknown_value", &portuguese, &english))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<String> {
        text.split(',').map(str::to_owned).collect()
    }

    #[test]
    fn categories_have_other_words_in_any_case() {
        for (asked, meant) in [
            ("open", "bot,active"),
            ("WAITING", "pending"),
            ("Open,waiting", "bot,pending,active"),
            ("active,ACTIVE,open", "bot,active"),
            ("Bot", "bot"),
            ("closed,bot", "bot,closed"),
        ] {
            assert_eq!(categories_of(&list(asked)), list(meant), "{asked}");
        }
        for unknown in ["resolved", "", "open;closed"] {
            assert!(categories(&Some(CommaSeparated(list(unknown))), &()).is_err(), "{unknown}");
        }
    }

    #[test]
    fn channels_are_named_by_id_or_kind() {
        let id = Uuid::from_u128(7);
        assert_eq!(channels_of(&list(&format!("{id},widget"))), (vec![id], list("widget")));
        assert_eq!(channels_of(&list("WhatsApp")), (vec![], list("whatsapp_cloud,evolution,botconversa")));
        assert!(channels(&Some(CommaSeparated(list("telegram"))), &()).is_err());
    }
}
