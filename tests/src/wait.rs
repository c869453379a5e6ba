//! Waiting for what happens by itself, with a generous bound.

use std::time::Duration;

/// Asks until there is an answer, for at most 30 seconds.
///
/// # Panics
/// When there is none in time; `what` says what was waited for.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    for _ in 0..600 {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited in vain for {what}")
}

/// Waits a moment in which something must not happen.
pub async fn soon() {
    tokio::time::sleep(Duration::from_millis(700)).await;
}
