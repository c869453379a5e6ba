//! DELETE /channels/{id} — puts a channel away: what was said stays to be read, and nobody posts there any more.

use channels::{CHANNEL, ChatChannelUpdated, IS_DIRECT, IS_GENERAL, NOT_MANAGER, OwnChannel, managed};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/channels/{id}").fails(&[NOT_FOUND, NOT_MANAGER, IS_DIRECT, IS_GENERAL]);

const ARCHIVE: &str = "
    update channels set archived_at = now(), version = version + 1, updated_at = now() where id = $1 and archived_at is null returning id";

pub fn main() {
    serve(&ROUTE, archive_channel);
}

async fn archive_channel(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let current = managed(&transaction, id).await?;
    if current.channel.is_general {
        return Err(IS_GENERAL.into());
    }
    if transaction.query(ARCHIVE, &[&id]).await?.is_empty() {
        return Err(NOT_FOUND.into());
    }
    let own: OwnChannel = transaction.one(CHANNEL, &[&id]).await?;
    own.channel.tell(&transaction, caller.company_id, &ChatChannelUpdated { channel: own.channel.clone() });
    transaction.audit(id, &current.channel, &own.channel);
    transaction.commit(NoContent).await
}
