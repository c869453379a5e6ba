//! Follow-ups: sequences of messages, mails and tasks that leads go through by themselves, until they reply.

pub mod acting;
pub mod criteria;
pub mod enrol;
pub mod execution;
pub mod judging;
mod look;
pub mod running;
pub mod sequence;
pub mod settings;
mod shown;
pub mod step;
pub mod switching;
pub mod taking_in;
pub mod window;

use shared::{
    links::{Link, Purpose},
    prelude::*,
};

/// Whose lead a link is of.
pub const COMPANY_OF_LEAD: &str = "select company_id, company_name, is_unsubscribed from app.company_of_lead($1)";

#[derive(Debug, FromRow)]
pub struct CompanyOfLead {
    pub company_id: Uuid,
    pub company_name: String,
    pub is_unsubscribed: bool,
}

/// The lead that a link to unsubscribe is for.
///
/// # Errors
/// 404 when it is none of ours.
pub fn lead_of(context: &Context, token: &str) -> Result<Uuid, Error> {
    let link = Link::read(Purpose::Unsubscribe, token, &context.secrets().token_keys);
    link.map(|link| link.id).ok_or_else(|| shared::error::NOT_FOUND.into())
}

/// What a link to unsubscribe is for.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FollowupUnsubscription")]
pub struct Unsubscription {
    pub company_name: String,
    /// They get nothing of sequences any more.
    pub is_unsubscribed: bool,
}
