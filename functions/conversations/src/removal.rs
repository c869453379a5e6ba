//! A channel that is removed: its open conversations stay to be read, or are closed first. What was said by it stays.

use integrations::{ChannelUpdated, channel_updated};
use shared::{closed_set, parameters, prelude::*};

use crate::{BulkHeld, HeldConversation, LOCK_MANY, close, may_close};

closed_set! {
    /// What becomes of its open conversations: staff go on reading what they keep, and can no longer answer in it.
    #[schemars(rename = "OpenConversations")]
    pub OpenConversations { Keep = "keep", Close = "close" }
}

/// Closed in one transaction.
const PAGE: i64 = 200;

const OPEN: &str = "select id from conversations where channel_account_id = $1 and ended_at is null order by id limit $2";

#[derive(FromRow)]
struct Open {
    id: Uuid,
}

const OPEN_COUNT: &str = "select count(*) as open from conversations where channel_account_id = $1 and ended_at is null";

/// Conversations that are open by a channel.
#[derive(Debug, Serialize, JsonSchema, FromRow)]
pub struct OpenCount {
    pub open: i64,
}

/// Its number is free for whoever connects it next, and what comes for it before that is this company's.
const REMOVE: &str = channel_updated!(
    "
    update channel_accounts
       set removed_at = now(), status = 'disabled', state = case when state is not null then 'close' end,
           previous_key = external_key, previous_key_until = null, external_key = 'removed ' || id, version = version + 1
     where id = $1"
);

const FORGET_KEY: &str = "delete from channel_credentials where channel_account_id = $1";

/// How many of a channel's conversations are open.
///
/// # Errors
/// Those of the database.
pub async fn count_open(transaction: &Transaction, channel_id: Uuid) -> Result<OpenCount, Error> {
    transaction.one(OPEN_COUNT, &[&channel_id]).await
}

/// Closes what is open of a channel, page by page, each in a transaction of its own; answers how many.
///
/// # Errors
/// Those of the database.
pub async fn close_of_channel(context: &Context, caller: &Identity, channel_id: Uuid, reason: &str) -> Result<usize, Error> {
    let mut closed = 0;
    while let count @ 1.. = close_page(context, caller, channel_id, reason).await? {
        closed += count;
    }
    Ok(closed)
}

async fn close_page(context: &Context, caller: &Identity, channel_id: Uuid, reason: &str) -> Result<usize, Error> {
    let transaction = context.begin(caller).await?;
    let open: Vec<Open> = transaction.all(OPEN, &[&channel_id, &PAGE]).await?;
    let ids: Vec<Uuid> = open.iter().map(|open| open.id).collect();
    let no_tags: Vec<String> = Vec::new();
    let rows: Vec<BulkHeld> = transaction.all(LOCK_MANY, &[&ids, &no_tags]).await?;
    let held: Vec<&HeldConversation> = rows.iter().map(|row| &row.held).filter(|held| may_close(caller, held).is_ok()).collect();
    if held.is_empty() {
        transaction.commit_unaudited().await?;
        return Ok(0);
    }
    close(context, &transaction, caller, &held, Some(reason), Some(false)).await?;
    transaction.commit_quietly().await?;
    Ok(held.len())
}

/// Removes a channel whose row is locked, with its credentials, and tells staff. The row stays, so that what was said by it keeps its name.
///
/// # Errors
/// Those of the database.
pub async fn remove_channel(transaction: &Transaction, channel_id: Uuid) -> Result<(), Error> {
    let removed: ChannelUpdated = transaction.one(REMOVE, &[&channel_id]).await?;
    transaction.defer(FORGET_KEY, parameters![channel_id]);
    transaction.tell_staff(&removed);
    Ok(())
}
