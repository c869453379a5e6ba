//! Changing a client's row, whoever does: what they are known by, and who is told.

use futures_util::future::try_join3;
use shared::prelude::*;

use crate::{CLIENT, CLIENT_EXISTS, Client, ClientUpdated, Known, METADATA_TOO_LONG};

const UPDATE: &str = "
    update clients
       set name = $2, name_source = case when name = $2 then name_source else 'staff' end, document = $3, email = $4, tags = $5,
           metadata = $6, archived_at = $7, custom_fields = $8, version = version + 1
     where id = $1";

const REMOVE_IDENTITIES: &str = "
    delete from client_identities
     where client_id = $1 and (kind = 'phone' and value <> all($2) or kind = 'email' and value = lower($3) and value is distinct from $4)";

/// Makes a locked client's row what it is to be.
///
/// # Errors
/// `CLIENT_EXISTS` when somebody else is known by what is new, `METADATA_TOO_LONG`, and those of the database.
pub async fn change(transaction: &Transaction, current: &Client, wanted: &Client) -> Result<Client, Error> {
    let (had, known) = (Known::of(current), Known::of(wanted));
    let Client { id, name, document, email, phones, tags, metadata, archived_at, custom_fields, .. } = wanted;
    try_join3(
        transaction.execute(UPDATE, &[id, name, document, email, tags, metadata, archived_at, custom_fields]),
        transaction.execute(REMOVE_IDENTITIES, &[id, phones, &had.email, email]),
        known.add(transaction, *id, &had),
    )
    .await
    .on_constraint("clients_document", CLIENT_EXISTS)
    .on_constraint("clients_metadata_check", METADATA_TOO_LONG)?;
    let client: Client = transaction.one(CLIENT, &[id]).await?;
    transaction.tell_staff(&ClientUpdated::from(&client));
    transaction.audit(id, current, &client);
    Ok(client)
}
