//! Which company a change is for. A number proves it; what names only the account is for the one company that has been proved to have
//! numbers in it.

use shared::{error::INTERNAL, log, prelude::*};

use tokio_postgres::types::ToSql;

use crate::{
    channel::Channel,
    item::Address,
    named::Named,
    provider::Provider,
    statements::{ENTER_WEBHOOK, KEEP_UNREAD},
};

/// Names a webhook that is kept: its day is a table of its own. It is also what a job is told.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Kept {
    #[serde(rename = "webhook_id")]
    pub id: Uuid,
    pub received_at: Timestamp,
}

/// The tenant of a kept webhook.
#[derive(Clone, Debug)]
pub struct Entered {
    pub channel: Channel,
    /// It has been applied meanwhile.
    pub is_applied: bool,
    /// An earlier one of the same clients is left to a job.
    pub is_behind: bool,
}

/// Opens the tenant, with all locks that its items need. `None` when nobody is proved to be meant, or not one company alone.
pub async fn enter(
    transaction: &Transaction,
    webhook: Kept,
    provider: Provider,
    address: &Address,
    named: &Named,
) -> Result<Option<Entered>, Error> {
    let Address { external_key, account_key, display_number } = address;
    let Named { persons, kinds, identities, message_ids, changed_ids, own_ids } = named;
    let parameters: &[&(dyn ToSql + Sync)] = &[
        &webhook.id,
        &webhook.received_at,
        external_key,
        account_key,
        display_number,
        persons,
        kinds,
        identities,
        message_ids,
        changed_ids,
        own_ids,
        &provider.as_str(),
    ];
    let row = transaction.enter_with(ENTER_WEBHOOK, parameters).await?;
    row.map(|row| {
        let channel = Channel::try_from_row(&row).map_err(|error| INTERNAL.caused_by(error))?;
        Ok(Entered { channel, is_applied: row.get("is_applied"), is_behind: row.get("is_behind") })
    })
    .transpose()
}

/// Keeps a webhook that nobody can read, with the reason.
pub async fn keep_unread(context: &Context, provider: Provider, raw: &[u8], reason: &str) -> Result<(), Error> {
    let transaction = context.begin_nobody().await?;
    transaction.query(KEEP_UNREAD, &[&context.new_id(), &raw, &reason, &provider.as_str()]).await?;
    log::warn("webhook that cannot be read", reason);
    transaction.commit_quietly().await
}

/// What a signed webhook of a number proves of it: the account it is in, and what people see of it.
#[must_use]
pub fn proved(address: &Address) -> (Option<String>, Option<String>) {
    let Address { external_key, account_key, display_number } = address.clone();
    if external_key.is_some() { (account_key, display_number) } else { (None, None) }
}
