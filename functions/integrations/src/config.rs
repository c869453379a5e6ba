//! What an admin gives to connect a channel. A further kind is one more arm here.

use garde::{Path, Report};
use shared::{closed_set, prelude::*, rule};

use crate::{
    EvolutionSettings, Integration, WhatsAppSettings, crm_kinds::CrmKind, hint, instance_key, international_phone, is_digits,
    is_phone,
};

mod botconversa;
mod crm;

pub use botconversa::{BotConversaConfig, StatusNames, Wanted};
pub use crm::{Crm, CrmConfig, RestCrmConfig};

/// Configuration of a channel, by kind.
#[derive(Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum IntegrationConfig {
    WhatsappCloud(WhatsAppConfig),
    Evolution(EvolutionConfig),
    Botconversa(Box<BotConversaConfig>),
    Hubspot(CrmConfig),
    Pipedrive(CrmConfig),
    GenericRest(RestCrmConfig),
}

closed_set! {
    /// Whether a channel is to work.
    pub ChannelSwitch { Active = "active", Disabled = "disabled" }
}

/// Ids that Meta gives.
const DIGITS: &str = "^[0-9]+$";

/// Country code and number, with the signs that people write between digits.
pub const PHONE: &str = r"^\+?[ ().-]{0,3}[1-9]([ ().-]{0,3}[0-9]){7,14}$";

/// A number of the WhatsApp Cloud API.
#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatsAppConfig {
    #[garde(length(chars, min = 1, max = 80), custom(shared::visible))]
    #[schemars(regex(pattern = shared::VISIBLE))]
    pub name: String,
    /// The sender in the Graph API; saving it again changes its configuration.
    #[garde(length(max = 32), custom(is_digits))]
    #[schemars(regex(pattern = DIGITS))]
    pub phone_number_id: String,
    #[garde(length(max = 32), custom(is_digits))]
    #[schemars(regex(pattern = DIGITS))]
    pub waba_id: String,
    /// Never shown again. May be left out when the number is saved again.
    #[garde(length(min = 8, max = 2000))]
    pub access_token: Option<String>,
    #[garde(inner(custom(is_phone)))]
    #[schemars(regex(pattern = PHONE))]
    pub display_phone_number: Option<String>,
    /// Where its new conversations go.
    #[garde(skip)]
    pub department_id: Option<Uuid>,
    /// The published flow that answers first.
    #[garde(length(chars, min = 1, max = 80))]
    pub bot_flow_key: Option<String>,
    /// `disabled` neither sends nor receives; as it was without it, and active again with new credentials.
    #[garde(skip)]
    pub status: Option<ChannelSwitch>,
}

/// What headers carry, without blanks.
pub const KEY: &str = "^[!-~]+$";

/// What we let an instance be called.
const INSTANCE_NAME: &str = "^[0-9A-Za-z._-]+$";

/// An instance that an Evolution API server has already; `POST /whatsapp/instances` makes new ones.
#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvolutionConfig {
    #[garde(length(chars, min = 1, max = 80), custom(shared::visible))]
    #[schemars(regex(pattern = shared::VISIBLE))]
    pub name: String,
    /// Of the server, such as `https://evolution.escola.com.br`.
    #[garde(length(max = 300))]
    pub base_url: String,
    /// What the server calls it; saving it again changes its configuration.
    #[garde(length(max = 100), custom(is_instance_name))]
    #[schemars(regex(pattern = INSTANCE_NAME))]
    pub instance: String,
    /// The instance's token, or the server's global key. Never shown again. May be left out when the instance is saved again.
    #[garde(length(min = 8, max = 500), inner(custom(is_key)))]
    #[schemars(regex(pattern = KEY))]
    pub api_key: Option<String>,
    /// Messages that it sends in a minute at most: WhatsApp locks out who sends too many. What it was without it, 60 at first.
    #[garde(range(min = 1, max = 600))]
    #[schemars(range(min = 1, max = 600))]
    pub messages_per_minute: Option<i32>,
    /// Milliseconds between messages to different clients, at least; half as long again at most. What it was without it, 1000 at first.
    #[garde(range(min = 0, max = 60_000))]
    #[schemars(range(min = 0, max = 60_000))]
    pub pause_ms: Option<i32>,
    /// Where its new conversations go.
    #[garde(skip)]
    pub department_id: Option<Uuid>,
    /// The published flow that answers first.
    #[garde(length(chars, min = 1, max = 80))]
    pub bot_flow_key: Option<String>,
    /// `disabled` neither sends nor receives; as it was without it, and active again with new credentials.
    #[garde(skip)]
    pub status: Option<ChannelSwitch>,
}

/// The rule of keys, for `#[garde(custom(…))]`.
pub fn is_key(key: &str, (): &()) -> garde::Result {
    if key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(rule("pattern", "Use apenas letras, números e sinais.", "Use letters, digits and signs only."))
}

fn is_instance_name(name: &str, (): &()) -> garde::Result {
    if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
        return Ok(());
    }
    Err(rule("pattern", "Use letras, números, ponto, - e _.", "Use letters, digits, dots, - and _."))
}

/// A channel of any kind, ready to be stored.
pub struct Channel {
    pub kind: &'static str,
    /// The one that is saved again, of kinds of which nothing else says so.
    pub id: Option<Uuid>,
    /// What the provider's webhooks name it by; empty where that is ours to say.
    pub external_key: String,
    /// Of an instance, which one of which server.
    pub account_key: Option<String>,
    pub name: String,
    pub department_id: Option<Uuid>,
    pub bot_flow_key: Option<String>,
    pub status: Option<ChannelSwitch>,
    /// What may be shown. Without new credentials, the hints in it are null.
    pub settings: Value,
    /// A new key or token, to be sealed; `None` keeps the one stored.
    pub secret: Option<String>,
    /// What is to be asked of BotConversa.
    pub botconversa: Option<Wanted>,
}

/// What a configuration is of.
pub enum Configured {
    Channel(Box<Channel>),
    Crm(Crm),
}

impl From<IntegrationConfig> for Configured {
    fn from(config: IntegrationConfig) -> Self {
        let channel = |channel: Channel| Self::Channel(Box::new(channel));
        match config {
            IntegrationConfig::WhatsappCloud(config) => channel(config.into()),
            IntegrationConfig::Evolution(config) => channel(config.into()),
            IntegrationConfig::Botconversa(config) => channel((*config).into()),
            IntegrationConfig::Hubspot(config) => Self::Crm(Crm::of(CrmKind::HubSpot, config)),
            IntegrationConfig::Pipedrive(config) => Self::Crm(Crm::of(CrmKind::Pipedrive, config)),
            IntegrationConfig::GenericRest(config) => Self::Crm(config.into()),
        }
    }
}

impl From<WhatsAppConfig> for Channel {
    fn from(config: WhatsAppConfig) -> Self {
        let settings = WhatsAppSettings {
            phone_number_id: config.phone_number_id.clone(),
            waba_id: config.waba_id,
            display_phone_number: config.display_phone_number.as_deref().and_then(international_phone),
            access_token: config.access_token.as_deref().map(hint),
        };
        Self {
            kind: "whatsapp_cloud",
            id: None,
            external_key: config.phone_number_id,
            account_key: None,
            name: config.name,
            department_id: config.department_id,
            bot_flow_key: config.bot_flow_key,
            status: config.status,
            settings: json!(settings),
            secret: config.access_token,
            botconversa: None,
        }
    }
}

impl From<EvolutionConfig> for Channel {
    fn from(config: EvolutionConfig) -> Self {
        let base_url = config.base_url.trim_end_matches('/').to_owned();
        let account_key = instance_key(&base_url, &config.instance);
        let api_key = config.api_key.as_deref().map(hint);
        let EvolutionConfig { messages_per_minute, pause_ms, .. } = config;
        let settings = EvolutionSettings { base_url, instance: config.instance, api_key, messages_per_minute, pause_ms };
        Self {
            kind: "evolution",
            id: None,
            external_key: String::new(),
            account_key: Some(account_key),
            name: config.name,
            department_id: config.department_id,
            bot_flow_key: config.bot_flow_key,
            status: config.status,
            settings: json!(settings),
            secret: config.api_key,
            botconversa: None,
        }
    }
}

/// The rules of its kind, with the fields named as they are in the body.
impl Validate for IntegrationConfig {
    type Context = ();

    fn validate_into(&self, (): &(), parent: &mut dyn FnMut() -> Path, report: &mut Report) {
        match self {
            Self::WhatsappCloud(config) => config.validate_into(&(), parent, report),
            Self::Evolution(config) => config.validate_into(&(), parent, report),
            Self::Botconversa(config) => config.validate_into(&(), parent, report),
            Self::Hubspot(config) | Self::Pipedrive(config) => config.validate_into(&(), parent, report),
            Self::GenericRest(config) => config.validate_into(&(), parent, report),
        }
    }
}

impl Channel {
    /// Whether its webhooks come to an address of its own, with a secret that we have made.
    #[must_use]
    pub fn has_own_webhooks(&self) -> bool {
        self.kind != "whatsapp_cloud"
    }

    /// Its settings once they are saved over those that it has now.
    #[must_use]
    pub fn settings_after(&self, current: Option<&Integration>) -> Value {
        keep_hints(self.settings.clone(), current.map_or(&Value::Null, |current| &current.settings))
    }
}

/// The new settings, with the hints of secrets and the numbers that were not given again.
fn keep_hints(mut new: Value, current: &Value) -> Value {
    if let (Some(fields), Some(current)) = (new.as_object_mut(), current.as_object()) {
        for (name, value) in fields.iter_mut().filter(|(_, value)| value.is_null()) {
            let kept = current.get(name);
            let kept = kept.filter(|kept| kept.is_number() || kept.as_str().is_some_and(|text| text.starts_with("••••")));
            *value = kept.cloned().unwrap_or_default();
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: Value) -> IntegrationConfig {
        serde_json::from_value(value).unwrap()
    }

    fn channel(input: Value) -> Channel {
        match Configured::from(read(input)) {
            Configured::Channel(channel) => *channel,
            Configured::Crm(_) => panic!("a channel"),
        }
    }

    fn whatsapp() -> Value {
        json!({"kind": "whatsapp_cloud", "name": "Vendas", "phone_number_id": "210500000000002", "waba_id": "104200000000001"})
    }

    #[test]
    fn a_channel_shows_no_secret() {
        let mut input = whatsapp();
        input["access_token"] = json!("EAAGabcdefgh1234");
        input["display_phone_number"] = json!("+55 11 4000-0000");
        let channel = channel(input);
        assert_eq!(channel.external_key, "210500000000002");
        assert_eq!(channel.settings["access_token"], "••••1234");
        assert_eq!(channel.settings["display_phone_number"], "+551140000000");
        assert!(!channel.settings.to_string().contains("EAAG"));
    }

    #[test]
    fn an_instance_is_told_by_its_server_and_its_name() {
        let input = json!({"kind": "evolution", "name": "Vendas", "base_url": "https://evo.exemplo.test/", "instance": "vendas",
            "api_key": "the-instances-token"});
        let channel = channel(input);
        assert_eq!(channel.account_key.as_deref(), Some("https://evo.exemplo.test/vendas"));
        assert!(!channel.settings.to_string().contains("instances-token"), "{}", channel.settings);
    }

    #[test]
    fn failing_fields_are_named_as_in_the_body() {
        let mut input = whatsapp();
        input["phone_number_id"] = json!("+55 11");
        input["display_phone_number"] = json!("sales");
        let report = read(input).validate().unwrap_err();
        let fields: Vec<String> = report.iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(fields, ["display_phone_number", "phone_number_id"]);
    }

    #[test]
    fn kinds_not_known_yet_and_stray_fields_are_refused() {
        assert!(serde_json::from_value::<IntegrationConfig>(json!({"kind": "widget", "name": "x"})).is_err());
        let mut input = whatsapp();
        input["acess_token"] = json!("x");
        assert!(serde_json::from_value::<IntegrationConfig>(input).is_err());
    }

    #[test]
    fn hints_are_kept_and_other_fields_are_not() {
        let current = json!({"access_token": "••••1234", "display_phone_number": "+551140000000"});
        let new = json!({"access_token": null, "display_phone_number": null, "waba_id": "1"});
        assert_eq!(keep_hints(new, &current), json!({"access_token": "••••1234", "display_phone_number": null, "waba_id": "1"}));
        let renewed = json!({"access_token": "••••5678"});
        assert_eq!(keep_hints(renewed.clone(), &current), renewed);
    }
}
