//! What an admin gives to connect the company's CRM.

use std::collections::BTreeMap;

use shared::{prelude::*, rule};

use super::{ChannelSwitch, KEY, is_key};
use crate::crm_kinds::{CrmKind, ONE_WAY, OWN_FIELD, TWO_WAY};

/// An account of HubSpot or Pipedrive. A company has one CRM; saving it again changes its configuration.
#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrmConfig {
    #[garde(length(chars, min = 1, max = 80), custom(shared::visible))]
    #[schemars(regex(pattern = shared::VISIBLE))]
    pub name: String,
    /// HubSpot's private app token or Pipedrive's API token. Never shown again. May be left out when it is saved again.
    #[garde(length(min = 8, max = 500), inner(custom(is_key)))]
    #[schemars(regex(pattern = KEY))]
    pub api_key: Option<String>,
    /// What the CRM calls our fields (`name`, `custom_fields.curso` …), where that is not the usual name; null of what it is not told. As it was without it.
    #[garde(custom(are_fields))]
    #[schemars(transform = said_fields)]
    pub fields: Option<BTreeMap<String, Option<String>>>,
    #[garde(skip)]
    pub status: Option<ChannelSwitch>,
}

/// A CRM that takes contacts at `POST {base_url}/contacts`.
#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestCrmConfig {
    #[garde(length(chars, min = 1, max = 80), custom(shared::visible))]
    #[schemars(regex(pattern = shared::VISIBLE))]
    pub name: String,
    /// Public, such as `https://crm.escola.com.br/api`.
    #[garde(length(max = 300))]
    pub base_url: String,
    /// The bearer token. Never shown again. May be left out when it is saved again with the same address.
    #[garde(length(min = 8, max = 500), inner(custom(is_key)))]
    #[schemars(regex(pattern = KEY))]
    pub api_key: Option<String>,
    /// As of the others; the usual names are `nome_completo`, `telefone`, `empresa` …
    #[garde(custom(are_fields))]
    #[schemars(transform = said_fields)]
    pub fields: Option<BTreeMap<String, Option<String>>>,
    #[garde(skip)]
    pub status: Option<ChannelSwitch>,
}

fn said_fields(schema: &mut schemars::Schema) {
    let ours = format!("^({}|{}|custom_fields\\.[a-z][a-z0-9_]{{0,39}})$", TWO_WAY.join("|"), ONE_WAY.join("|"));
    schema.insert("propertyNames".into(), json!({"pattern": ours}));
    schema.insert("additionalProperties".into(), json!({"type": ["string", "null"], "pattern": "^[A-Za-z0-9_]{1,80}$"}));
    schema.insert("maxProperties".into(), json!(60));
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "as garde calls it")]
fn are_fields(fields: &Option<BTreeMap<String, Option<String>>>, (): &()) -> garde::Result {
    let Some(fields) = fields else { return Ok(()) };
    let is_ours = |name: &str| {
        let own = name.strip_prefix(OWN_FIELD).is_some_and(|key| {
            key.len() <= 40
                && key.starts_with(|first: char| first.is_ascii_lowercase())
                && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        });
        own || TWO_WAY.contains(&name) || ONE_WAY.contains(&name)
    };
    let is_theirs =
        |name: &str| (1..=80).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let are_good = fields.iter().all(|(ours, theirs)| is_ours(ours) && theirs.as_deref().is_none_or(is_theirs));
    if are_good && fields.len() <= 60 {
        return Ok(());
    }
    Err(rule("pattern", "Diga campos nossos e os nomes deles no CRM.", "Name fields of ours and what the CRM calls them."))
}

/// A CRM of any kind, ready to be stored.
pub struct Crm {
    pub kind: CrmKind,
    pub name: String,
    pub base_url: Option<String>,
    pub api_key: Option<String>,
    pub fields: Option<BTreeMap<String, Option<String>>>,
    pub status: Option<ChannelSwitch>,
}

impl Crm {
    #[must_use]
    pub fn of(kind: CrmKind, config: CrmConfig) -> Self {
        let CrmConfig { name, api_key, fields, status } = config;
        Self { kind, name, base_url: None, api_key, fields, status }
    }
}

impl From<RestCrmConfig> for Crm {
    fn from(config: RestCrmConfig) -> Self {
        let RestCrmConfig { name, base_url, api_key, fields, status } = config;
        Self { kind: CrmKind::GenericRest, name, base_url: Some(base_url), api_key, fields, status }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_ours_and_named_as_a_crm_names_them() {
        let of = |ours: &str, theirs: Option<&str>| {
            are_fields(&Some(BTreeMap::from([(ours.to_owned(), theirs.map(str::to_owned))])), &())
        };
        for (ours, theirs) in [("name", Some("firstname")), ("custom_fields.curso", Some("curso")), ("score", None)] {
            assert!(of(ours, theirs).is_ok(), "{ours}");
        }
        for (ours, theirs) in [
            ("closer_id", Some("x")),
            ("custom_fields.", Some("x")),
            ("custom_fields.Curso", Some("x")),
            ("name", Some("a b")),
            ("name", Some("")),
        ] {
            assert!(of(ours, theirs).is_err(), "{ours}");
        }
    }
}
