//! What a change of a channel says, and the channel as it is to be.

use integrations::{
    ChannelKind, ChannelStatus, Integration,
    config::{Channel, ChannelSwitch, KEY, PHONE, is_key},
    hint, international_phone, is_digits, is_phone,
};
use shared::{VISIBLE, error::FieldProblem, prelude::*, visible};
use team::given::Given;

const DIGITS: &str = "^[0-9]+$";

/// Changes of a channel: what is not given stays. Fields of another kind than the channel's are refused.
#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegrationChanges {
    #[garde(length(chars, min = 1, max = 80), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    pub name: Option<String>,
    /// `disabled` neither sends nor receives; `active` ends that.
    #[garde(skip)]
    pub status: Option<ChannelSwitch>,
    /// Where its new conversations go; null: to everybody's.
    #[garde(skip)]
    #[serde(default)]
    #[schemars(with = "Option<Uuid>")]
    pub department_id: Given<Uuid>,
    /// The published flow that answers first; null hands every conversation to people.
    #[garde(custom(team::given::at_most(80)))]
    #[serde(default)]
    #[schemars(with = "Option<String>", length(min = 1, max = 80))]
    pub bot_flow_key: Given<String>,
    /// Of WhatsApp numbers.
    #[garde(length(max = 32), inner(custom(is_digits)))]
    #[schemars(regex(pattern = DIGITS))]
    pub waba_id: Option<String>,
    /// Of WhatsApp numbers. Never shown again.
    #[garde(length(min = 8, max = 2000))]
    pub access_token: Option<String>,
    /// Of WhatsApp numbers.
    #[garde(inner(custom(is_phone)))]
    #[schemars(regex(pattern = PHONE))]
    pub display_phone_number: Option<String>,
    /// Of instances whose server has moved, with a key for the new one.
    #[garde(length(max = 300))]
    pub base_url: Option<String>,
    /// Of instances: the instance's token, or the server's global key. Never shown again.
    #[garde(length(min = 8, max = 500), inner(custom(is_key)))]
    #[schemars(regex(pattern = KEY))]
    pub api_key: Option<String>,
    /// Of instances and accounts of BotConversa: makes another secret and another address for its webhooks. The earlier ones are taken for an
    /// hour, of an instance from when its server knows the new ones; in flows they are typed by hand.
    #[garde(skip)]
    #[serde(default)]
    pub rotate_webhook_secret: bool,
}

impl IntegrationChanges {
    /// Whether a provider has to say something to it.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        self.access_token.is_some() || self.api_key.is_some()
    }

    /// What is wrong with it for this channel.
    #[must_use]
    pub fn problems(&self, current: &Integration) -> Vec<FieldProblem> {
        let of_whatsapp = [
            ("waba_id", self.waba_id.is_some()),
            ("access_token", self.access_token.is_some()),
            ("display_phone_number", self.display_phone_number.is_some()),
        ];
        let of_instances = [("base_url", self.base_url.is_some()), ("api_key", self.api_key.is_some())];
        let of_secrets = [("rotate_webhook_secret", self.rotate_webhook_secret)];
        let strange = |fields: &[(&str, bool)], kinds: &[ChannelKind]| -> Vec<FieldProblem> {
            let given = fields.iter().filter(|(_, is_given)| *is_given && !kinds.contains(&current.kind));
            let (portuguese, english) = ("Este tipo de canal não tem este campo.", "Channels of this kind have no such field.");
            given.map(|(field, _)| FieldProblem::new(*field, "not_of_kind", portuguese, english)).collect()
        };
        let mut problems = strange(&of_whatsapp, &[ChannelKind::WhatsappCloud]);
        problems.extend(strange(&of_instances, &[ChannelKind::Evolution]));
        problems.extend(strange(&of_secrets, &[ChannelKind::Evolution, ChannelKind::Botconversa]));
        if self.moves(current) && self.api_key.is_none() && problems.is_empty() {
            let (portuguese, english) =
                ("Informe a chave de novo ao mudar o endereço.", "Give the key again when the address changes.");
            problems.push(FieldProblem::new("api_key", "required", portuguese, english));
        }
        problems
    }

    fn moves(&self, current: &Integration) -> bool {
        let now = current.settings["base_url"].as_str().unwrap_or_default();
        self.base_url.as_deref().is_some_and(|wanted| wanted.trim_end_matches('/') != now)
    }

    /// The channel as it is to be, for its provider to judge.
    #[must_use]
    pub fn applied_to(&self, current: &Integration, external_key: &str) -> Channel {
        let mut settings = current.settings.clone();
        let given = [
            ("waba_id", self.waba_id.clone()),
            ("access_token", self.access_token.as_deref().map(hint)),
            ("display_phone_number", self.display_phone_number.as_deref().and_then(international_phone)),
            ("base_url", self.base_url.as_deref().filter(|_| self.moves(current)).map(str::to_owned)),
            ("api_key", self.api_key.as_deref().map(hint)),
        ];
        for (field, value) in given {
            if let Some(value) = value {
                settings[field] = json!(value);
            }
        }
        Channel {
            kind: current.kind.as_str(),
            id: Some(current.id),
            external_key: external_key.to_owned(),
            account_key: None,
            name: self.name.clone().unwrap_or_else(|| current.name.clone()),
            department_id: self.department_id.clone().after(current.department_id),
            bot_flow_key: self.bot_flow_key.clone().after(current.bot_flow_key.clone()),
            status: self.status,
            settings,
            secret: self.access_token.clone().or_else(|| self.api_key.clone()),
            botconversa: None,
        }
    }

    /// New credentials set a channel going again, and so does whoever says so of one that was switched off.
    #[must_use]
    pub fn status_after(&self, current: ChannelStatus) -> ChannelStatus {
        match (self.status, current) {
            (Some(ChannelSwitch::Disabled), _) => ChannelStatus::Disabled,
            _ if self.has_secret() => ChannelStatus::Active,
            (Some(ChannelSwitch::Active), ChannelStatus::Disabled) => ChannelStatus::Active,
            _ => current,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(kind: ChannelKind, settings: Value) -> Integration {
        Integration {
            id: Uuid::nil(),
            kind,
            name: "Vendas".into(),
            status: ChannelStatus::Active,
            state: None,
            department_id: Some(Uuid::nil()),
            bot_flow_key: None,
            settings,
            history: None,
            created_at: Timestamp::UNIX_EPOCH,
            version: 1,
        }
    }

    fn read(changes: Value) -> IntegrationChanges {
        serde_json::from_value(changes).unwrap()
    }

    #[test]
    fn what_is_not_given_stays_and_null_clears() {
        let current = channel(ChannelKind::WhatsappCloud, json!({"waba_id": "1", "access_token": "••••1234"}));
        let wanted = read(json!({"waba_id": "2"})).applied_to(&current, "210");
        assert_eq!(wanted.settings, json!({"waba_id": "2", "access_token": "••••1234"}));
        assert_eq!((wanted.name.as_str(), wanted.department_id), ("Vendas", Some(Uuid::nil())));
        assert_eq!(read(json!({"department_id": null})).applied_to(&current, "210").department_id, None);
    }

    #[test]
    fn a_key_goes_only_where_it_was_given_for() {
        let current = channel(ChannelKind::Evolution, json!({"base_url": "https://evo.exemplo.test"}));
        let fields = |changes: Value| -> Vec<String> {
            read(changes).problems(&current).into_iter().map(|problem| problem.field).collect()
        };
        assert_eq!(fields(json!({"base_url": "https://outro.exemplo.test"})), ["api_key"]);
        assert_eq!(fields(json!({"base_url": "https://evo.exemplo.test/"})), [""; 0]);
        assert_eq!(fields(json!({"access_token": "12345678", "waba_id": "1"})), ["waba_id", "access_token"]);
    }

    #[test]
    fn a_broken_channel_is_mended_by_credentials_alone() {
        let after = |changes: Value, status| read(changes).status_after(status);
        assert_eq!(after(json!({"status": "active"}), ChannelStatus::Broken), ChannelStatus::Broken);
        assert_eq!(after(json!({"api_key": "12345678"}), ChannelStatus::Broken), ChannelStatus::Active);
        assert_eq!(after(json!({"status": "active"}), ChannelStatus::Disabled), ChannelStatus::Active);
        let both = json!({"status": "disabled", "api_key": "12345678"});
        assert_eq!(after(both, ChannelStatus::Active), ChannelStatus::Disabled);
    }
}
