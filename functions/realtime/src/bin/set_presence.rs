//! `setPresence` — the status a person of staff shows, on all their connections.

use futures_util::future::join;
use realtime::{
    presence::{LOCK_OWN_LEASES, PresenceStatus, presence_event},
    reply,
};
use shared::{error::FORBIDDEN, prelude::*, realtime::Connection, rule};

/// Also renews this connection's lease. Answers whether the others see a change: the leases as they were before have none with it.
const SET: &str = "
    with own as (
        insert into presence_leases (connection_id, user_id, session_id, status, lease_until)
        values ($1, app.user_id(), app.session_id(), $2, now() + interval '90 seconds')
        on conflict (connection_id) do update set status = excluded.status, lease_until = excluded.lease_until
    ), others as (
        update presence_leases set status = $2
         where user_id = app.user_id() and connection_id <> $1 and status <> $2
    )
    select not exists (
        select from presence_leases where user_id = app.user_id() and lease_until >= now() and status = $2) as has_changed";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    #[garde(custom(can_be_chosen))]
    #[schemars(extend("not" = {"const": "offline"}))]
    status: PresenceStatus,
}

#[derive(FromRow)]
struct Change {
    has_changed: bool,
}

pub fn main() {
    serve_action("setPresence", set_presence);
}

async fn set_presence(context: Context, connection: Connection, Input { status }: Input) -> Result<(), Error> {
    let Identity { user_id, company_id, role, .. } = connection.identity;
    if !role.is_staff() {
        return Err(FORBIDDEN.into());
    }
    let transaction = context.begin(&connection.identity).await?;
    // Tabs that set it at the same time would wait for each other's leases.
    let (id, status_text) = (&connection.id, status.as_str());
    let (locked, change) =
        join(transaction.query(LOCK_OWN_LEASES, &[]), transaction.one::<Change>(SET, &[id, &status_text])).await;
    locked?;
    let change = change?;
    if change.has_changed {
        transaction.emit(presence_event(company_id, user_id, status));
        transaction.audit(format!("user:{user_id}"), &Value::Null, &json!({"status": status}));
    }
    transaction.commit_unaudited().await?;
    reply(&context, &connection, &json!({"type": "presence", "status": status})).await;
    Ok(())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as garde calls it")]
fn can_be_chosen(status: &PresenceStatus, (): &()) -> garde::Result {
    if *status == PresenceStatus::Offline {
        return Err(rule("invalid", "Este estado não pode ser escolhido.", "This status cannot be chosen."));
    }
    Ok(())
}
