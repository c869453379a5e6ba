//! Who is online: leases that connections of staff hold, renewed by `ping`. Every connection of a user shows the same status.
//!
//! When they were online, and what they showed, follows from the leases by a trigger (`app.follow_presence`), whoever writes these.

use futures_util::future::join;
use shared::{audience::Reader, closed_set, prelude::*, realtime::Connection, rule};
use tokio_postgres::types::ToSql;

use crate::feed::{After, Position, after, cut, feed_statement};

/// Most cursors in one pong.
pub const MOST_CURSORS: u32 = 200;

closed_set! {
    /// What a user shows to their colleagues.
    pub PresenceStatus {
        Online = "online",
        Away = "away",
        Busy = "busy",
        Break = "break",
        /// No connection holds a lease. Not to be chosen.
        Offline = "offline",
    }
}

/// A user came online, changed their status, or went offline.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UserPresence {
    pub user_id: Uuid,
    pub status: PresenceStatus,
}

event!(UserPresence = "user.presence");

/// The event that tells all staff of a company.
pub fn presence_event(company_id: Uuid, user_id: Uuid, status: PresenceStatus) -> Event {
    Event::new(Topic::Company(company_id), Audience::staff(), &UserPresence { user_id, status })
}

/// Connections of one user open and close one after the other, so that the first and the last of them are known.
const ENTER: &str = "
    select app.sees_all() as sees_all, app.audiences() as audiences,
           (select name from users where id = app.user_id()) as name,
           pg_advisory_xact_lock(hashtextextended('presence:' || app.company_id() || app.user_id(), 0))::text as locked";

/// Who is back within a minute was never away, and shows what they showed.
const OPEN_LEASE: &str = "
    with other as (
        select status
          from presence_leases
         where user_id = app.user_id() and lease_until >= now() and connection_id <> $1
         limit 1
    ), before as (
        select state
          from (select * from presence_intervals where user_id = app.user_id() order by started_at desc, ended_at desc limit 1) last
         where end_cause = 'disconnect' and ended_at >= date_trunc('second', now()) - interval '60 seconds'
    )
    insert into presence_leases (connection_id, user_id, session_id, status, lease_until)
    select $1, app.user_id(), app.session_id(), coalesce((select status from other), (select state from before), 'online'),
           now() + interval '90 seconds'
    on conflict (connection_id) do update set lease_until = excluded.lease_until
    returning status, not exists (select from other) as is_first";

/// What a new connection may see, and whose it is.
#[derive(Debug, FromRow)]
struct Entry {
    sees_all: bool,
    audiences: Vec<String>,
    name: Option<String>,
}

#[derive(Debug, FromRow)]
struct Lease {
    status: PresenceStatus,
    is_first: bool,
}

/// Opens the presence of a connection, for staff, and answers what it may see and the name of its user.
///
/// # Errors
/// 401 when the session has ended.
pub async fn open(context: &Context, identity: &Identity, connection_id: &str) -> Result<(Reader, String), Error> {
    let transaction = context.begin(identity).await?;
    let entry: Entry = transaction.one(ENTER, &[]).await?;
    let is_staff = identity.role.is_staff();
    if is_staff {
        let lease: Lease = transaction.one(OPEN_LEASE, &[&connection_id]).await?;
        if lease.is_first {
            transaction.emit(presence_event(identity.company_id, identity.user_id, lease.status));
        }
    }
    transaction.commit_unaudited().await?;
    Ok((Reader { is_staff, sees_all: entry.sees_all, audiences: entry.audiences }, entry.name.unwrap_or_default()))
}

/// As `ENTER` does, for what writes several leases of the caller.
pub const LOCK_OWN_LEASES: &str = "
    select pg_advisory_xact_lock(hashtextextended('presence:' || app.company_id() || app.user_id(), 0))::text as locked";

/// Sets what all connections of the caller show, and renews that of `$1` where it is one that asks. Answers whether the others see a change, as
/// the leases were before, and whether any connection stands.
const CHOOSE: &str = "
    with own as (
        insert into presence_leases (connection_id, user_id, session_id, status, lease_until)
        select $1, app.user_id(), app.session_id(), $2, now() + interval '90 seconds'
         where $1::text is not null
        on conflict (connection_id) do update set status = excluded.status, lease_until = excluded.lease_until
    ), others as (
        update presence_leases set status = $2
         where user_id = app.user_id() and connection_id is distinct from $1 and status <> $2
    )
    select not coalesce(bool_or(status = $2), false) as has_changed, $1 is not null or count(*) > 0 as is_connected
      from presence_leases
     where user_id = app.user_id() and lease_until >= now()";

/// What a choice has come to.
#[derive(Debug, FromRow)]
pub struct Chosen {
    /// The others see it.
    pub has_changed: bool,
    /// Without a connection there is nobody to be seen, and nothing has been set.
    pub is_connected: bool,
}

/// Sets what a person of staff shows on all their connections, and tells the others. `connection_id` is that which asks, where one does.
///
/// # Errors
/// As `Transaction::query`.
pub async fn choose(
    transaction: &Transaction,
    identity: &Identity,
    connection_id: Option<&str>,
    status: PresenceStatus,
) -> Result<Chosen, Error> {
    let Identity { user_id, company_id, .. } = *identity;
    let text = status.as_str();
    let choice: [&(dyn ToSql + Sync); 2] = [&connection_id, &text];
    // Tabs that set it at the same time would wait for each other's leases.
    let (locked, chosen) = join(transaction.query(LOCK_OWN_LEASES, &[]), transaction.one::<Chosen>(CHOOSE, &choice)).await;
    locked?;
    let chosen = chosen?;
    if chosen.is_connected && chosen.has_changed {
        transaction.emit(presence_event(company_id, user_id, status));
        transaction.audit(format!("user:{user_id}"), &Value::Null, &json!({"status": status}));
    }
    Ok(chosen)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as garde calls it")]
fn can_be_chosen(status: &PresenceStatus, (): &()) -> garde::Result {
    if *status == PresenceStatus::Offline {
        return Err(rule("invalid", "Este estado não pode ser escolhido.", "This status cannot be chosen."));
    }
    Ok(())
}

/// What somebody wants to show.
#[derive(Debug, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PresenceChoice {
    #[garde(custom(can_be_chosen))]
    #[schemars(extend("not" = {"const": "offline"}))]
    pub status: PresenceStatus,
}

const LOCK_LEASE: &str = "
    select pg_advisory_xact_lock(hashtextextended('presence:' || company_id || user_id, 0))::text as locked
      from presence_leases
     where connection_id = $1";

const END_LEASE: &str = "
    delete from presence_leases as ended
     where connection_id = $1 and (lease_until < now() or not $2)
    returning user_id, exists (
        select from presence_leases as other
         where other.user_id = ended.user_id and other.lease_until >= now() and other.connection_id <> $1) as is_online";

#[derive(Debug, FromRow)]
struct Ended {
    user_id: Uuid,
    is_online: bool,
}

/// Ends the presence of a connection, whether or not its session still stands.
///
/// # Errors
/// As `Transaction::query`.
pub async fn end(context: &Context, company_id: Uuid, connection_id: &str) -> Result<(), Error> {
    end_lease(context, company_id, connection_id, false).await.map(drop)
}

/// Ends the presence of a connection unless it has been renewed. Answers whether it has ended.
///
/// # Errors
/// As `Transaction::query`.
pub async fn end_lapsed(context: &Context, company_id: Uuid, connection_id: &str) -> Result<bool, Error> {
    end_lease(context, company_id, connection_id, true).await
}

async fn end_lease(context: &Context, company_id: Uuid, connection_id: &str, only_lapsed: bool) -> Result<bool, Error> {
    let transaction = context.begin_system(company_id).await?;
    transaction.query(LOCK_LEASE, &[&connection_id]).await?;
    let ended: Option<Ended> = transaction.first(END_LEASE, &[&connection_id, &only_lapsed]).await?;
    if let Some(Ended { user_id, is_online: false }) = ended {
        transaction.emit(presence_event(company_id, user_id, PresenceStatus::Offline));
    }
    transaction.commit_unaudited().await?;
    Ok(ended.is_some())
}

/// Renews the lease of a connection of staff (`$6`, `$7`) and reads the feed, in one statement. One that was about to lapse may already
/// have been missed: it counts as new.
const RENEW: &str = feed_statement!(
    before: "other as (
        select status
          from presence_leases
         where user_id = app.user_id() and lease_until >= now() and connection_id <> $6
         limit 1
    ), standing as (
        select from presence_leases where connection_id = $6 and lease_until >= now() + interval '10 seconds'
    ), renewed as (
        insert into presence_leases (connection_id, user_id, session_id, status, lease_until)
        select $6, app.user_id(), app.session_id(), coalesce((select status from other), 'online'), now() + interval '90 seconds'
         where $7::boolean
        on conflict (connection_id) do update
           set lease_until = excluded.lease_until, status = coalesce((select status from other), presence_leases.status)
        returning status, not exists (select from standing) as is_new
    ), ",
    columns: ", app.sees_all() as sees_all, app.audiences() as audiences,
           (select status from renewed where is_new and not exists (select from other)) as returned_as"
);

#[derive(Debug, FromRow)]
struct Renewal {
    #[from_row(flatten)]
    position: Position,
    sees_all: bool,
    audiences: Vec<String>,
    /// The user had been counted as offline.
    returned_as: Option<PresenceStatus>,
}

/// What a pong says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "pong")]
pub struct Pong {
    pub head: String,
    /// What the connection should have received since the ping's cursor.
    pub cursors: Vec<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub more: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub resync: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Renews the presence of a connection. Answers the pong and what the connection may see now.
///
/// # Errors
/// 401 when the session has ended.
pub async fn renew(context: &Context, connection: &Connection, cursor: Option<&str>) -> Result<(Pong, Reader), Error> {
    let Identity { user_id, company_id, role, .. } = connection.identity;
    let After { epoch, tx, id } = after(cursor);
    let topics: Vec<String> = connection.topics.iter().map(ToString::to_string).collect();
    let most = i64::from(MOST_CURSORS) + 1;
    let transaction = context.begin(&connection.identity).await?;
    let rows: Vec<Renewal> =
        transaction.all(RENEW, &[&epoch, &tx, &id, &topics, &most, &connection.id, &role.is_staff()]).await?;
    let first = rows.first().ok_or(crate::RESYNC)?;
    if let Some(status) = first.returned_as {
        transaction.emit(presence_event(company_id, user_id, status));
    }
    transaction.commit_unaudited().await?;
    let reader = Reader { is_staff: role.is_staff(), sees_all: first.sees_all, audiences: first.audiences.clone() };
    let (head, resync) = (first.position.head(), first.position.is_lost);
    let mut cursors: Vec<String> = rows.iter().filter_map(|row| row.position.cursor()).collect();
    let more = cut(&mut cursors, MOST_CURSORS as usize);
    Ok((Pong { head, cursors, more, resync }, reader))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pong_says_only_what_is_so() {
        let pong = Pong { head: "e.1.0".into(), cursors: Vec::new(), more: false, resync: false };
        assert_eq!(serde_json::to_value(pong).unwrap(), json!({"type": "pong", "head": "e.1.0", "cursors": []}));
    }
}
