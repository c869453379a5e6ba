//! `resume` — after a new connection has its topics: what was missed since a cursor, as frames, in order.

use std::time::Duration;

use realtime::{
    feed::{self, FeedEvent},
    reply,
};
use shared::{
    events::FeedCursor,
    prelude::*,
    realtime::{Connection, post},
};

/// With more than this to catch up on, loading the screens again is faster.
const MOST_EVENTS: u32 = 2000;

/// One after the other, for their order; the client reads the rest from the feed.
const MOST_FRAMES: usize = 300;

/// Within which frames are sent: the client is to be answered before the function's time-out.
const PATIENCE: Duration = Duration::from_secs(8);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Resume {
    /// The client's `head`.
    #[garde(length(max = 100))]
    #[schemars(with = "FeedCursor")]
    after: String,
}

pub fn main() {
    serve_action("resume", resume);
}

async fn resume(context: Context, connection: Connection, input: Resume) -> Result<(), Error> {
    let topics = connection.topics.iter().map(ToString::to_string).collect();
    let transaction = context.begin(&connection.identity).await?;
    let stretch = feed::read(&transaction, Some(&input.after), Some(topics), MOST_EVENTS).await?;
    transaction.commit_unaudited().await?;
    let Some(stretch) = stretch.filter(|stretch| !stretch.more) else {
        reply(&context, &connection, &json!({"type": "resync"})).await;
        return Ok(());
    };
    let Some(sent) = send_in_order(&context, &connection, &stretch.events).await else { return Ok(()) };
    let resumed = if sent == stretch.events.len() {
        json!({"type": "resumed", "head": stretch.head})
    } else {
        let last = sent.checked_sub(1).map_or(&input.after, |last| &stretch.events[last].cursor);
        json!({"type": "resumed", "head": last, "more": true})
    };
    reply(&context, &connection, &resumed).await;
    Ok(())
}

/// Answers how many were sent. `None` when the client is gone or one did not reach it: without `resumed` it keeps its cursor and
/// asks again.
async fn send_in_order(context: &Context, connection: &Connection, events: &[FeedEvent]) -> Option<usize> {
    for (sent, event) in events.iter().enumerate() {
        let left = PATIENCE.saturating_sub(context.elapsed());
        if sent == MOST_FRAMES || left.is_zero() {
            return Some(sent);
        }
        match tokio::time::timeout(left, post(context, &connection.id, &event.to_frame())).await {
            Ok(true) => {}
            Ok(false) => return None,
            Err(_) => return Some(sent),
        }
    }
    Some(events.len())
}
