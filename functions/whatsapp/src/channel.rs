//! A webhook's channel, and what becomes of its items.

use shared::prelude::*;

use crate::provider::Provider;

/// Times an item is tried again after somebody who is no webhook won a race for the same client or conversation.
pub const TRIES: usize = 4;

/// The channel account a webhook came for.
#[derive(Clone, Debug, FromRow)]
pub struct Channel {
    pub id: Uuid,
    pub company_id: Uuid,
    pub provider: Provider,
    pub department_id: Option<Uuid>,
    pub bot_flow_id: Option<Uuid>,
    /// Seconds.
    pub reopen_window: i32,
}

/// What became of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    Stored,
    /// So many messages of the past were stored, so many were there.
    Past {
        stored: usize,
        known: usize,
    },
    /// It waits for the message it speaks of.
    Held,
    Duplicate,
    /// Admins were told of it, by this code.
    Told(&'static str),
    /// Said in a group of people: kept in the raw webhook only.
    Group,
    /// Kept in the raw webhook only, for this reason.
    Ignored(String),
}
