//! DELETE /notifications/web-push — tells a browser of the caller's nothing any more.
//!
//! Without `endpoint` all that this session has subscribed. One that is not there, or is somebody else's, is no error.

use shared::{crypto::sha256, prelude::*};

const ROUTE: Route = Route::delete("/notifications/web-push");

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Unsubscribed {
    /// The browser's address, as it subscribed with it.
    #[garde(length(chars, min = 1, max = 2000))]
    endpoint: Option<String>,
}

const UNSUBSCRIBE: &str = "
    delete from web_push_subscriptions
     where user_id = app.user_id()
       and (endpoint_hash = $1 or $1 is null and session_id = app.session_id())";

pub fn main() {
    serve(&ROUTE, unsubscribe_web_push);
}

async fn unsubscribe_web_push(
    context: Context,
    caller: Member,
    Json(Unsubscribed { endpoint }): Json<Unsubscribed>,
) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let hash = endpoint.map(|endpoint| sha256(endpoint.as_bytes()));
    let removed = transaction.execute(UNSUBSCRIBE, &[&hash]).await?;
    transaction.audit(caller.session_id, &json!({"web_push": removed}), &Value::Null);
    transaction.commit(NoContent).await
}
