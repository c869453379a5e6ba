//! DELETE /clients/{id} — puts a client away: out of lists and searches, with everything kept, until they write again.

use clients::{CLIENT, CLIENT_IN_USE, Client, ClientDeleted, HAS_OPEN_CONVERSATION, LOCK_CLIENT, Openness};
use futures_util::future::try_join3;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/clients/{id}").fails(&[NOT_FOUND, CLIENT_IN_USE]);

const ARCHIVE: &str = "update clients set archived_at = now(), version = version + 1 where id = $1";

pub fn main() {
    serve(&ROUTE, delete_client);
}

async fn delete_client(context: Context, caller: Supervisor, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    // Whoever opens a conversation of theirs waits, and brings them back.
    let (_, client, Openness { is_open }): (_, Client, _) = try_join3(
        transaction.query(LOCK_CLIENT, &[&id]),
        transaction.one(CLIENT, &[&id]),
        transaction.one(HAS_OPEN_CONVERSATION, &[&id]),
    )
    .await?;
    if client.archived_at.is_some() {
        return Err(NOT_FOUND.into());
    }
    if is_open {
        return Err(CLIENT_IN_USE.with_current(&client));
    }
    transaction.execute(ARCHIVE, &[&id]).await?;
    transaction.tell_staff(&ClientDeleted { client_id: id });
    transaction.audit(id, &client, &Value::Null);
    transaction.commit(NoContent).await
}
