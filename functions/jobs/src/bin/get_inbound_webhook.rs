//! GET /inbound-webhooks/{id} — one webhook with what is in it, and what became of each thing that it tells.

use futures_util::future::join;
use jobs::{
    inbound_webhook_columns, kept_webhook_columns, unrouted_webhook_columns, webhook_channel,
    webhooks::{InboundWebhook, ItemOutcome},
};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/inbound-webhooks/{id}").fails(&[NOT_FOUND]);

/// Bytes of a body that are shown: an answer has room for not much more than the largest, and signs may be written twice as long.
const SHOWN: usize = 1_000_000;

const WEBHOOK: &str = concat!(
    "select ",
    inbound_webhook_columns!(),
    ", coalesce(webhooks.outcome, '[]') as outcomes, webhooks.body
      from (select ",
    kept_webhook_columns!(),
    ", webhooks.body from inbound_webhooks webhooks where webhooks.id = $1) webhooks",
    webhook_channel!()
);

const UNROUTED: &str = concat!(
    "select ",
    unrouted_webhook_columns!(),
    ", '[]'::jsonb as outcomes, webhooks.body
      from (select *, octet_length(body) as size from app.unrouted_webhook($1)) webhooks",
    webhook_channel!()
);

#[derive(FromRow)]
struct Found {
    #[from_row(flatten)]
    webhook: InboundWebhook,
    outcomes: Value,
    body: Vec<u8>,
}

/// A webhook with what is in it.
#[derive(Debug, Serialize, JsonSchema)]
struct OpenedWebhook {
    #[serde(flatten)]
    webhook: InboundWebhook,
    /// One for each thing it tells, in order; none until it is applied.
    outcomes: Vec<ItemOutcome>,
    /// As it came, as far as it is shown.
    body: String,
    /// Whether the end of a long body is missing.
    is_cut: bool,
}

pub fn main() {
    serve(&ROUTE, get_inbound_webhook);
}

async fn get_inbound_webhook(context: Context, caller: Admin, Path(id): Path<Uuid>) -> Result<Json<OpenedWebhook>, Error> {
    let transaction = context.begin(&caller).await?;
    let (kept, unrouted) = join(transaction.first(WEBHOOK, &[&id]), transaction.first(UNROUTED, &[&id])).await;
    let Found { webhook, outcomes, body } = kept?.or(unrouted?).ok_or(NOT_FOUND)?;
    transaction.note_access(id);
    let shown = String::from_utf8_lossy(&body[..body.len().min(SHOWN)]).into_owned();
    let outcomes = serde_json::from_value(outcomes).unwrap_or_default();
    transaction.commit(Json(OpenedWebhook { webhook, outcomes, body: shown, is_cut: body.len() > SHOWN })).await
}
