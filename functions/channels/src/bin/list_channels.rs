//! GET /channels — the caller's channels, or those that they may join.

use channels::{OwnChannel, channel_columns, membership_column, membership_join, plain_name};
use shared::{closed_set, prelude::*};

const ROUTE: Route = Route::get("/channels");

closed_set! {
    /// The caller's own, those that they are not in, or both.
    ChannelScope { Mine = "mine", Others = "others", All = "all" }
}

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    /// `mine` without it.
    #[garde(skip)]
    scope: Option<ChannelScope>,
    /// A part of the name, or of the name of somebody whose direct messages it has, whatever the accents.
    #[garde(length(chars, max = 80))]
    search: Option<String>,
    /// Those that are archived; otherwise those that are not.
    #[garde(skip)]
    archived: Option<bool>,
}

const CHANNELS: TimeList = TimeList {
    rows: concat!(
        "select channels.* from channels ",
        membership_join!(),
        " where ($1 = 'all' or (own.user_id is not null) = ($1 = 'mine'))
            and (archived_at is not null) = $3
            and ($2 = '' or position(app.look($2) in app.look(name)) > 0
                 or kind = 'direct' and exists (
                     select from channel_members people
                       join users on users.id = people.user_id
                      where people.company_id = channels.company_id and people.channel_id = channels.id
                        and position(app.look($2) in app.look(users.name)) > 0))"
    ),
    at: "channels.created_at",
    id: "channels.id",
    shown: concat!("select ", channel_columns!(), ", ", membership_column!(), " from page channels ", membership_join!()),
};

pub fn main() {
    serve(&ROUTE, list_channels);
}

async fn list_channels(context: Context, caller: Staff, asked: List<Filters>) -> Result<Page<OwnChannel>, Error> {
    let scope = asked.filters.scope.unwrap_or(ChannelScope::Mine).as_str();
    let search = plain_name(asked.filters.search.as_deref().unwrap_or_default());
    let transaction = context.begin(&caller).await?;
    let rows = transaction.list(&CHANNELS, &asked, &[&scope, &search, &asked.filters.archived.unwrap_or(false)]).await?;
    Ok(asked.page(rows, |row: &OwnChannel| (row.channel.created_at, row.channel.id)))
}
