//! A channel as its configuration is read, before it is changed, tested or removed.

use integrations::{Integration, integration_columns};
use shared::prelude::*;

macro_rules! channel {
    ($rest:literal) => {
        concat!(
            "select ",
            integration_columns!(),
            ", channel.external_key, credentials.sealed,
               coalesce(channel.previous_key_until > now(), false) as has_previous_secret
               from channel_accounts channel
               left join channel_credentials credentials on credentials.channel_account_id = channel.id
              where channel.id = $1 and channel.removed_at is null ",
            $rest
        )
    };
}

/// A channel that was not removed.
pub const CHANNEL: &str = channel!("");

/// Nobody else changes it meanwhile.
pub const LOCKED_CHANNEL: &str = channel!("for update of channel");

/// Its row.
#[derive(Debug, FromRow)]
pub struct Channel {
    #[from_row(flatten)]
    pub integration: Integration,
    /// What webhooks name it by.
    pub external_key: String,
    /// The secret before this one is still taken for a while.
    pub has_previous_secret: bool,
    /// Its credentials; none of a kind that has none.
    pub sealed: Option<Vec<u8>>,
}
