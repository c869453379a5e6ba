//! POST /notifications/{id}/read — the caller has read one; again it changes nothing.

use futures_util::future::try_join3;
use notifications::{HOLD_UNREAD, UnreadNotifications, tell_read, unread};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/notifications/{id}/read").fails(&[NOT_FOUND]);

const READ: &str = "
    with own as (
        select id from notifications where id = $1 and user_id = app.user_id()
    ), marked as (
        update notifications set read_at = now() where id = (select id from own) and read_at is null returning id
    )
    select array(select id from marked) as ids from own";

#[derive(FromRow)]
struct Marked {
    ids: Vec<Uuid>,
}

pub fn main() {
    serve(&ROUTE, mark_notification_read);
}

async fn mark_notification_read(
    context: Context,
    caller: Member,
    Path(id): Path<Uuid>,
) -> Result<Json<UnreadNotifications>, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, marked, unread) =
        try_join3(transaction.query(HOLD_UNREAD, &[]), transaction.one::<Marked>(READ, &[&id]), unread(&transaction)).await?;
    tell_read(&transaction, &caller, marked.ids, unread);
    transaction.commit_unaudited().await?;
    Ok(Json(unread))
}
