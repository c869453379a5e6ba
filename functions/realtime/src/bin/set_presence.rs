//! `setPresence` — the status a person of staff shows, on all their connections.

use realtime::{
    presence::{self, PresenceChoice},
    reply,
};
use shared::{error::FORBIDDEN, prelude::*, realtime::Connection};

pub fn main() {
    serve_action("setPresence", set_presence);
}

/// Also renews this connection's lease.
async fn set_presence(context: Context, connection: Connection, PresenceChoice { status }: PresenceChoice) -> Result<(), Error> {
    if !connection.identity.role.is_staff() {
        return Err(FORBIDDEN.into());
    }
    let transaction = context.begin(&connection.identity).await?;
    presence::choose(&transaction, &connection.identity, Some(&connection.id), status).await?;
    transaction.commit_unaudited().await?;
    reply(&context, &connection, &json!({"type": "presence", "status": status})).await;
    Ok(())
}
