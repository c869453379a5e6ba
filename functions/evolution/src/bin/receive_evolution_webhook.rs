//! POST /webhooks/evolution/{token} — messages, statuses and changes from an Evolution API server, answered once they are kept, and how its
//! instance stands.

use evolution::{Known, Seen, Telling, Visit, record, told};
use shared::{error::SIGNATURE_INVALID, evolution::InstanceState, prelude::*};
use whatsapp::{
    evolution as adapter,
    kept::{self, Received},
    provider::Provider,
    routing,
};

/// Without the token in the path, the secret alone says whose it is.
const ROUTE: Route = Route::post("/webhooks/evolution/{token}")
    .or(&["/whatsapp/webhooks/evolution/{token}", "/whatsapp/webhooks/evolution"])
    .body_limit(6_000_000);

/// By the fingerprint of its secret.
const CHANNEL: &str = "select id, company_id from app.find_channel('evolution', $1)";

#[derive(FromRow)]
struct Channel {
    id: Uuid,
    company_id: Uuid,
}

reads!(PUBLIC_API_URL, REACHABLE_INSIDE);

pub fn main() {
    serve(&ROUTE, receive_evolution_webhook);
}

async fn receive_evolution_webhook(
    context: Context,
    secret: SignedBySecret,
    RawBody(body): RawBody,
) -> Result<Json<Received>, Error> {
    let mut received = Received::default();
    if let Some(told) = told::seen(&body, context.now()) {
        let Channel { id, company_id } = channel(&context, &secret).await?;
        let seen = look(&context, company_id, (id, &secret.hash), told).await?;
        record(&context, company_id, id, &seen, Telling::Admins).await?;
        received.stored = 1;
        return Ok(Json(received));
    }
    let notifications = match adapter::read(&body, context.now()) {
        // What is kept proves whose it is; of what is not, the secret is looked up.
        Ok(notifications) if notifications.is_empty() => {
            channel(&context, &secret).await?;
            return Ok(Json(received));
        }
        Ok(notifications) => notifications,
        // Sent again, it would be no other.
        Err(reason) => {
            channel(&context, &secret).await?;
            routing::keep_unread(&context, Provider::Evolution, &adapter::keepable(&body), &reason).await?;
            received.failed = 1;
            return Ok(Json(received));
        }
    };
    for mut notification in notifications {
        notification.address.external_key = Some(secret.hash.clone());
        let counts = kept::receive(&context, adapter::keepable(&body), &notification).await?;
        received.add(counts.ok_or(SIGNATURE_INVALID)?);
    }
    Ok(Json(received))
}

/// Whose the secret is.
async fn channel(context: &Context, secret: &SignedBySecret) -> Result<Channel, Error> {
    let transaction = context.begin_nobody().await?;
    let channel: Option<Channel> = transaction.first(CHANNEL, &[&secret.hash]).await?;
    drop(transaction);
    channel.ok_or_else(|| SIGNATURE_INVALID.into())
}

/// What is told comes late and in any order: how it stands now, the server is asked. What it does not answer is believed.
async fn look(context: &Context, company_id: Uuid, (id, hash): (Uuid, &str), mut told: Seen) -> Result<Seen, Error> {
    let transaction = context.begin_system(company_id).await?;
    let known = Known::read(context, &transaction, company_id, Some(&[id]), 1).await?;
    transaction.commit_quietly().await?;
    told.told_key = Some(hash.to_owned());
    let Some(known) = known.into_iter().next() else { return Ok(told) };
    let mut visit = Visit::begin(context, &known);
    // Who tells of it has it.
    (visit.seen.is_made, visit.seen.problem) = (true, None);
    if visit.look().await.is_err() {
        return Ok(told);
    }
    let mut seen = visit.seen;
    if seen.state == Some(InstanceState::Connecting) {
        seen.code = seen.code.or(told.code);
    }
    seen.profile = seen.profile.or(told.profile);
    Ok(seen)
}
