//! What items are, for whoever looks for webhooks of a kind.

use shared::closed_set;

use super::Item;

closed_set! {
    /// What an item of a webhook is: `contact` is who somebody is, `history` what was said before the number was connected, `other` what is kept in the raw webhook only.
    pub ItemKind {
        Message = "message",
        Echo = "echo",
        Notice = "notice",
        Status = "status",
        Change = "change",
        Contact = "contact",
        Preference = "preference",
        Account = "account",
        History = "history",
        Group = "group",
        Other = "other",
        Unreadable = "unreadable",
    }
}

impl Item {
    /// What it is, in one word.
    #[must_use]
    pub fn kind(&self) -> ItemKind {
        match self {
            Self::Message(_) => ItemKind::Message,
            Self::Echo(_) => ItemKind::Echo,
            Self::Notice(_) => ItemKind::Notice,
            Self::Status(_) => ItemKind::Status,
            Self::Change(_) => ItemKind::Change,
            Self::NewUserId { .. } | Self::Lead(_) | Self::Contact(_) => ItemKind::Contact,
            Self::Preference(_) => ItemKind::Preference,
            Self::Account(_) | Self::Template(_) => ItemKind::Account,
            Self::Past(_) | Self::History(_) => ItemKind::History,
            Self::Group { .. } => ItemKind::Group,
            Self::Ignored(_) => ItemKind::Other,
            Self::Broken { .. } => ItemKind::Unreadable,
        }
    }
}

/// The kinds of these items, each once.
#[must_use]
pub fn kinds(items: &[Item]) -> Vec<&'static str> {
    let mut kinds: Vec<&str> = items.iter().map(|item| item.kind().as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}
