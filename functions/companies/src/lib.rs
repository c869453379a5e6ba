//! Companies: what each is called, how it works, and who founds one.

use shared::{
    VISIBLE, closed_set,
    error::{Error, NOT_FOUND},
    prelude::*,
    rule, visible,
};

closed_set! {
    /// Which conversations agents see: all of the company, those of their departments, or those that wait there and their own.
    pub AgentVisibility { Company = "company", Department = "department", Own = "own" }
}

/// The columns of `Company`, from `companies`.
#[macro_export]
macro_rules! company_columns {
    () => {
        "companies.id, companies.name, companies.slug, companies.time_zone, companies.locale, companies.agent_visibility,
           companies.reopen_window, companies.takeover_text, companies.signs_messages, companies.asks_rating, companies.rating_text, companies.bot_enabled, companies.coin_name, companies.colour,
           companies.two_factor_policy, companies.idle_minutes, companies.push_shows_text, companies.breaks, companies.created_at, companies.version"
    };
}

/// What a break may be for, and how long it is meant to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakKind {
    /// What intervals keep: small letters, digits and `_`.
    #[garde(length(chars, min = 1, max = 40), custom(is_reason))]
    #[schemars(regex(pattern = BREAK_REASON))]
    pub reason: String,
    /// What people read.
    #[garde(length(chars, min = 1, max = 60), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    pub name: String,
    /// Null for as long as it takes.
    #[garde(range(min = 1, max = 480))]
    pub limit_minutes: Option<i32>,
}

pub const BREAK_REASON: &str = "^[a-z0-9_]{1,40}$";

fn is_reason(text: &str, (): &()) -> garde::Result {
    if text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')) {
        return Ok(());
    }
    Err(rule("invalid", "Use letras minúsculas, dígitos e _.", "Use small letters, digits and _."))
}

/// A company with its settings.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
#[schemars(rename = "CompanySettings")]
#[expect(clippy::struct_excessive_bools, reason = "they are settings of their own")]
pub struct Company {
    pub id: Uuid,
    pub name: String,
    /// How it is named at sign-up; stays when the name changes.
    pub slug: String,
    /// What days and hours are told in.
    pub time_zone: String,
    /// What new members and mails begin with.
    pub locale: Locale,
    pub agent_visibility: AgentVisibility,
    /// Seconds after closing within which a client's message reopens a conversation; 0 for never.
    pub reopen_window: i32,
    /// What a client is told when somebody takes their conversation over, with `{{agent.name}}` and `{{protocol}}`; null is the product's text, an empty
    /// one is none.
    pub takeover_text: Option<String>,
    /// Whether clients see who writes: `*Bruna Lima:*` above what agents write, which lists and answers show without it.
    pub signs_messages: bool,
    /// Whether clients are asked for a rating from 1 to 5 when staff close their conversation.
    pub asks_rating: bool,
    /// What they are asked with, with `{{client.name}}`, `{{agent.name}}` and `{{protocol}}`; null, or nothing visible, is the product's text.
    pub rating_text: Option<String>,
    /// Whether the bot answers.
    pub bot_enabled: bool,
    /// What the coins of the company are called.
    pub coin_name: String,
    /// Of its mails and pages, as `#rrggbb`.
    pub colour: String,
    /// Roles whose members must have a second factor.
    pub two_factor_policy: Vec<Role>,
    /// Minutes without use after which a session is over: 30 or 480; null for never before its end.
    pub idle_minutes: Option<i32>,
    /// Whether web push carries what was said; without it, only that something was.
    pub push_shows_text: bool,
    /// What breaks are for.
    #[schemars(with = "Vec<BreakKind>")]
    pub breaks: Value,
    pub created_at: Timestamp,
    pub version: i32,
}

impl Versioned for Company {
    fn version(&self) -> i32 {
        self.version
    }
}

/// The company of the session, which is the only one it shows.
pub const COMPANY: &str = concat!("select ", company_columns!(), " from companies where companies.id = $1");

/// Its settings have changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CompanyUpdated<'company> {
    pub company: &'company Company,
}

event!(CompanyUpdated<'_> = "company.updated");

/// A session is for one company; others are as if they were not there.
///
/// # Errors
/// 404 for another company than the session's.
pub fn expect_own(caller: &Identity, company_id: Uuid) -> Result<(), Error> {
    if caller.company_id == company_id { Ok(()) } else { Err(NOT_FOUND.into()) }
}
