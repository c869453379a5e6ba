//! What the client's messages mean to the bot.

use serde_json::Value;
use shared::text::{folded, unaccented};

/// What one message of the client's says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Words.
    Words(String),
    /// A button or row with this id, and its title.
    Tapped { option_id: String, title: String },
    /// A file, a place, a card: it says something, but not to a bot.
    Unreadable,
    /// Nothing that could be an answer, such as a reply to a request to call.
    Nothing,
}

/// All that the client said since the last turn, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input(Vec<Said>);

/// As words are compared.
#[must_use]
pub fn look(text: &str) -> String {
    unaccented(folded(text).trim())
}

/// The same without what people put around a word.
#[must_use]
pub fn bare(text: &str) -> String {
    let around = |sign: char| sign.is_whitespace() || ".,;:!?*_~`'\"()[]“”‘’".contains(sign);
    look(text).trim_matches(around).to_owned()
}

impl Said {
    /// What one message says, by what it is. A caption is words, and so is what somebody says once it is written down.
    #[must_use]
    pub fn of(kind: &str, body: &str, payload: &Value) -> Self {
        let option_id = payload["reply"]["id"].as_str();
        let is_choice = payload.get("type").is_none_or(|kind| kind == "button_reply" || kind == "list_reply");
        match (kind, option_id) {
            ("interactive", Some(id)) if is_choice => Self::Tapped { option_id: id.to_owned(), title: body.to_owned() },
            ("interactive", _) if is_choice && payload["reply"]["title"].is_string() => Self::Words(body.to_owned()),
            ("text" | "image" | "video" | "document" | "audio", _) if !body.is_empty() => Self::Words(body.to_owned()),
            ("image" | "video" | "document" | "audio" | "sticker" | "location" | "contacts" | "order", _) => Self::Unreadable,
            _ => Self::Nothing,
        }
    }

    /// The words of it, if it has any.
    #[must_use]
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Words(words) | Self::Tapped { title: words, .. } => Some(words),
            Self::Unreadable | Self::Nothing => None,
        }
    }
}

impl Input {
    #[must_use]
    pub fn new(said: Vec<Said>) -> Self {
        Self(said)
    }

    /// What was said, the last first.
    pub fn from_last(&self) -> impl Iterator<Item = &Said> {
        self.0.iter().rev()
    }

    /// Whether nothing of it could be an answer.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.0.iter().all(|said| *said == Said::Nothing)
    }

    /// All words of it, a line for each message; `None` where there are none.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        let words: Vec<&str> = self.0.iter().filter_map(Said::words).collect();
        (!words.is_empty()).then(|| words.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(text: &str) -> Said {
        Said::Words(text.into())
    }

    #[test]
    fn every_kind_of_message_has_its_meaning() {
        let of = |kind: &str, body: &str, payload: Value| Said::of(kind, body, &payload);
        assert_eq!(of("text", "Oi", json!({})), words("Oi"));
        assert_eq!(of("image", "Fachada", json!({})), words("Fachada"));
        for kind in ["image", "video", "document", "audio", "sticker", "order"] {
            assert_eq!(of(kind, "", json!({})), Said::Unreadable, "{kind}");
        }
        for (kind, name) in [("location", "Escritório"), ("contacts", "João")] {
            assert_eq!(of(kind, name, json!({})), Said::Unreadable, "{kind}");
        }
        let tapped = Said::Tapped { option_id: "yes".into(), title: "Sim".into() };
        let reply = json!({"id": "yes", "title": "Sim"});
        assert_eq!(of("interactive", "Sim", json!({"type": "list_reply", "reply": reply})), tapped);
        assert_eq!(of("interactive", "Sim", json!({"reply": reply})), tapped);
        assert_eq!(of("interactive", "Sim", json!({"reply": {"id": null, "title": "Sim"}})), words("Sim"));
        for kind in ["nfm_reply", "call_permission_reply", "hologram"] {
            assert_eq!(of("interactive", "Respondeu", json!({"type": kind, "reply": {"id": "x"}})), Said::Nothing, "{kind}");
        }
        for kind in ["unsupported", "system", "reaction", "text"] {
            assert_eq!(of(kind, "", json!({})), Said::Nothing, "{kind}");
        }
        assert_eq!(of("unsupported", "Enquete (não suportada)", json!({})), Said::Nothing);
    }

    #[test]
    fn several_messages_are_one_input_in_order() {
        let tapped = Said::Tapped { option_id: "yes".into(), title: "Sim".into() };
        let input = Input::new(vec![words("Meu nome é"), Said::Unreadable, tapped.clone(), words("Ana"), Said::Nothing]);
        assert_eq!(input.words().as_deref(), Some("Meu nome é\nSim\nAna"));
        assert_eq!(input.from_last().nth(2), Some(&tapped));
        assert!(!input.is_nothing() && Input::default().is_nothing() && Input::new(vec![Said::Nothing]).is_nothing());
        assert_eq!(Input::new(vec![Said::Unreadable]).words(), None);
    }
}
