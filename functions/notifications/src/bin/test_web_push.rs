//! POST /notifications/web-push/test — tells this session's browser something now, and says what its push service made of it.

use std::time::Duration;

use notifications::{
    subscription::{WEB_PUSH_OFF, key_pair},
    web_push::{Notice, Outcome, Push, SUBSCRIPTIONS, Subscription, Urgency, deliver},
};
use shared::{closed_set, error::NOT_FOUND, prelude::*};

const ROUTE: Route =
    Route::post("/notifications/web-push/test").limit(20, Duration::from_mins(1)).fails(&[NOT_FOUND, WEB_PUSH_OFF]);

reads!(REACHABLE_INSIDE);

closed_set! {
    /// What came of a push.
    WebPushOutcome {
        /// The push service has it.
        Delivered = "delivered",
        /// The browser has unsubscribed, and is forgotten here too.
        Gone = "gone",
        /// The push service does not take it now.
        Busy = "busy",
        /// The push service does not take it from us.
        Refused = "refused",
        TooLarge = "too_large",
    }
}

/// What a push service made of a push to this session's browser.
#[derive(Serialize, JsonSchema)]
struct WebPushTest {
    outcome: WebPushOutcome,
    /// Why it was refused: a status of HTTP, or a code of ours.
    reason: Option<String>,
    /// After how many seconds it may be tried again.
    retry_after: Option<u64>,
}

pub fn main() {
    serve(&ROUTE, test_web_push);
}

async fn test_web_push(context: Context, caller: Member) -> Result<Json<WebPushTest>, Error> {
    key_pair(&context)?;
    // Whether the session still stands; where a browser is told, only the system reads.
    context.begin(&caller).await?.commit_unaudited().await?;
    let transaction = context.begin_system(caller.company_id).await?;
    let subscriptions: Vec<Subscription> = transaction.all(SUBSCRIPTIONS, &[&caller.user_id]).await?;
    transaction.commit_quietly().await?;
    let own = subscriptions.into_iter().find(|subscription| subscription.session_id == caller.session_id).ok_or(NOT_FOUND)?;
    let title = match context.origin().language {
        shared::error::Language::Portuguese => "As notificações funcionam",
        shared::error::Language::English => "Notifications work",
    };
    let notice = Notice { id: context.new_id(), r#type: "test", title, body: None, url: "/", badge: 0, sound: true };
    let payload = serde_json::to_vec(&notice).expect("a notice serialises");
    let push = Push { payload: &payload, ttl: Duration::from_mins(5), urgency: Urgency::High, topic: Some("test") };
    let test = match deliver(&context, &own, push).await {
        Outcome::Delivered => WebPushTest { outcome: WebPushOutcome::Delivered, reason: None, retry_after: None },
        Outcome::Gone => WebPushTest { outcome: WebPushOutcome::Gone, reason: None, retry_after: None },
        Outcome::RetryAfter(after) => {
            WebPushTest { outcome: WebPushOutcome::Busy, reason: None, retry_after: Some(after.as_secs()) }
        }
        Outcome::Refused(reason) => WebPushTest { outcome: WebPushOutcome::Refused, reason: Some(reason), retry_after: None },
        Outcome::TooLarge => WebPushTest { outcome: WebPushOutcome::TooLarge, reason: None, retry_after: None },
    };
    let transaction = context.begin(&caller).await?;
    transaction.audit(own.id, &Value::Null, &json!({"outcome": test.outcome, "reason": test.reason}));
    transaction.commit(Json(test)).await
}
