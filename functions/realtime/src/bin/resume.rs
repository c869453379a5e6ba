//! `resume` — after a new connection has its topics: what was missed since a cursor, as frames, in order.

use realtime::{feed, reply};
use shared::{
    prelude::*,
    realtime::{Connection, post},
};

/// With more than this to catch up on, loading the screens again is faster.
const MOST_EVENTS: u32 = 2000;

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Resume {
    /// The client's `head`.
    #[garde(length(max = 100))]
    after: String,
}

fn main() {
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
    for event in &stretch.events {
        if !post(&context, &connection.id, &event.to_frame()).await {
            // Without `resumed` the client keeps its cursor and asks again.
            return Ok(());
        }
    }
    reply(&context, &connection, &json!({"type": "resumed", "head": stretch.head})).await;
    Ok(())
}
