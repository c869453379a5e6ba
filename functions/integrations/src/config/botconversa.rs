//! What an admin gives to connect an account of BotConversa.

use shared::{botconversa::account_key, prelude::*, rule, visible};

use super::{Channel, KEY, is_key};
use crate::{
    botconversa::{BotConversaSettings, REPLY, ShownStatus},
    hint,
    mapping::Mapping,
};

/// What a subscriber shows of their conversation. Tags and fields have to be there already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusNames {
    /// The tag of who is with the bot.
    #[garde(inner(custom(is_name)))]
    #[schemars(length(min = 1, max = 100))]
    pub bot: Option<String>,
    /// The tag of who waits for somebody.
    #[garde(inner(custom(is_name)))]
    #[schemars(length(min = 1, max = 100))]
    pub pending: Option<String>,
    /// The tag of who is with somebody.
    #[garde(inner(custom(is_name)))]
    #[schemars(length(min = 1, max = 100))]
    pub active: Option<String>,
    /// The tag of whose conversation has ended.
    #[garde(inner(custom(is_name)))]
    #[schemars(length(min = 1, max = 100))]
    pub closed: Option<String>,
    /// The custom field that is set to `bot`, `pending`, `active` or `closed`.
    #[garde(inner(custom(is_name)))]
    #[schemars(length(min = 1, max = 100))]
    pub field: Option<String>,
    /// The custom field that is set to the name of who holds it, or `-`.
    #[garde(inner(custom(is_name)))]
    #[schemars(length(min = 1, max = 100))]
    pub agent_field: Option<String>,
}

/// What BotConversa calls it is its own: which names it has is asked there.
fn is_name(name: &str, (): &()) -> garde::Result {
    if (1..=100).contains(&name.chars().count()) {
        return Ok(());
    }
    Err(rule("length", "Use de 1 a 100 caracteres.", "Use 1 to 100 characters."))
}

/// An account of BotConversa.
#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BotConversaConfig {
    /// Of the channel that is saved again; without it one is connected, or that of the same account saved again.
    #[garde(skip)]
    pub id: Option<Uuid>,
    #[garde(length(chars, min = 1, max = 80), custom(visible))]
    #[schemars(regex(pattern = shared::VISIBLE))]
    pub name: String,
    /// Of Configurações → Integrações. Never shown again. May be left out when the channel is saved again.
    #[garde(length(min = 8, max = 200), inner(custom(is_key)))]
    #[schemars(regex(pattern = KEY))]
    pub api_key: Option<String>,
    /// Where its new conversations go.
    #[garde(skip)]
    pub department_id: Option<Uuid>,
    /// The published flow of ours that answers first.
    #[garde(length(chars, min = 1, max = 80))]
    pub bot_flow_key: Option<String>,
    /// Where the values of webhooks stand; as in our recipe without it. It is tried on `sample`.
    #[garde(dive)]
    pub mapping: Option<Mapping>,
    /// A body as the flow sends it, with a number in it.
    #[garde(skip)]
    pub sample: Option<Map<String, Value>>,
    /// What the flow is answered, as `reply`.
    #[garde(length(chars, min = 1, max = 1000), inner(custom(visible)))]
    #[schemars(regex(pattern = shared::VISIBLE))]
    pub reply: Option<String>,
    /// Whether WhatsApp's window of a day counts: for accounts on its official API.
    #[garde(skip)]
    #[serde(default)]
    pub has_window: bool,
    #[garde(dive)]
    #[serde(default)]
    pub shows: StatusNames,
}

/// What saving an account needs besides the channel itself.
pub struct Wanted {
    pub mapping: Option<Mapping>,
    pub sample: Option<Value>,
    pub shows: StatusNames,
}

impl From<BotConversaConfig> for Channel {
    fn from(config: BotConversaConfig) -> Self {
        let settings = BotConversaSettings {
            api_key: config.api_key.as_deref().map(hint),
            mapping: config.mapping.clone().unwrap_or_default(),
            reply: config.reply.unwrap_or_else(|| REPLY.to_owned()),
            has_window: config.has_window,
            shows: ShownStatus::default(),
        };
        Self {
            kind: "botconversa",
            id: config.id,
            external_key: String::new(),
            account_key: config.api_key.as_deref().map(account_key).filter(|_| config.id.is_none()),
            name: config.name,
            department_id: config.department_id,
            bot_flow_key: config.bot_flow_key,
            status: None,
            settings: json!(settings),
            secret: config.api_key,
            botconversa: Some(Wanted { mapping: config.mapping, sample: config.sample.map(Value::Object), shows: config.shows }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_shows_no_key() {
        let config = json!({"name": "Flows", "api_key": "0a1b2c3d-aaaa-bbbb-cccc-0123456789ab"});
        let channel = Channel::from(serde_json::from_value::<BotConversaConfig>(config).unwrap());
        assert_eq!(channel.settings["api_key"], "••••89ab");
        assert!(!channel.settings.to_string().contains("0a1b2c3d"));
        assert_eq!(channel.account_key.map(|key| key.len()), Some(43));
    }
}
