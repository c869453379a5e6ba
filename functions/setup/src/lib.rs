//! Set-up: what a company gives before it goes live, what is checked, and what is made for it.

pub mod ai;
pub mod checks;
pub mod defaults;
pub mod mail;
pub mod steps;

use shared::{error::FieldProblem, prelude::*};

use crate::{ai::AiSetup, mail::MailSetup};

/// A company as set-up shows and writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CompanySetup {
    pub name: String,
    /// IANA name.
    pub time_zone: String,
    pub locale: String,
    /// What its coins are called.
    pub coin_name: String,
}

/// A channel as set-up shows it; it is connected with `POST /integrations/config`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChannelSetup {
    pub id: Uuid,
    pub name: String,
    /// `active`, `broken` or `disabled`.
    pub status: String,
}

/// What the company has given so far, secrets only by their ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Setup {
    pub company: CompanySetup,
    /// Where the company's front end is, such as `https://app.exemplo.com.br`: links in mails lead there. Null is the stage's.
    pub front_end_origin: Option<String>,
    pub ai: Option<AiSetup>,
    /// Null where mails go by the stage's server.
    pub mail: Option<MailSetup>,
    pub whatsapp: Vec<ChannelSetup>,
    /// Defaults that were made by `POST /setup/infrastructure`.
    pub made: Vec<String>,
    /// 0 until something is saved.
    pub version: i32,
}

impl Versioned for Setup {
    fn version(&self) -> i32 {
        self.version
    }
}

/// Something was saved. What, admins read.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SetupUpdated {
    pub version: i32,
}
event!(SetupUpdated = "setup.updated");

/// A secret is to be given again: the one that is kept was given for another address.
fn needed_again(field: &str) -> FieldProblem {
    FieldProblem::new(field, "required", "Informe de novo ao mudar o endereço.", "Give it again when the address changes.")
}

/// The columns of `SetupRow`, of `companies` and `company_setup`.
#[macro_export]
macro_rules! setup_columns {
    () => {
        "companies.name, companies.time_zone, companies.locale, companies.coin_name,
         companies.front_end_url as front_end_origin, company_setup.ai_base_url, company_setup.ai_model, company_setup.ai_key_hint,
         (select jsonb_build_object('host', host, 'port', port, 'security', security, 'username', username, 'from_address', from_address,
                                    'from_name', from_name, 'authority', authority)
            from mail_accounts) as mail,
         coalesce(company_setup.made, '{}') as made, coalesce(company_setup.version, 0) as version,
         (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', name, 'status', status) order by created_at, id), '[]')
            from channel_accounts where kind = 'whatsapp_cloud' and removed_at is null) as channels"
    };
}

/// `Setup` as it is read.
#[derive(Clone, Debug, FromRow)]
pub struct SetupRow {
    name: String,
    time_zone: String,
    locale: String,
    coin_name: String,
    front_end_origin: Option<String>,
    ai_base_url: Option<String>,
    ai_model: Option<String>,
    ai_key_hint: Option<String>,
    mail: Option<Value>,
    made: Vec<String>,
    version: i32,
    channels: Value,
}

impl From<SetupRow> for Setup {
    fn from(row: SetupRow) -> Self {
        let SetupRow { name, time_zone, locale, coin_name, front_end_origin, made, version, .. } = row;
        let ai = row.ai_base_url.map(|base_url| AiSetup {
            base_url,
            model: row.ai_model.unwrap_or_default(),
            api_key: row.ai_key_hint,
        });
        Self {
            company: CompanySetup { name, time_zone, locale, coin_name },
            front_end_origin,
            ai,
            mail: row.mail.and_then(|mail| serde_json::from_value(mail).ok()),
            whatsapp: serde_json::from_value(row.channels).unwrap_or_default(),
            made,
            version,
        }
    }
}
