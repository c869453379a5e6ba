//! POST /webhooks/whatsapp — messages, statuses, echoes and changes from Meta, answered once they are committed.

use shared::{
    error::{MALFORMED, UNAVAILABLE},
    parameters,
    prelude::*,
};
use whatsapp::{
    inbound::{Channel, Done, apply},
    payload::{self, Item, Notification},
    statements::{ENTER_CHANNEL, KEEP_UNROUTED, KEEP_WEBHOOK},
};

const ROUTE: Route = Route::post("/webhooks/whatsapp").body_limit(4_000_000).fails(&[MALFORMED]);

#[derive(Serialize, JsonSchema)]
struct Received {
    /// Items that were stored, now or before.
    stored: usize,
    /// Items that could not be stored; their error is kept with the raw webhook.
    failed: usize,
}

fn main() {
    serve(&ROUTE, receive_whatsapp_webhook);
}

async fn receive_whatsapp_webhook(context: Context, _: SignedByMeta, RawBody(body): RawBody) -> Result<Json<Received>, Error> {
    let notifications = payload::read(&body, context.now()).ok_or(MALFORMED)?;
    let mut received = Received { stored: 0, failed: 0 };
    for notification in notifications {
        receive(&context, &body, notification, &mut received).await?;
    }
    Ok(Json(received))
}

/// One number's items, in one transaction, each under a savepoint.
async fn receive(context: &Context, body: &[u8], notification: Notification, received: &mut Received) -> Result<(), Error> {
    let key = &notification.phone_number_id;
    let transaction = context.begin_nobody().await?;
    let Some(row) = transaction.enter_with(ENTER_CHANNEL, &[key]).await? else {
        transaction.query(KEEP_UNROUTED, &[&context.new_id(), key, &body]).await?;
        shared::log::warn("webhook for a number nobody has configured", key);
        return transaction.commit_quietly().await;
    };
    let channel = Channel::try_from_row(&row).map_err(|error| shared::error::INTERNAL.caused_by(error))?;
    let mut outcomes = Vec::new();
    let mut failed = 0;
    for item in &notification.items {
        transaction.savepoint();
        let mark = transaction.mark();
        match apply(context, &transaction, &channel, item).await {
            Ok(done) => {
                received.stored += 1;
                outcomes.push(json!({"id": id(item), "outcome": outcome(&done)}));
            }
            // Not the item's fault: Meta sends the webhook again.
            Err(error) if error.problem() == UNAVAILABLE => return Err(error),
            Err(error) => {
                transaction.rollback_to_savepoint(mark);
                failed += 1;
                let reason = error.cause().unwrap_or(error.problem().code);
                outcomes.push(json!({"id": id(item), "outcome": "failed", "error": reason}));
            }
        }
    }
    received.failed += usize::try_from(failed).unwrap_or_default();
    transaction.defer(KEEP_WEBHOOK, parameters![context.new_id(), channel.id, body.to_vec(), json!(outcomes), failed]);
    transaction.commit_quietly().await
}

fn id(item: &Item) -> Option<&str> {
    match item {
        Item::Message(message) | Item::Echo(message) | Item::Notice(message) => Some(&message.id),
        Item::Status(status) => Some(&status.id),
        Item::Change(change) => Some(&change.id),
        Item::Broken { id, .. } => id.as_deref(),
        Item::NewUserId { .. } | Item::Ignored(_) => None,
    }
}

fn outcome(done: &Done) -> String {
    match done {
        Done::Stored => "stored".into(),
        Done::Held => "held".into(),
        Done::Duplicate => "duplicate".into(),
        Done::Ignored(reason) => format!("ignored: {reason}"),
    }
}
