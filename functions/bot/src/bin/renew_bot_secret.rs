//! POST /bot/secret — gives the company another secret that the calls of its flows are signed with; the one before counts for another day.

use bot::calls::{self, SECRET};
use shared::prelude::*;

const ROUTE: Route = Route::post("/bot/secret");

/// What whoever is called checks `X-Balcao-Signature` with.
#[derive(Serialize, JsonSchema)]
struct BotSecret {
    /// Never shown again.
    secret: String,
}

pub fn main() {
    serve(&ROUTE, renew_bot_secret);
}

async fn renew_bot_secret(context: Context, caller: SteppedUp<Admin>) -> Result<Json<BotSecret>, Error> {
    let transaction = context.begin(&caller).await?;
    let secret = calls::renew(&context, &transaction, caller.company_id).await?;
    transaction.audit(format!("secret:{}", SECRET.0), &Value::Null, &json!({"renewed_at": context.now()}));
    transaction.commit(Json(BotSecret { secret })).await
}
