//! What is kept of an account of BotConversa, and shown there of conversations.

use shared::prelude::*;

use crate::mapping::Mapping;

/// What a flow is answered where nothing else was said.
pub const REPLY: &str = "Recebido!";

/// A tag or custom field of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Thing {
    /// BotConversa's.
    pub id: String,
    pub name: String,
}

/// What a subscriber shows of their conversation, by BotConversa's ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShownStatus {
    pub bot: Option<Thing>,
    pub pending: Option<Thing>,
    pub active: Option<Thing>,
    pub closed: Option<Thing>,
    pub field: Option<Thing>,
    pub agent_field: Option<Thing>,
}

impl ShownStatus {
    /// The tags, by the status that each stands for.
    #[must_use]
    pub fn tags(&self) -> [(&'static str, Option<&Thing>); 4] {
        let Self { bot, pending, active, closed, .. } = self;
        [("bot", bot.as_ref()), ("pending", pending.as_ref()), ("active", active.as_ref()), ("closed", closed.as_ref())]
    }

    /// Whether nothing is shown.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What may be shown of an account of BotConversa.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BotConversaSettings {
    /// The end of the account's key, such as `••••1234`.
    pub api_key: Option<String>,
    pub mapping: Mapping,
    pub reply: String,
    /// Whether WhatsApp's window of a day counts.
    pub has_window: bool,
    /// What subscribers show of their conversations.
    pub shows: ShownStatus,
}
