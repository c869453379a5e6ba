//! `ping` — keeps the connection's presence, and says what it should have received since a cursor.

use realtime::{presence, reply};
use shared::{
    events::FeedCursor,
    prelude::*,
    realtime::{Connection, refresh},
};

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ping {
    /// The client's `head`.
    #[garde(length(max = 100))]
    #[schemars(with = "Option<FeedCursor>")]
    after: Option<String>,
}

pub fn main() {
    serve_action("ping", ping);
}

async fn ping(context: Context, connection: Connection, input: Ping) -> Result<(), Error> {
    let (pong, reader) = presence::renew(&context, &connection, input.after.as_deref()).await?;
    reply(&context, &connection, &json!(pong)).await;
    // Departments or the company's rules have changed: from now on frames follow what the person may see now.
    if reader != connection.reader {
        refresh(&context, &Connection { reader, ..connection }).await?;
    }
    Ok(())
}
