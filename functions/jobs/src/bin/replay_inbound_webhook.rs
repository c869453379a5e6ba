//! POST /inbound-webhooks/{id}/replay — has a webhook applied again: what is stored already stays as it is. One that was nobody's becomes
//! the company's whose number it names by now.

use futures_util::future::join;
use jobs::webhooks::{InboundWebhook, WEBHOOK, WebhookState};
use shared::{error::NOT_FOUND, prelude::*};
use whatsapp::{kept, provider::Provider, routing::Kept};

const ROUTE: Route = Route::post("/inbound-webhooks/{id}/replay").fails(&[NOT_FOUND]);

const UNROUTED: &str = "select source, body, received_at from app.unrouted_webhook($1)";

/// No row when somebody else has it, or it was routed meanwhile.
const ROUTE_WEBHOOK: &str =
    "select channel_account_id from app.route_webhook($1, $2) channel_account_id where channel_account_id is not null";

#[derive(FromRow)]
struct Unrouted {
    source: Provider,
    body: Vec<u8>,
    received_at: Timestamp,
}

pub fn main() {
    serve(&ROUTE, replay_inbound_webhook);
}

async fn replay_inbound_webhook(
    context: Context,
    caller: Admin,
    Path(id): Path<Uuid>,
) -> Result<Accepted<InboundWebhook>, Error> {
    let transaction = context.begin(&caller).await?;
    // In this order: one that somebody else makes the company's meanwhile is seen in one place or the other.
    let (unrouted, kept) =
        join(transaction.first::<Unrouted>(UNROUTED, &[&id]), transaction.first::<InboundWebhook>(WEBHOOK, &[&id])).await;
    let (before, webhook) = match (kept?, unrouted?) {
        (Some(webhook), _) => (webhook.state, webhook),
        (None, Some(Unrouted { source, body, received_at })) => {
            transaction.query(ROUTE_WEBHOOK, &[&id, &kept::identities(source, &body, received_at)]).await?;
            (WebhookState::Unrouted, transaction.one(WEBHOOK, &[&id]).await?)
        }
        (None, None) => return Err(NOT_FOUND.into()),
    };
    let InboundWebhook { channel_account_id, received_at, .. } = webhook;
    // One that is pending has somebody who applies it.
    if before != WebhookState::Pending {
        transaction.enqueue(kept::replay(&context, Kept { id, received_at }, channel_account_id));
    }
    let changed = json!({"state": "pending", "channel_account_id": channel_account_id});
    transaction.audit(id, &json!({"state": before, "failed_items": webhook.failed_items}), &changed);
    transaction.commit(Accepted(webhook)).await
}
