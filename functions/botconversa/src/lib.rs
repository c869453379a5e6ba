//! Accounts of BotConversa: what their flows tell, subscribers and clients kept alike, and what is shown there of conversations.

mod news;
pub mod shown;
mod subscribers;
pub mod sync;

use std::time::Duration;

use conversations::{
    carrier::{Carrier, Line},
    outbox,
};
use integrations::BotConversaSettings;
use shared::{error::NOT_FOUND, prelude::*, provider::Failure};

/// Of one that is used: what its company has disabled or removed is called no more.
pub const ACCOUNT: &str = "
    select settings
      from channel_accounts
     where id = $1 and kind = 'botconversa' and status <> 'disabled' and removed_at is null";

/// What is kept of an account.
#[derive(Debug, FromRow)]
pub struct AccountRow {
    settings: Value,
}

impl AccountRow {
    /// `None` where it was kept otherwise.
    #[must_use]
    pub fn settings(&self) -> Option<BotConversaSettings> {
        serde_json::from_value(self.settings.clone()).ok()
    }
}

/// An account, with the key that opens it.
///
/// # Errors
/// 404 for one that is not used, 500 where its key does not open.
pub async fn line(context: &Context, company_id: Uuid, channel_account_id: Uuid) -> Result<Line, Error> {
    match outbox::carrier(context, company_id, channel_account_id).await? {
        Carrier::BotConversa(line) => Ok(line),
        _ => Err(NOT_FOUND.into()),
    }
}

/// What becomes of a job whose call has failed. A refused key breaks the channel, which admins are told once, and is not tried again.
///
/// # Errors
/// Those of the database.
pub async fn after_failure(
    context: &Context,
    job: &Claimed,
    channel_account_id: Uuid,
    failure: Failure,
) -> Result<Outcome, Error> {
    Ok(match failure {
        // How many calls there were is no fault of this one.
        Failure::Busy { after, code } if code == "over_budget" => Outcome::Hold { after },
        Failure::Busy { after, code } => Outcome::Again { after: outbox::pause(after, job.attempts), reason: code },
        Failure::Unknown { reason } => Outcome::Again { after: outbox::pause(Duration::from_secs(5), job.attempts), reason },
        Failure::Blocked { code, detail } => {
            let transaction = context.begin_system(job.company_id).await?;
            outbox::break_channel(context, &transaction, job.company_id, channel_account_id).await?;
            transaction.commit_quietly().await?;
            Outcome::Failed { reason: format!("BotConversa refuses the key: {code} {detail}") }
        }
        Failure::Refused { code, detail } => Outcome::Failed { reason: format!("{code} {detail}") },
    })
}
