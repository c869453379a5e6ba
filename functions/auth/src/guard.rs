//! The guard of passwords: who has failed too often waits, whatever they try next.

use std::time::Duration;

use shared::{limits, prelude::*, rate};

pub const TOO_MANY_FAILURES: Problem = Problem::new(
    429,
    "too_many_failures",
    "Muitas tentativas de entrada. Aguarde antes de tentar de novo.",
    "Too many failed logins. Wait before trying again.",
);

const WINDOW: Duration = Duration::from_mins(15);
const MOST_PER_ACCOUNT: u64 = 5;
const MOST_PER_ADDRESS: u64 = 30;

/// The counters of failures, with the most each may reach.
fn counters(context: &Context, email: &str) -> [(String, u64); 2] {
    // As the gateway saw it: what the request itself says of its way here is anybody's to write.
    let range = rate::range_of(context.origin().ip.as_deref().unwrap_or_default());
    [(format!("login-failures:{range}:{email}"), MOST_PER_ACCOUNT), (format!("login-failures:{range}"), MOST_PER_ADDRESS)]
}

/// Counts a failure before the password is looked at, so that many tries at once do not pass one by one.
///
/// # Errors
/// 429 over the limit.
pub async fn expect_failure(context: &Context, email: &str) -> Result<(), Error> {
    for (key, most) in counters(context, email) {
        if let Some((failures, seconds)) = limits::count_since_first(context, &key, WINDOW).await
            && failures > most
        {
            return Err(TOO_MANY_FAILURES.retry_after(seconds));
        }
    }
    Ok(())
}

/// It was not a failure after all.
pub async fn take_back_failure(context: &Context, email: &str) {
    for (key, _) in counters(context, email) {
        limits::take_back(context, &key).await;
    }
}
