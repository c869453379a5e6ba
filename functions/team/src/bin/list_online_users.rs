//! GET /users/online — who is connected right now, and how.

use shared::{closed_set, prelude::*};

const ROUTE: Route = Route::get("/users/online");

/// A person with several connections is as present as on the most present of them.
const ONLINE_USERS: &str = "
    with levels as (
        select array['online', 'busy', 'away', 'break'] as names
    ), presences as (
        select user_id, min(array_position(levels.names, status)) as level, min(started_at) as since, count(*) as connections
          from presence_leases
         cross join levels
         where lease_until > now()
         group by user_id
    )
    select users.id, users.name, memberships.position, memberships.role,
           levels.names[presences.level] as status, presences.since, presences.connections
      from presences
     cross join levels
      join users on users.id = presences.user_id
      join memberships on memberships.user_id = presences.user_id
     order by app.fold(users.name), users.id";

closed_set! {
    /// How somebody who is connected wants to be seen.
    Presence { Online = "online", Busy = "busy", Away = "away", Break = "break" }
}

#[derive(Debug, Serialize, JsonSchema, FromRow)]
struct OnlineUser {
    #[from_row(flatten)]
    user: ConnectedUser,
    status: Presence,
    /// When the oldest of the connections began.
    since: Timestamp,
    connections: i64,
}

#[derive(Debug, Serialize, JsonSchema, FromRow)]
struct ConnectedUser {
    id: Uuid,
    name: String,
    position: Option<String>,
    role: Role,
}

pub fn main() {
    serve(&ROUTE, list_online_users);
}

async fn list_online_users(context: Context, caller: Staff) -> Result<Page<OnlineUser>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Page::whole(transaction.all(ONLINE_USERS, &[]).await?))
}
