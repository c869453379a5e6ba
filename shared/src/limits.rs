//! Rate limits: counters in DynamoDB, one item per key and window, deleted by its time to live.

use std::time::Duration;

use aws_sdk_dynamodb::{
    operation::update_item::{UpdateItemError, UpdateItemOutput, builders::UpdateItemFluentBuilder},
    types::{AttributeValue, ReturnValue},
};
use futures_util::future::BoxFuture;

use crate::{
    context::Context,
    environment::{optional_variable, variable},
    rate::{Check, Limit, Verdict},
};

/// How long a counter is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

const MINUTE: Duration = Duration::from_mins(1);

/// Requests a minute of one signed-in user, over all routes without their own limit.
pub(crate) fn of_user() -> Limit {
    Limit { most: setting("USER_REQUESTS_PER_MINUTE", 600), window: MINUTE }
}

/// Requests a minute of one address, over all public routes without their own limit.
pub(crate) fn of_address() -> Limit {
    Limit { most: setting("ADDRESS_REQUESTS_PER_MINUTE", 100), window: MINUTE }
}

fn setting(name: &str, default: u32) -> u32 {
    optional_variable(name).and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Starts counting this request against its caller, a user or an address on public routes. `context` asks for the verdict before it
/// commits and before it answers.
pub(crate) fn limit_caller(context: &Context, caller: &str, default: Limit) {
    let origin = context.origin();
    let (scope, limit) = match origin.limit {
        Some(limit) => (origin.function.as_str(), limit),
        None => ("", default),
    };
    let key = format!("{caller}#{scope}");
    let (sender, verdict) = Verdict::pending();
    context.limit_by(verdict);
    let context = context.clone();
    tokio::spawn(async move {
        let check = match count(&context, &key, 1, limit.window).await {
            Some((count, seconds)) if count > u64::from(limit.most) => Check::Over(seconds),
            _ => Check::Within,
        };
        let _ = sender.send(check);
    });
}

/// Adds `hits` to the counter of `key` in the current window. Answers the count so far and the seconds until the window ends;
/// `None` when DynamoDB does not answer: a limit that cannot be checked does not stop the service.
pub fn count<'a>(context: &'a Context, key: &'a str, hits: i32, window: Duration) -> BoxFuture<'a, Option<(u64, u32)>> {
    Box::pin(async move {
        let now = context.now().as_second();
        let length = seconds(window);
        let ends = (now / length + 1) * length;
        let update = update(context, &format!("{key}#{ends}"))
            .update_expression("add hits :hits set expires_at = :ends")
            .expression_attribute_values(":hits", number(hits.into()))
            .expression_attribute_values(":ends", number(ends + 60));
        let (hits, _) = read(send(update).await?)?;
        Some((hits, u32::try_from(ends - now).unwrap_or(1)))
    })
}

/// Adds a hit as `count` does, in a window that begins with its first hit: whenever that is, no more than the limit pass within its
/// length.
pub fn count_since_first<'a>(context: &'a Context, key: &'a str, window: Duration) -> BoxFuture<'a, Option<(u64, u32)>> {
    Box::pin(async move {
        let now = context.now().as_second();
        let base = || {
            update(context, key)
                .expression_attribute_values(":hit", number(1))
                .expression_attribute_values(":now", number(now))
                .expression_attribute_values(":ends", number(now + seconds(window)))
        };
        let further = base()
            .update_expression("add hits :hit set expires_at = if_not_exists(expires_at, :ends)")
            .condition_expression("attribute_not_exists(pk) or expires_at > :now");
        // Items outlive their time a while.
        let first = base().update_expression("set hits = :hit, expires_at = :ends").condition_expression("expires_at <= :now");
        for update in [further.clone(), first, further] {
            if let Some((hits, ends)) = read(send(update).await?) {
                return Some((hits, u32::try_from(ends - now).unwrap_or(1)));
            }
        }
        None
    })
}

/// Takes a hit of `count_since_first` back, unless its window has ended meanwhile.
pub fn take_back<'a>(context: &'a Context, key: &'a str) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        let update = update(context, key)
            .update_expression("add hits :hit")
            .condition_expression("expires_at > :now")
            .expression_attribute_values(":hit", number(-1))
            .expression_attribute_values(":now", number(context.now().as_second()));
        send(update).await;
    })
}

fn update(context: &Context, key: &str) -> UpdateItemFluentBuilder {
    let builder = context.aws().dynamodb().update_item().table_name(variable("LIMITS_TABLE"));
    builder.key("pk", AttributeValue::S(key.to_owned())).return_values(ReturnValue::AllNew)
}

/// The counter as it is now, without attributes when the condition did not hold; `None` when DynamoDB does not answer in time.
async fn send(update: UpdateItemFluentBuilder) -> Option<UpdateItemOutput> {
    let failure = match tokio::time::timeout(PATIENCE, update.send()).await {
        Ok(Ok(answer)) => return Some(answer),
        Ok(Err(error)) if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) => {
            return Some(UpdateItemOutput::builder().build());
        }
        Ok(Err(error)) => format!("{error:?}"),
        Err(_) => "no answer in time".to_owned(),
    };
    crate::log::warn("rate limit not checked", &failure);
    None
}

/// Hits, and the second in which they are forgotten.
fn read(counter: UpdateItemOutput) -> Option<(u64, i64)> {
    let attributes = counter.attributes?;
    let number = |name: &str| attributes.get(name)?.as_n().ok()?.parse::<i64>().ok();
    Some((u64::try_from(number("hits")?).unwrap_or_default(), number("expires_at")?))
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn seconds(window: Duration) -> i64 {
    i64::try_from(window.as_secs()).unwrap_or(i64::MAX).max(1)
}
