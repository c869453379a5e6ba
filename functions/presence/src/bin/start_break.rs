//! POST /productivity/breaks — the caller goes on a break, on all their connections.

use futures_util::future::try_join3;
use presence::interval::{CURRENT, Interval, NOT_CONNECTED, ON_BREAK};
use realtime::presence::{LOCK_OWN_LEASES, PresenceStatus, choose};
use shared::{
    error::{FieldProblem, refuse},
    prelude::*,
};

const ROUTE: Route = Route::post("/productivity/breaks").fails(&[ON_BREAK, NOT_CONNECTED]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewBreak {
    /// One of the company's.
    #[garde(length(chars, min = 1, max = 40))]
    reason: String,
}

/// What the interval that begins is for, where the company has such a reason: the leases do not say it, since colleagues see these.
const SAY_REASON: &str = "
    select set_config('app.break_reason', $1, true)
      from companies
     where id = app.company_id() and breaks @> jsonb_build_array(jsonb_build_object('reason', $1::text))";

pub fn main() {
    serve(&ROUTE, start_break);
}

async fn start_break(
    context: Context,
    caller: Staff,
    _: IdempotencyKey,
    Json(NewBreak { reason }): Json<NewBreak>,
) -> Result<Created<Interval>, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, said, current) = try_join3(
        transaction.query(LOCK_OWN_LEASES, &[]),
        transaction.query(SAY_REASON, &[&reason]),
        transaction.first::<Interval>(CURRENT, &[]),
    )
    .await?;
    refuse(said.is_empty().then(|| {
        FieldProblem::new("reason", "unknown_reason", "A empresa não tem este motivo.", "The company has no such reason.")
    }))?;
    let current = current.ok_or(NOT_CONNECTED)?;
    if current.reason.is_some() {
        return Err(ON_BREAK.with_current(&current));
    }
    let chosen = choose(&transaction, &caller, None, PresenceStatus::Break).await?;
    if !chosen.is_connected {
        return Err(NOT_CONNECTED.into());
    }
    let begun: Interval = transaction.one(CURRENT, &[]).await?;
    transaction.commit(Created(begun)).await
}
