//! Who hears that a file is another than it was.

use conversations::{MessageUpdated, Written, changed_message, emit_message};
use shared::prelude::*;

/// The newest messages with the file; of blocked clients nothing is told.
const MESSAGES: &str = changed_message!(
    "with changed as (
        select messages.*
          from messages
          join conversations held on held.company_id = messages.company_id and held.id = messages.conversation_id
          join clients on clients.company_id = held.company_id and clients.id = held.client_id
         where messages.company_id = app.company_id() and messages.file_id = $1 and messages.deleted_at is null
           and clients.blocked_at is null
         order by messages.created_at desc
         limit 20
    )"
);

/// Tells of the messages with a file.
///
/// # Errors
/// As `Transaction::query`.
pub async fn tell_messages(transaction: &Transaction, file_id: Uuid) -> Result<(), Error> {
    let messages: Vec<Written> = transaction.all(MESSAGES, &[&file_id]).await?;
    for Written { conversation, message } in messages {
        emit_message(transaction, &conversation, &MessageUpdated { message });
    }
    Ok(())
}
