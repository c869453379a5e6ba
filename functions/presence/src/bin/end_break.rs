//! POST /productivity/breaks/end — the caller is back from their break: online, on all their connections.

use futures_util::future::try_join;
use presence::interval::{CURRENT, Interval, NOT_ON_BREAK};
use realtime::presence::{LOCK_OWN_LEASES, PresenceStatus, choose};
use shared::prelude::*;

const ROUTE: Route = Route::post("/productivity/breaks/end").fails(&[NOT_ON_BREAK]);

pub fn main() {
    serve(&ROUTE, end_break);
}

/// Answers what they show now.
async fn end_break(context: Context, caller: Staff) -> Result<Json<Interval>, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, current) = try_join(transaction.query(LOCK_OWN_LEASES, &[]), transaction.first::<Interval>(CURRENT, &[])).await?;
    if current.is_none_or(|current| current.reason.is_none()) {
        return Err(NOT_ON_BREAK.into());
    }
    choose(&transaction, &caller, None, PresenceStatus::Online).await?;
    let begun: Interval = transaction.one(CURRENT, &[]).await?;
    transaction.commit(Json(begun)).await
}
