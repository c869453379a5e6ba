//! POST /channels/{id}/leave — the caller leaves a channel: nothing of it reaches them from then on.

use channels::{IS_DIRECT, IS_GENERAL, take_out};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/channels/{id}/leave").fails(&[NOT_FOUND, IS_DIRECT, IS_GENERAL]);

pub fn main() {
    serve(&ROUTE, leave_channel);
}

async fn leave_channel(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    take_out(&transaction, &caller, id, caller.user_id).await?;
    transaction.audit(id, &json!({"user_id": caller.user_id}), &Value::Null);
    transaction.commit(NoContent).await
}
