//! Rate limits: counters in DynamoDB, one item per key and window, deleted by its time to live.

use std::{sync::Arc, time::Duration};

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use tokio::sync::watch;

use crate::{
    context::Context,
    http::Limit,
    settings::{optional_variable, variable},
};

/// How long a counter is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

const MINUTE: Duration = Duration::from_mins(1);

/// Requests a minute of one signed-in user, over all routes without their own limit.
pub(crate) fn of_user() -> Limit {
    Limit { most: number("USER_REQUESTS_PER_MINUTE", 600), window: MINUTE }
}

/// Requests a minute of one address, over all public routes without their own limit.
pub(crate) fn of_address() -> Limit {
    Limit { most: number("ADDRESS_REQUESTS_PER_MINUTE", 100), window: MINUTE }
}

fn number(name: &str, default: u32) -> u32 {
    optional_variable(name).and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The answer of a check that runs beside the work.
#[derive(Clone)]
pub(crate) struct Verdict(Arc<watch::Receiver<Check>>);

#[derive(Clone, Copy, PartialEq)]
enum Check {
    Pending,
    Within,
    /// To be tried again after these seconds.
    Over(u32),
}

impl Verdict {
    /// Seconds to wait when over the limit. A check that failed lets the request through.
    pub(crate) async fn wait(&self) -> Option<u32> {
        let mut receiver = (*self.0).clone();
        let check = receiver.wait_for(|check| *check != Check::Pending).await.ok().map(|check| *check);
        match check {
            Some(Check::Over(seconds)) => Some(seconds),
            _ => None,
        }
    }
}

/// Starts counting a request of `key` and gives the verdict to `context`, which asks for it before it commits and before it answers.
pub(crate) fn start_check(context: &Context, key: String, most: u32, window: Duration) {
    let (sender, receiver) = watch::channel(Check::Pending);
    context.limit_by(Verdict(Arc::new(receiver)));
    let context = context.clone();
    tokio::spawn(async move {
        let check = match count(&context, &key, 1, window).await {
            Some((count, seconds)) if count > u64::from(most) => Check::Over(seconds),
            _ => Check::Within,
        };
        let _ = sender.send(check);
    });
}

/// Adds `hits` to the counter of `key` in the current window; negative ones are taken back. Answers the count so far and the seconds until the window ends;
/// `None` when DynamoDB does not answer: a limit that cannot be checked does not stop the service.
pub async fn count(context: &Context, key: &str, hits: i32, window: Duration) -> Option<(u64, u32)> {
    let now = context.now().as_second();
    let length = i64::try_from(window.as_secs()).unwrap_or(i64::MAX).max(1);
    let ends = (now / length + 1) * length;
    let update = context
        .aws()
        .dynamodb()
        .update_item()
        .table_name(variable("LIMITS_TABLE"))
        .key("pk", AttributeValue::S(format!("{key}#{ends}")))
        .update_expression("add hits :hits set expires_at = :ends")
        .expression_attribute_values(":hits", AttributeValue::N(hits.to_string()))
        .expression_attribute_values(":ends", AttributeValue::N((ends + 60).to_string()))
        .return_values(ReturnValue::UpdatedNew)
        .send();
    match tokio::time::timeout(PATIENCE, update).await {
        Ok(Ok(answer)) => {
            let count: i64 = answer.attributes?.get("hits")?.as_n().ok()?.parse().ok()?;
            Some((u64::try_from(count).unwrap_or_default(), u32::try_from(ends - now).unwrap_or(1)))
        }
        Ok(Err(error)) => {
            crate::log::warn("rate limit not checked", &format!("{error:?}"));
            None
        }
        Err(_) => {
            crate::log::warn("rate limit not checked", "no answer in time");
            None
        }
    }
}
