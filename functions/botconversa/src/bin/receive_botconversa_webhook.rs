//! POST /webhooks/botconversa/{token} — what a flow of BotConversa tells of somebody, answered once it is kept with what the flow may say next.

use botconversa::{ACCOUNT, AccountRow};
use shared::{error::SIGNATURE_INVALID, prelude::*};
use whatsapp::{
    botconversa::{Envelope, REPEATED_WITHIN, read},
    item::{Item, Notification},
    kept,
    provider::Provider,
    routing,
};

const ROUTE: Route = Route::post("/webhooks/botconversa/{token}");

/// By the fingerprint of its secret.
const CHANNEL: &str = "select id, company_id from app.find_channel('botconversa', $1)";

#[derive(FromRow)]
struct Channel {
    id: Uuid,
    company_id: Uuid,
}

/// What was told in the minute before and is told again.
const TOLD_BEFORE: &str = "select from messages where channel_account_id = $1 and provider_id = $2 and sent_at > $3";

/// What a flow is answered: flat, so that it takes each field by its name.
#[derive(Serialize, JsonSchema)]
struct FlowAnswer {
    /// Whether it was understood.
    ok: bool,
    /// What the company wants to be said, or why it was not understood.
    reply: String,
}

pub fn main() {
    serve(&ROUTE, receive_botconversa_webhook);
}

async fn receive_botconversa_webhook(
    context: Context,
    secret: SignedByHeader,
    RawBody(body): RawBody,
) -> Result<Json<FlowAnswer>, Error> {
    let transaction = context.begin_nobody().await?;
    let channel: Option<Channel> = transaction.first(CHANNEL, &[&secret.hash]).await?;
    drop(transaction);
    let Channel { id, company_id } = channel.ok_or(SIGNATURE_INVALID)?;
    let transaction = context.begin_system(company_id).await?;
    let account: Option<AccountRow> = transaction.first(ACCOUNT, &[&id]).await?;
    let settings = account.and_then(|account| account.settings()).ok_or(SIGNATURE_INVALID)?;
    let mut envelope = match Envelope::new(id, settings.mapping, &body) {
        Ok(envelope) => envelope,
        // Sent again, it would be no other.
        Err(reason) => {
            drop(transaction);
            routing::keep_unread(&context, Provider::BotConversa, &body, &reason).await?;
            return Ok(Json(FlowAnswer { ok: false, reply: "O corpo não é um objeto JSON.".to_owned() }));
        }
    };
    let before = context.now() - REPEATED_WITHIN;
    let earlier = envelope.message_id(before);
    if !transaction.query(TOLD_BEFORE, &[&id, &earlier, &before]).await?.is_empty() {
        envelope.repeats = Some(earlier);
    }
    transaction.commit_quietly().await?;
    let mut is_understood = true;
    for mut notification in read(&envelope.bytes(), context.now()).unwrap_or_default() {
        is_understood &= is_whole(&notification);
        notification.address.external_key = Some(secret.hash.clone());
        is_understood &= kept::receive(&context, envelope.bytes(), &notification).await?.is_none_or(|counts| counts.failed == 0);
    }
    let reply = if is_understood { settings.reply } else { "O corpo não tem telefone nem inscrito.".to_owned() };
    Ok(Json(FlowAnswer { ok: is_understood, reply }))
}

fn is_whole(notification: &Notification) -> bool {
    !notification.items.iter().any(|item| matches!(item, Item::Broken { .. }))
}
