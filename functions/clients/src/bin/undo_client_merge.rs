//! POST /client-merges/{id}/undo — two clients again, also with what each has written since. What staff wrote stays where they wrote it.

use clients::{
    CLIENT_EXISTS,
    merges::{ClientMerge, MERGE, MERGE_TOO_OLD, MERGE_UNDONE, MERGED_AGAIN, UNDONE_WITHIN},
};
use conversations::part_clients;
use futures_util::future::try_join;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route =
    Route::post("/client-merges/{id}/undo").fails(&[NOT_FOUND, CLIENT_EXISTS, MERGE_TOO_OLD, MERGE_UNDONE, MERGED_AGAIN]);

const HOLD: &str = "select app.hold_merge($1)::text";

pub fn main() {
    serve(&ROUTE, undo_client_merge);
}

async fn undo_client_merge(context: Context, caller: Supervisor, Path(id): Path<Uuid>) -> Result<Json<ClientMerge>, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, merge): (_, ClientMerge) = try_join(transaction.query(HOLD, &[&id]), transaction.one(MERGE, &[&id])).await?;
    if merge.undone_at.is_some() {
        return Err(MERGE_UNDONE.with_current(&merge));
    }
    if context.now().duration_since(merge.at) >= UNDONE_WITHIN {
        return Err(MERGE_TOO_OLD.with_current(&merge));
    }
    let both = (merge.client_id, merge.merged_client_id);
    // The row is asked for in the flight that changes it.
    let parting = part_clients(&context, &transaction, caller.company_id, id, both);
    let (is_parted, undone): (_, ClientMerge) =
        try_join(parting, transaction.one(MERGE, &[&id])).await.on_constraint("clients_document", CLIENT_EXISTS)?;
    if !is_parted {
        return Err(MERGED_AGAIN.with_current(&merge));
    }
    transaction.audit(id, &merge, &undone);
    transaction.commit(Json(undone)).await
}
