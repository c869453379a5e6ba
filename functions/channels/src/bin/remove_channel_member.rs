//! DELETE /channels/{id}/members/{member} — takes somebody out of a channel: nothing of it reaches them from then on.

use channels::{IS_DIRECT, IS_GENERAL, NOT_MANAGER, take_out};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/channels/{id}/members/{member}").fails(&[NOT_FOUND, NOT_MANAGER, IS_DIRECT, IS_GENERAL]);

pub fn main() {
    serve(&ROUTE, remove_channel_member);
}

async fn remove_channel_member(
    context: Context,
    caller: Staff,
    Path((id, user_id)): Path<(Uuid, Uuid)>,
) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    if !take_out(&transaction, &caller, id, user_id).await? {
        return Err(NOT_FOUND.into());
    }
    transaction.audit(id, &json!({"user_id": user_id}), &Value::Null);
    transaction.commit(NoContent).await
}
