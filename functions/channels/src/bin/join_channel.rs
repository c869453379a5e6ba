//! POST /channels/{id}/join — the caller enters a public channel. What was said before counts as read.

use channels::{ARCHIVED, CHANNEL, ChatMemberAdded, IS_DIRECT, OwnChannel, add, tell_channel};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/channels/{id}/join").fails(&[NOT_FOUND, ARCHIVED, IS_DIRECT]);

pub fn main() {
    serve(&ROUTE, join_channel);
}

async fn join_channel(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<OwnChannel>, Error> {
    let transaction = context.begin(&caller).await?;
    let added = add(&transaction, id, &[caller.user_id]).await?;
    let own: OwnChannel = transaction.one(CHANNEL, &[&id]).await?;
    if !added.is_empty() {
        let payload = ChatMemberAdded { channel: own.channel.clone(), user_ids: added.clone(), by_id: caller.user_id };
        tell_channel(&transaction, caller.company_id, id, &payload);
        own.channel.tell_joined(&transaction, &added);
    }
    transaction.audit(id, &Value::Null, &json!({"user_ids": added}));
    transaction.commit(Json(own)).await
}
