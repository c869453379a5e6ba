//! POST /clients/{id}/block — what the client writes is kept and counted, and told to nobody.

use clients::{CLIENT, Client, ClientBlocked, LOCK_CLIENT};
use futures_util::future::try_join;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/clients/{id}/block").fails(&[NOT_FOUND]);

const BLOCK: &str = "select app.block_client($1)::text";

pub fn main() {
    serve(&ROUTE, block_client);
}

async fn block_client(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<Client>, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, current): (_, Client) = try_join(transaction.query(LOCK_CLIENT, &[&id]), transaction.one(CLIENT, &[&id])).await?;
    if current.blocked_at.is_some() {
        return transaction.commit(Json(current)).await;
    }
    let (_, client): (_, Client) = try_join(transaction.query(BLOCK, &[&id]), transaction.one(CLIENT, &[&id])).await?;
    transaction.tell_staff(&ClientBlocked { client_id: id });
    transaction.audit(id, &current, &client);
    transaction.commit(Json(client)).await
}
