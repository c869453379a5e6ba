//! POST /direct-messages — the channel of these people and the caller: there is one for a set of people, whoever opens it first.

use channels::{CHANNEL, OwnChannel, colleagues};
use futures_util::future::try_join;
use shared::prelude::*;

const ROUTE: Route = Route::post("/direct-messages");

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DirectPeople {
    /// Active staff of this company, besides the caller; without any, what the caller notes for themselves.
    #[garde(length(max = 7))]
    #[serde(default)]
    user_ids: Vec<Uuid>,
}

const OPEN: &str = "select channel, is_new from app.open_direct($1, $2)";
/// One that was put away is shown again.
const SHOW: &str = "update channel_members set is_hidden = false where channel_id = $1 and user_id = app.user_id() and is_hidden";

#[derive(FromRow)]
struct Opened {
    channel: Uuid,
    is_new: bool,
}

pub fn main() {
    serve(&ROUTE, open_direct_message);
}

async fn open_direct_message(
    context: Context,
    caller: Staff,
    _: IdempotencyKey,
    Json(DirectPeople { user_ids }): Json<DirectPeople>,
) -> Result<Made<OwnChannel>, Error> {
    let transaction = context.begin(&caller).await?;
    colleagues(&transaction, "user_ids", &user_ids).await?;
    let Opened { channel, is_new } = transaction.one(OPEN, &[&context.new_id(), &user_ids]).await?;
    let (_, own): (_, OwnChannel) =
        try_join(transaction.execute(SHOW, &[&channel]), transaction.one(CHANNEL, &[&channel])).await?;
    if is_new {
        own.channel.tell_joined(&transaction, &own.channel.person_ids());
    }
    transaction.audit(channel, &Value::Null, &own.channel);
    transaction.commit(if is_new { Made::Now(own) } else { Made::Before(own) }).await
}
