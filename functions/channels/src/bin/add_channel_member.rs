//! POST /channels/{id}/members — more people in a channel, by somebody who is in it. What was said before counts as read by them.

use channels::{ARCHIVED, IS_DIRECT, NOT_MANAGER, NOT_MEMBER, OwnChannel, colleagues, let_in};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/channels/{id}/members").fails(&[NOT_FOUND, NOT_MEMBER, NOT_MANAGER, ARCHIVED, IS_DIRECT]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewChannelMembers {
    /// Active staff of this company. Who is in it already stays.
    #[garde(length(min = 1, max = 50))]
    user_ids: Vec<Uuid>,
}

pub fn main() {
    serve(&ROUTE, add_channel_member);
}

async fn add_channel_member(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    _: IdempotencyKey,
    Json(NewChannelMembers { user_ids }): Json<NewChannelMembers>,
) -> Result<Created<OwnChannel>, Error> {
    let transaction = context.begin(&caller).await?;
    colleagues(&transaction, "user_ids", &user_ids).await?;
    let own = let_in(&transaction, &caller, id, &user_ids).await?;
    transaction.commit(Created(own)).await
}
