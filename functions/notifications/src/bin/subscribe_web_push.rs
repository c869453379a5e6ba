//! POST /notifications/web-push — lets this browser be told while no page is open, with what `PushSubscription.toJSON()` gives.
//!
//! The same browser again is kept anew. It ends with the session. A browser is one person's: whoever subscribed with it before is told nothing there
//! any more. Of more than twenty of a person the one that was kept longest ago goes.

use notifications::subscription::{BrowserSubscription, WEB_PUSH_OFF, WebPushSubscription, key_pair};
use shared::prelude::*;

const ROUTE: Route = Route::post("/notifications/web-push").fails(&[WEB_PUSH_OFF]);

reads!(REACHABLE_INSIDE);

const SUBSCRIBE: &str = "select id, device, created_at, refreshed_at from app.subscribe_web_push($1, $2, $3, $4, $5, $6, $7)";

pub fn main() {
    serve(&ROUTE, subscribe_web_push);
}

async fn subscribe_web_push(
    context: Context,
    caller: Member,
    Json(browser): Json<BrowserSubscription>,
) -> Result<Json<WebPushSubscription>, Error> {
    let our_key = key_pair(&context)?.public_key();
    let (p256dh, auth) = browser.read()?;
    let ends = browser.expires_at();
    let transaction = context.begin(&caller).await?;
    let kept: WebPushSubscription = transaction
        .one(SUBSCRIBE, &[&context.new_id(), &browser.endpoint, &p256dh, &auth, &our_key, &browser.device, &ends])
        .await?;
    transaction.audit(kept.id, &Value::Null, &kept);
    transaction.commit(Json(kept)).await
}
