//! A channel that is removed: its open conversations stay to be read, or are closed first. What was said by it stays.

use integrations::{ChannelStatus, ChannelUpdated, channel_updated};
use shared::{
    closed_set,
    error::{NOT_FOUND, UNAVAILABLE},
    parameters,
    prelude::*,
};

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

/// It takes and sends nothing more from here on.
const SHUT: &str = channel_updated!(
    "update channel_accounts set status = 'disabled', version = version + 1 where id = $1 and status <> 'disabled'"
);

const REOPEN: &str = channel_updated!(
    "update channel_accounts set status = $2, version = version + 1 where id = $1 and status = 'disabled' and removed_at is null"
);

const LOCK: &str = "select from channel_accounts where id = $1 and removed_at is null for update";

/// Times that what was opened before the channel was shut, and is seen after that, is closed too.
const TRIES: usize = 5;

/// A channel that is removed with this transaction, once it is committed.
pub struct Removed {
    pub transaction: Transaction,
    /// Conversations that were closed, and those that stay open.
    pub closed: usize,
    pub kept: i64,
}

/// Shuts a channel that is about to be removed, so that nothing is opened while its conversations are closed.
///
/// # Errors
/// Those of the database.
pub async fn shut(transaction: &Transaction, channel_id: Uuid) -> Result<(), Error> {
    if let Some(shut) = transaction.first::<ChannelUpdated>(SHUT, &[&channel_id]).await? {
        transaction.tell_staff(&shut);
    }
    Ok(())
}

/// Opens one again that was not removed after all.
///
/// # Errors
/// Those of the database.
pub async fn reopen(context: &Context, caller: &Identity, channel_id: Uuid, status: ChannelStatus) -> Result<(), Error> {
    let transaction = context.begin(caller).await?;
    if let Some(opened) = transaction.first::<ChannelUpdated>(REOPEN, &[&channel_id, &status.as_str()]).await? {
        transaction.tell_staff(&opened);
    }
    transaction.commit_quietly().await
}

/// Closes what is to be closed of a channel that was shut, and removes it; or says what is open, where nobody has said what becomes of that.
///
/// # Errors
/// 404 where somebody has removed it meanwhile, 503 where its conversations do not come to an end, and those of the database.
pub async fn close_and_remove(
    context: &Context,
    caller: &Identity,
    channel_id: Uuid,
    (wanted, reason): (Option<OpenConversations>, &str),
) -> Result<Result<Removed, OpenCount>, Error> {
    let mut closed = 0;
    for _ in 0..TRIES {
        if wanted == Some(OpenConversations::Close) {
            closed += close_of_channel(context, caller, channel_id, reason).await?;
        }
        let transaction = context.begin(caller).await?;
        // Who opens one waits for this row, and opens it before or after.
        if transaction.query(LOCK, &[&channel_id]).await?.is_empty() {
            return Err(NOT_FOUND.into());
        }
        let open = count_open(&transaction, channel_id).await?;
        match wanted {
            None if open.open > 0 => return Ok(Err(open)),
            Some(OpenConversations::Close) if open.open > 0 => continue,
            _ => {}
        }
        remove_channel(&transaction, channel_id).await?;
        return Ok(Ok(Removed { transaction, closed, kept: open.open }));
    }
    Err(UNAVAILABLE.caused_by("conversations do not come to an end"))
}

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
async fn close_of_channel(context: &Context, caller: &Identity, channel_id: Uuid, reason: &str) -> Result<usize, Error> {
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
async fn remove_channel(transaction: &Transaction, channel_id: Uuid) -> Result<(), Error> {
    let removed: ChannelUpdated = transaction.one(REMOVE, &[&channel_id]).await?;
    transaction.defer(FORGET_KEY, parameters![channel_id]);
    transaction.tell_staff(&removed);
    Ok(())
}
