//! GET /integrations/botconversa/{id}/webhook — where the flows of an account send what they tell, with the secret that proves it.

use futures_util::future::join;
use integrations::saving::instance_credentials;
use shared::{environment::variable, error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/integrations/botconversa/{id}/webhook").fails(&[NOT_FOUND]);

reads!(PUBLIC_API_URL);

/// What the integration block of a flow is given.
#[derive(Serialize, JsonSchema)]
struct FlowWebhook {
    method: &'static str,
    url: String,
    /// The header's name.
    header: &'static str,
    /// The header's value. Whoever has it and the address tells us what they like.
    secret: String,
}

const IS_THERE: &str = "select from channel_accounts where id = $1 and kind = 'botconversa' and removed_at is null";

pub fn main() {
    serve(&ROUTE, get_botconversa_webhook);
}

async fn get_botconversa_webhook(
    context: Context,
    caller: SteppedUp<Admin>,
    Path(id): Path<Uuid>,
) -> Result<Json<FlowWebhook>, Error> {
    let transaction = context.begin(&caller).await?;
    let (found, credentials) = join(transaction.query(IS_THERE, &[&id]), instance_credentials(&context, &transaction, id)).await;
    if found?.is_empty() {
        return Err(NOT_FOUND.into());
    }
    let credentials = credentials?;
    transaction.note_access(id);
    let webhook = FlowWebhook {
        method: "POST",
        url: format!("{}/webhooks/botconversa/{}", variable("PUBLIC_API_URL").trim_end_matches('/'), credentials.webhook_token),
        header: "X-Webhook-Secret",
        secret: credentials.webhook_secret,
    };
    transaction.commit(Json(webhook)).await
}
