//! Channel accounts: how a company's channels are configured, and the credentials that are kept sealed.

pub mod botconversa;
pub mod botconversa_proof;
pub mod calls;
pub mod config;
pub mod crm;
pub mod crm_kinds;
pub mod mapping;
pub mod period;
pub mod phone;
pub mod referred;
pub mod saving;
pub mod second_names;

use shared::{closed_set, evolution::InstanceState, prelude::*, rule};

pub use botconversa::BotConversaSettings;

pub const NUMBER_IN_USE: Problem = Problem::new(
    409,
    "number_in_use",
    "Este número já está conectado a outra conta do Balcão.",
    "This number is connected to another account already.",
);

pub const INSTANCE_IN_USE: Problem = Problem::new(
    409,
    "instance_in_use",
    "Esta instância já está conectada a outra conta do Balcão.",
    "This instance is connected to another account already.",
);
pub const ACCOUNT_IN_USE: Problem = Problem::new(
    409,
    "account_in_use",
    "Esta conta do BotConversa já está conectada por outro canal.",
    "This account of BotConversa is connected by another channel already.",
);
pub const NAME_TAKEN: Problem =
    Problem::new(409, "name_taken", "Já existe uma instância com este nome.", "An instance with this name exists already.");

closed_set! {
    /// By what means a channel is connected.
    pub ChannelKind { WhatsappCloud = "whatsapp_cloud", Evolution = "evolution", Botconversa = "botconversa", Widget = "widget" }
}

closed_set! {
    /// Whether a channel works: the provider refuses the credentials of a broken one.
    pub ChannelStatus { Active = "active", Broken = "broken", Disabled = "disabled" }
}

/// A configured channel as its admins see it: without secrets.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct Integration {
    pub id: Uuid,
    pub kind: ChannelKind,
    pub name: String,
    pub status: ChannelStatus,
    /// How an instance stands with WhatsApp; null for kinds that link no phone.
    pub state: Option<InstanceState>,
    /// Where its new conversations go.
    pub department_id: Option<Uuid>,
    /// The flow that answers first; null hands every conversation to people.
    pub bot_flow_key: Option<String>,
    /// What its kind needs, secrets only as `••••1234`.
    #[schemars(with = "ChannelSettings")]
    pub settings: Value,
    /// What its phone had said before it was connected, as far as it has come; null where nothing was told of it.
    #[schemars(with = "Option<ChannelHistory>")]
    pub history: Option<Value>,
    pub created_at: Timestamp,
    pub version: i32,
}

/// How far the history of a number has come: it is stored in conversations that are closed, or in those it belongs to, and nobody is told.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct ChannelHistory {
    /// Of the Cloud API: 0 is the last day, 1 the last three months, 2 the three months before.
    phase: Option<i32>,
    /// Percent; 100 is all.
    progress: i32,
    /// Messages that were stored.
    messages: i32,
    /// Why there is none.
    declined: Option<HistoryDeclined>,
    began_at: Timestamp,
    told_at: Timestamp,
}

/// As WhatsApp words it.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct HistoryDeclined {
    /// `2593109`: the business shares no history.
    code: String,
    detail: Option<String>,
}

impl Versioned for Integration {
    fn version(&self) -> i32 {
        self.version
    }
}

/// The columns of `Integration`, of a row named `channel`.
#[macro_export]
macro_rules! integration_columns {
    () => {
        "channel.id, channel.kind, channel.name, channel.status, channel.state, channel.department_id,
         (select key from bot_flows where bot_flows.id = channel.bot_flow_id) as bot_flow_key,
         channel.settings, channel.history, channel.created_at, channel.version"
    };
}

/// A channel was connected, saved again or removed, stands otherwise with WhatsApp, its credentials are refused, or some of its history has come. Told to all staff, its configuration left out.
#[derive(Debug, Serialize, JsonSchema, FromRow)]
pub struct ChannelUpdated {
    pub id: Uuid,
    pub kind: ChannelKind,
    pub name: String,
    pub status: ChannelStatus,
    /// Of kinds that link a phone.
    pub state: Option<InstanceState>,
    pub version: i32,
    /// What its phone had said before; null where nothing was told of it.
    #[schemars(with = "Option<ChannelHistory>")]
    pub history: Option<Value>,
}
event!(ChannelUpdated = "channel.updated");

/// The columns of `ChannelUpdated`, of a statement that writes `channel_accounts`.
#[macro_export]
macro_rules! channel_updated {
    ($update:literal) => {
        concat!(
            $update,
            " returning channel_accounts.id, channel_accounts.kind, channel_accounts.name, channel_accounts.status,
                        channel_accounts.state, channel_accounts.version, channel_accounts.history"
        )
    };
}

impl From<&Integration> for ChannelUpdated {
    fn from(integration: &Integration) -> Self {
        let Integration { id, kind, name, status, state, version, history, .. } = integration.clone();
        Self { id, kind, name, status, state, version, history }
    }
}

/// WhatsApp restricts, refuses or changes something, and somebody must act. For admins only.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ChannelFlagged {
    /// The number it is about; of what is about the whole account, its first one.
    pub channel_account_id: Uuid,
    pub channel_name: String,
    /// Such as `account_disabled`, `template_rejected`, `number_flagged`, `pin_changed`.
    pub code: String,
    /// In Portuguese, for people.
    pub text: String,
    /// The template, name or form it is about.
    pub subject: Option<String>,
    /// The reason as WhatsApp words it.
    pub detail: Option<String>,
    /// WhatsApp's time.
    pub at: Timestamp,
}
event!(ChannelFlagged = "channel.flagged");

const ADD_NOTICE: &str = "
    insert into channel_notices (id, channel_account_id, code, text, content, at)
    values ($1, $2, $3, $4, $5, $6)
    on conflict do nothing";

impl ChannelFlagged {
    /// Tells admins, with the transaction's commit, and keeps that they were told.
    pub fn tell(&self, context: &Context, transaction: &Transaction, company_id: Uuid) {
        let Self { channel_account_id, code, text, at, .. } = self.clone();
        let content = json!({"channel_account_id": channel_account_id, "code": code, "at": at});
        transaction.defer(ADD_NOTICE, shared::parameters![context.new_id(), channel_account_id, code, text, content, at]);
        transaction.emit(Event::new(Topic::Company(company_id), Audience::admins(), self));
    }
}

/// What may be shown of a channel's configuration, by its kind.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ChannelSettings {
    WhatsappCloud(WhatsAppSettings),
    Evolution(EvolutionSettings),
    BotConversa(Box<BotConversaSettings>),
}

/// What may be shown of the configuration of an instance at an Evolution API server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EvolutionSettings {
    /// Of the server, without a slash at the end.
    pub base_url: String,
    /// What the server calls it.
    pub instance: String,
    /// The end of the key that is used there, such as `••••1234`.
    pub api_key: Option<String>,
    /// Messages that it sends in a minute at most; 60 without it.
    pub messages_per_minute: Option<i32>,
    /// Milliseconds between messages to different clients, at least; half as long again at most. A second without it.
    pub pause_ms: Option<i32>,
}

impl EvolutionSettings {
    /// What tells this instance from every other, of whatever server.
    #[must_use]
    pub fn key(&self) -> String {
        instance_key(&self.base_url, &self.instance)
    }
}

/// As `channel_accounts.account_key` has it.
#[must_use]
pub fn instance_key(base_url: &str, instance: &str) -> String {
    format!("{base_url}/{instance}")
}

/// What may be shown of a WhatsApp Cloud number's configuration.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WhatsAppSettings {
    /// The sender, and what webhooks name the number by.
    pub phone_number_id: String,
    /// The WhatsApp Business Account it belongs to.
    pub waba_id: String,
    /// The number people see, E.164.
    pub display_phone_number: Option<String>,
    /// The end of the access token, such as `••••1234`.
    pub access_token: Option<String>,
}

/// Characters of a secret that are shown, and how many times as many it must have for that.
const SHOWN: usize = 4;
const LEAST_HIDDEN: usize = 3;

/// How a secret is shown: only its end, and nothing of a short one.
#[must_use]
pub fn hint(secret: &str) -> String {
    let length = secret.chars().count();
    let shown = if length >= SHOWN * LEAST_HIDDEN { SHOWN } else { 0 };
    let end: String = secret.chars().skip(length - shown).collect();
    format!("••••{end}")
}

/// The rule of ids that Meta gives, for `#[garde(custom(…))]`.
pub fn is_digits(value: &str, (): &()) -> garde::Result {
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    Err(rule("pattern", "Use apenas dígitos.", "Use digits only."))
}

/// The rule of phone numbers as people write them, for `#[garde(custom(…))]`.
pub fn is_phone(value: &str, (): &()) -> garde::Result {
    if international_phone(value).is_some() {
        return Ok(());
    }
    Err(rule("invalid_phone", "Informe o número com DDI e DDD.", "Give the number with its country code."))
}

/// A phone number with its country code in E.164, however it is punctuated; `None` when it is not one.
#[must_use]
pub fn international_phone(written: &str) -> Option<String> {
    let is_allowed = |character: char| character.is_ascii_digit() || matches!(character, '+' | ' ' | '-' | '(' | ')' | '.');
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    let is_phone = written.chars().all(is_allowed) && (8..=15).contains(&digits.len()) && !digits.starts_with('0');
    is_phone.then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_hint_is_the_end_of_a_long_secret() {
        assert_eq!(hint("EAAGabcdefgh1234"), "••••1234");
        assert_eq!(hint("short1234"), "••••");
    }

    #[test]
    fn phones_are_read_however_they_are_written() {
        assert_eq!(international_phone("+55 (11) 4000-0000").as_deref(), Some("+551140000000"));
        assert_eq!(international_phone("551140000000").as_deref(), Some("+551140000000"));
        for written in ["", "4000", "011 4000-0000", "+55 11 4000 CALL", "5511400000001234567"] {
            assert_eq!(international_phone(written), None, "{written}");
        }
    }

    proptest! {
        #[test]
        fn a_hint_never_shows_more_than_a_third(secret in ".{0,60}") {
            let shown = hint(&secret).chars().count() - 4;
            prop_assert!(shown * 3 <= secret.chars().count());
        }

        #[test]
        fn reading_a_phone_twice_changes_nothing(written in "[0-9+ ()-]{0,20}") {
            if let Some(phone) = international_phone(&written) {
                prop_assert_eq!(international_phone(&phone), Some(phone.clone()));
            }
        }
    }
}
