//! What the client's messages mean to the bot.

use serde_json::Value;

/// What the client said since the last turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Words.
    Said(String),
    /// A button or row with this id, and its title.
    Tapped { option_id: String, title: String },
    /// A file, a place, a card: it says something, but not to a bot.
    Unreadable,
    /// Nothing that could be an answer, such as a reply to a request to call.
    Nothing,
}

impl Input {
    /// What one message says, by what it is. A caption is words.
    #[must_use]
    pub fn of(kind: &str, body: &str, payload: &Value) -> Self {
        let option_id = payload["reply"]["id"].as_str();
        let is_choice = payload.get("type").is_none_or(|kind| kind == "button_reply" || kind == "list_reply");
        match (kind, option_id) {
            ("interactive", Some(id)) if is_choice => Self::Tapped { option_id: id.to_owned(), title: body.to_owned() },
            ("interactive", _) if is_choice && payload["reply"]["title"].is_string() => Self::Said(body.to_owned()),
            ("text" | "image" | "video" | "document", _) if !body.is_empty() => Self::Said(body.to_owned()),
            ("image" | "video" | "document" | "audio" | "sticker" | "location" | "contacts" | "order", _) => Self::Unreadable,
            _ => Self::Nothing,
        }
    }

    /// All of several messages as one answer: a tapped option wins, then the last words.
    #[must_use]
    pub fn together(messages: Vec<Self>) -> Self {
        let weight = |input: &Self| match input {
            Self::Nothing => 0,
            Self::Unreadable => 1,
            Self::Said(_) => 2,
            Self::Tapped { .. } => 3,
        };
        messages.into_iter().max_by_key(weight).unwrap_or(Self::Nothing)
    }

    pub(crate) fn words(&self) -> Option<&str> {
        match self {
            Self::Said(words) | Self::Tapped { title: words, .. } => Some(words),
            Self::Unreadable | Self::Nothing => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(text: &str) -> Input {
        Input::Said(text.into())
    }

    #[test]
    fn every_kind_of_message_has_its_meaning() {
        let of = |kind: &str, body: &str, payload: Value| Input::of(kind, body, &payload);
        assert_eq!(of("text", "Oi", json!({})), said("Oi"));
        assert_eq!(of("image", "Fachada", json!({})), said("Fachada"));
        for kind in ["image", "video", "document", "audio", "sticker", "order"] {
            assert_eq!(of(kind, "", json!({})), Input::Unreadable, "{kind}");
        }
        for (kind, name) in [("location", "Escritório"), ("contacts", "João")] {
            assert_eq!(of(kind, name, json!({})), Input::Unreadable, "{kind}");
        }
        let tapped = Input::Tapped { option_id: "yes".into(), title: "Sim".into() };
        let reply = json!({"id": "yes", "title": "Sim"});
        assert_eq!(of("interactive", "Sim", json!({"type": "list_reply", "reply": reply})), tapped);
        assert_eq!(of("interactive", "Sim", json!({"reply": reply})), tapped);
        assert_eq!(of("interactive", "Sim", json!({"reply": {"id": null, "title": "Sim"}})), said("Sim"));
        for kind in ["nfm_reply", "call_permission_reply", "hologram"] {
            assert_eq!(of("interactive", "Respondeu", json!({"type": kind, "reply": {"id": "x"}})), Input::Nothing, "{kind}");
        }
        for kind in ["unsupported", "system", "reaction", "text"] {
            assert_eq!(of(kind, "", json!({})), Input::Nothing, "{kind}");
        }
        assert_eq!(of("unsupported", "Enquete (não suportada)", json!({})), Input::Nothing);
    }

    #[test]
    fn of_several_messages_a_tap_wins_and_then_the_last_words() {
        let tapped = Input::Tapped { option_id: "yes".into(), title: "Sim".into() };
        assert_eq!(Input::together(vec![said("a"), tapped.clone(), said("b"), Input::Nothing]), tapped);
        assert_eq!(Input::together(vec![said("a"), said("b"), Input::Unreadable, Input::Nothing]), said("b"));
        assert_eq!(Input::together(vec![Input::Nothing, Input::Unreadable]), Input::Unreadable);
        assert_eq!(Input::together(Vec::new()), Input::Nothing);
    }
}
