//! DELETE /bot/flows/{key} — a flow that no channel begins with, or only what is drawn of it. Conversations that are in it go on.

use bot::stored::{Change, FLOW_IN_USE, FlowKey, LOCK, find};
use futures_util::future::{try_join, try_join3};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/bot/flows/{key}").fails(&[FLOW_IN_USE, NOT_FOUND]);

reads!(REACHABLE_INSIDE);

#[derive(Deserialize, Validate, JsonSchema)]
struct Wish {
    /// Only the draft; what is published stays.
    #[garde(skip)]
    draft_only: Option<bool>,
}

const DROP_DRAFT: &str = "delete from bot_flows where key = $1 and number = 0";

const REMOVE: &str =
    "update bot_flows set removed_at = now(), version = version + 1 where key = $1 and number > 0 and removed_at is null and $2";

pub fn main() {
    serve(&ROUTE, delete_bot_flow);
}

async fn delete_bot_flow(
    context: Context,
    caller: Supervisor,
    Path(FlowKey(key)): Path<FlowKey>,
    Query(wish): Query<Wish>,
) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, current) = try_join(transaction.query(LOCK, &[&key]), find(&context, &transaction, &key)).await?;
    let current = current.ok_or(NOT_FOUND)?;
    let is_draft_only = wish.draft_only.unwrap_or_default();
    if is_draft_only && !current.row.has_draft {
        return Err(NOT_FOUND.into());
    }
    if !is_draft_only && !current.row.channels.is_empty() {
        return Err(FLOW_IN_USE.with_current(&current));
    }
    let (_, _, left) = try_join3(
        transaction.execute(DROP_DRAFT, &[&key]),
        transaction.execute(REMOVE, &[&key, &!is_draft_only]),
        find(&context, &transaction, &key),
    )
    .await?;
    left.as_ref().unwrap_or(&current).tell(&transaction, Change::Removed);
    transaction.audit(&key, &current, &left);
    transaction.commit(NoContent).await
}
