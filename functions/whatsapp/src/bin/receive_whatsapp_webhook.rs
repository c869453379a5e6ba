//! POST /webhooks/whatsapp — messages, statuses, echoes and changes from Meta, answered once they are committed.

use shared::{error::UNAVAILABLE, parameters, prelude::*};
use whatsapp::{
    channel::{Channel, Done},
    inbound::apply,
    named::Named,
    payload::{self, Address, Item, Notification},
    routing,
    statements::KEEP_WEBHOOK,
};

const ROUTE: Route = Route::post("/webhooks/whatsapp").body_limit(4_000_000);

/// Items in one transaction: as long as it lasts, it holds the locks of all that they name.
const ITEMS_AT_ONCE: usize = 100;

#[derive(Serialize, JsonSchema)]
struct Received {
    /// Items that were stored, now or before.
    stored: usize,
    /// Items that could not be stored; their error is kept with the raw webhook.
    failed: usize,
}

pub fn main() {
    serve(&ROUTE, receive_whatsapp_webhook);
}

async fn receive_whatsapp_webhook(context: Context, _: SignedByMeta, RawBody(body): RawBody) -> Result<Json<Received>, Error> {
    let mut received = Received { stored: 0, failed: 0 };
    let notifications = match payload::read(&body, context.now()) {
        Ok(notifications) if notifications.is_empty() => {
            keep_unread(&context, &body, "it tells nothing").await?;
            return Ok(Json(received));
        }
        Ok(notifications) => notifications,
        // Sent again, it would be no other.
        Err(reason) => {
            keep_unread(&context, &body, &reason).await?;
            received.failed = 1;
            return Ok(Json(received));
        }
    };
    let is_of_one = notifications.len() == 1;
    for notification in notifications {
        // What is kept of a webhook for several numbers is each number's own: they may be of different companies.
        let raw = if is_of_one { body.to_vec() } else { payload::part_of(&body, &notification.address) };
        receive(&context, raw, &notification, &mut received).await?;
    }
    Ok(Json(received))
}

async fn keep_unread(context: &Context, raw: &[u8], reason: &str) -> Result<(), Error> {
    let transaction = context.begin_nobody().await?;
    routing::keep_unrouted(context, &transaction, &Address::default(), raw, Some(reason)).await?;
    transaction.commit_quietly().await
}

/// One number's items, a hundred in one transaction: a webhook of thousands that is interrupted has less to do when it comes again.
async fn receive(context: &Context, raw: Vec<u8>, notification: &Notification, received: &mut Received) -> Result<(), Error> {
    let address = &notification.address;
    let mut outcomes = Vec::new();
    let mut failed = 0;
    let mut rest = notification.items.as_slice();
    loop {
        let (items, later) = rest.split_at(rest.len().min(ITEMS_AT_ONCE));
        let transaction = context.begin_nobody().await?;
        let Some(channel) = routing::enter(&transaction, address, &Named::in_items(items)).await? else {
            routing::keep_unrouted(context, &transaction, address, &raw, None).await?;
            return transaction.commit_quietly().await;
        };
        for item in items {
            match store(context, &transaction, &channel, item).await? {
                Ok(done) => {
                    received.stored += 1;
                    outcomes.push(json!({"id": id(item), "outcome": outcome(&done)}));
                }
                Err(reason) => {
                    received.failed += 1;
                    failed += 1;
                    outcomes.push(json!({"id": id(item), "outcome": "failed", "error": reason}));
                }
            }
        }
        if later.is_empty() {
            let (account, shown) = routing::proved(address);
            transaction
                .defer(KEEP_WEBHOOK, parameters![context.new_id(), channel.id, raw, json!(outcomes), failed, account, shown]);
            return transaction.commit_quietly().await;
        }
        transaction.commit_quietly().await?;
        rest = later;
    }
}

/// One item, under a savepoint: the inner error is why it cannot be stored, the outer one is not its fault, and Meta sends the webhook again.
async fn store(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    item: &Item,
) -> Result<Result<Done, String>, Error> {
    transaction.savepoint();
    let mark = transaction.mark();
    match apply(context, transaction, channel, item).await {
        Ok(done) => Ok(Ok(done)),
        Err(error) if error.problem() == UNAVAILABLE => Err(error),
        Err(error) => {
            transaction.rollback_to_savepoint(mark);
            Ok(Err(error.cause().unwrap_or(error.problem().code).to_owned()))
        }
    }
}

fn id(item: &Item) -> Option<&str> {
    match item {
        Item::Message(message) | Item::Echo(message) | Item::Notice(message) => Some(&message.id),
        Item::Status(status) => Some(&status.id),
        Item::Change(change) => Some(&change.id),
        Item::Broken { id, .. } | Item::Group { id } => id.as_deref(),
        Item::NewUserId { .. } | Item::Preference(_) | Item::Contact(_) | Item::Account(_) | Item::Ignored(_) => None,
    }
}

fn outcome(done: &Done) -> String {
    match done {
        Done::Stored => "stored".into(),
        Done::Held => "held".into(),
        Done::Duplicate => "duplicate".into(),
        Done::Told(code) => format!("told: {code}"),
        Done::Group => "ignored_group".into(),
        Done::Ignored(reason) => format!("ignored: {reason}"),
    }
}
