//! POST /notifications/read-all — the caller has read all, or those that had happened by a time or are of some types.

use futures_util::future::try_join3;
use notifications::{HOLD_UNREAD, UnreadNotifications, tell_read, unread};
use shared::prelude::*;

const ROUTE: Route = Route::post("/notifications/read-all");

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadNotifications {
    /// What has happened since stays unread: `at` of the latest that was on the screen.
    #[garde(skip)]
    until: Option<Timestamp>,
    /// Only these types.
    #[garde(length(min = 1, max = 60))]
    types: Option<Vec<String>>,
}

/// In the order in which they are written, so that nobody waits for each other.
const READ: &str = "
    with held as materialized (
        select id
          from notifications
         where user_id = app.user_id() and read_at is null and ($1::timestamptz is null or at <= $1)
           and ($2::text[] is null or type = any ($2))
         order by group_key
           for update
    ), marked as (
        update notifications set read_at = now() from held where notifications.id = held.id returning notifications.id, on_screen
    )
    select array(select id from marked where on_screen) as ids";

#[derive(FromRow)]
struct Marked {
    ids: Vec<Uuid>,
}

pub fn main() {
    serve(&ROUTE, mark_all_notifications_read);
}

async fn mark_all_notifications_read(
    context: Context,
    caller: Member,
    Json(input): Json<ReadNotifications>,
) -> Result<Json<UnreadNotifications>, Error> {
    let ReadNotifications { until, types } = input;
    let transaction = context.begin(&caller).await?;
    let (_, marked, unread) =
        try_join3(transaction.query(HOLD_UNREAD, &[]), transaction.one::<Marked>(READ, &[&until, &types]), unread(&transaction))
            .await?;
    tell_read(&transaction, &caller, marked.ids, unread);
    transaction.commit_unaudited().await?;
    Ok(Json(unread))
}
