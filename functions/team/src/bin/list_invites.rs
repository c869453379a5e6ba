//! GET /team/invites — who was invited, by whom, and what came of it, the newest first.

use shared::prelude::*;
use team::{
    invite::{Invite, InviteState},
    invite_columns,
};

const ROUTE: Route = Route::get("/team/invites");

const INVITES: TimeList = TimeList {
    rows: "
    select * from invites
     where ($1::text[] is null
         or case when invites.used_at is not null then 'used'
                when invites.revoked_at is not null then 'revoked'
                when invites.expires_at <= now() then 'expired'
                else 'open' end = any($1))",
    at: "invites.created_at",
    id: "invites.id",
    shown: concat!("select ", invite_columns!(), " from page invites"),
};

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    /// `open`, `used`, `revoked`, `expired`.
    #[garde(skip)]
    state: Option<CommaSeparated<InviteState>>,
}

pub fn main() {
    serve(&ROUTE, list_invites);
}

async fn list_invites(context: Context, caller: Supervisor, asked: List<Filters>) -> Result<Page<Invite>, Error> {
    let states = asked.filters.state.as_ref().map(|states| states.0.iter().map(|state| state.as_str()).collect::<Vec<_>>());
    let states = states.filter(|states| !states.is_empty());
    let transaction = context.begin(&caller).await?;
    let rows = transaction.list(&INVITES, &asked, &[&states]).await?;
    Ok(asked.page(rows, |invite: &Invite| (invite.created_at, invite.id)))
}
