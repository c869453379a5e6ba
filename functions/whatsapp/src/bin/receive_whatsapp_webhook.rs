//! POST /webhooks/whatsapp — messages, statuses, echoes and changes from Meta, answered once they are kept.

use shared::prelude::*;
use whatsapp::{
    cloud,
    kept::{self, Received},
    provider::Provider,
    routing,
};

const ROUTE: Route = Route::post("/webhooks/whatsapp").body_limit(4_000_000);

pub fn main() {
    serve(&ROUTE, receive_whatsapp_webhook);
}

async fn receive_whatsapp_webhook(context: Context, _: SignedByMeta, RawBody(body): RawBody) -> Result<Json<Received>, Error> {
    let mut received = Received::default();
    let notifications = match cloud::read(&body, context.now()) {
        Ok(notifications) if notifications.is_empty() => {
            routing::keep_unread(&context, Provider::Cloud, &body, "it tells nothing").await?;
            return Ok(Json(received));
        }
        Ok(notifications) => notifications,
        // Sent again, it would be no other.
        Err(reason) => {
            routing::keep_unread(&context, Provider::Cloud, &body, &reason).await?;
            received.failed = 1;
            return Ok(Json(received));
        }
    };
    let is_of_one = notifications.len() == 1;
    for notification in notifications {
        // What is kept of a webhook for several numbers is each number's own: they may be of different companies.
        let raw = if is_of_one { body.to_vec() } else { cloud::part_of(&body, &notification) };
        received.add(kept::receive(&context, raw, &notification).await?.unwrap_or_default());
    }
    Ok(Json(received))
}
