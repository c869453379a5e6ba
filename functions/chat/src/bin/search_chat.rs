//! GET /chat/search — words in the caller's channels, whatever their accents and endings, the newest first unless asked otherwise; `from:`, `in:`, `has:file`, `after:`
//! and `before:` may stand among them.

use chat::{ChatMessage, ChatQuery, ShownChatMessage, chat_message_columns, chat_message_joins, with_cards};
use shared::prelude::*;

const ROUTE: Route = Route::get("/chat/search");

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    #[garde(length(chars, min = 1, max = 200))]
    q: String,
    #[garde(skip)]
    channel_id: Option<Uuid>,
    #[garde(skip)]
    from_id: Option<Uuid>,
    #[garde(skip)]
    has_file: Option<bool>,
    #[garde(skip)]
    since: Option<Timestamp>,
    #[garde(skip)]
    until: Option<Timestamp>,
}

/// Names the channel and the author that are named; what is named and not there has said nothing. Days are the company's.
const FIND: &str = concat!(
    "with named as (
        select (select id from channels
                 where id in (select app.my_channels()) and name_key = app.look($2) order by archived_at nulls first limit 1) as channel_id,
               (select users.id from users
                  join memberships on memberships.user_id = users.id
                 where position(app.look($3) in app.look(users.name)) > 0
                 order by memberships.status, app.look(users.name), users.id limit 1) as author_id,
               $8::date::timestamp at time zone companies.time_zone as since,
               $9::date::timestamp at time zone companies.time_zone as until
          from companies
         where companies.id = app.company_id()
    ), found as materialized (
        select app.find_chat_messages($1, coalesce($4, channel_id), coalesce($5, author_id), $10, coalesce($6, since), coalesce($7, until),
                                      $11, $12, $13, $14) as ids
          from named
         where ($2::text is null or channel_id is not null) and ($3::text is null or author_id is not null)
    ) select ",
    chat_message_columns!(),
    " from chat_messages messages ",
    chat_message_joins!(),
    " where messages.id = any ((select ids from found)::uuid[])"
);

pub fn main() {
    serve(&ROUTE, search_chat);
}

async fn search_chat(context: Context, caller: Staff, asked: List<Filters>) -> Result<Page<ShownChatMessage>, Error> {
    let Filters { q, channel_id, from_id, has_file, since, until } = &asked.filters;
    let ChatQuery { words, from, channel, has_file: with_files, after, before } = ChatQuery::read(q);
    let (has_file, oldest_first) = (with_files || has_file.unwrap_or(false), matches!(asked.order, Order::Asc));
    let found: [&(dyn tokio_postgres::types::ToSql + Sync); 14] = [
        &words,
        &channel,
        &from,
        channel_id,
        from_id,
        since,
        until,
        &after,
        &before,
        &has_file,
        &asked.at,
        &asked.id,
        &oldest_first,
        &asked.wanted,
    ];
    let transaction = context.begin(&caller).await?;
    let mut rows: Vec<ChatMessage> = transaction.all(FIND, &found).await?;
    rows.sort_by_key(|message| (message.created_at, message.id));
    if !oldest_first {
        rows.reverse();
    }
    let Page { data, next_cursor } = asked.page(rows, |message: &ChatMessage| (message.created_at, message.id));
    Ok(Page { data: with_cards(&transaction, data).await?, next_cursor })
}
