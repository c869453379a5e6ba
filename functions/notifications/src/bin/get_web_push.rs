//! GET /notifications/web-push — the key that a browser subscribes with, and whether this session's browser is told.

use notifications::subscription::{WEB_PUSH_OFF, key_pair};
use shared::prelude::*;

const ROUTE: Route = Route::get("/notifications/web-push").fails(&[WEB_PUSH_OFF]);

/// How web push stands for the session that asks.
#[derive(Serialize, JsonSchema)]
struct WebPushState {
    /// The `applicationServerKey` of `pushManager.subscribe`, in URL-safe base64.
    public_key: String,
    /// Whether this session has subscribed with this key.
    subscribed: bool,
}

const IS_SUBSCRIBED: &str = "
    select exists (select from web_push_subscriptions
                    where user_id = app.user_id() and session_id = app.session_id() and server_key = $1) as is_subscribed";

pub fn main() {
    serve(&ROUTE, get_web_push);
}

async fn get_web_push(context: Context, caller: Member) -> Result<Json<WebPushState>, Error> {
    let public_key = key_pair(&context)?.public_key();
    let transaction = context.begin(&caller).await?;
    let rows = transaction.query(IS_SUBSCRIBED, &[&public_key]).await?;
    let subscribed = rows.first().is_some_and(|row| row.get("is_subscribed"));
    transaction.commit(Json(WebPushState { public_key, subscribed })).await
}
