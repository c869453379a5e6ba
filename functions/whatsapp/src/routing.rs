//! Which company a change is for. A number proves it; what names only the account is for the one company that has been proved to have
//! numbers in it.

use shared::{error::INTERNAL, log, prelude::*};

use tokio_postgres::types::ToSql;

use crate::{
    channel::Channel,
    named::Named,
    payload::Address,
    statements::{ENTER_WEBHOOK, KEEP_UNROUTED},
};

/// Opens the tenant, with all locks that its items need. `None` when nobody is proved to be meant, or not one company alone.
pub async fn enter(transaction: &Transaction, address: &Address, named: &Named) -> Result<Option<Channel>, Error> {
    let Address { phone_number_id, account_id, display_number } = address;
    let Named { persons, kinds, identities, message_ids, changed_ids, own_ids } = named;
    let parameters: &[&(dyn ToSql + Sync)] =
        &[phone_number_id, account_id, display_number, persons, kinds, identities, message_ids, changed_ids, own_ids];
    let row = transaction.enter_with(ENTER_WEBHOOK, parameters).await?;
    row.map(|row| Channel::try_from_row(&row).map_err(|error| INTERNAL.caused_by(error))).transpose()
}

/// Keeps a webhook of nobody's: for the day its number is configured, or with the reason why nobody can read it.
pub async fn keep_unrouted(
    context: &Context,
    transaction: &Transaction,
    address: &Address,
    raw: &[u8],
    reason: Option<&str>,
) -> Result<(), Error> {
    let key = address.key();
    transaction.query(KEEP_UNROUTED, &[&context.new_id(), &key, &raw, &reason]).await?;
    match reason {
        Some(reason) => log::warn("webhook that cannot be read", reason),
        None => log::warn("webhook for a number nobody has configured", key),
    }
    Ok(())
}

/// What a signed webhook of a number proves of it: the account it is in, and what people see of it.
#[must_use]
pub fn proved(address: &Address) -> (Option<String>, Option<String>) {
    let Address { phone_number_id, account_id, display_number } = address.clone();
    if phone_number_id.is_some() { (account_id, display_number) } else { (None, None) }
}
