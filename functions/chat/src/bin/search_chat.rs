//! GET /chat/search — words in the caller's channels, whatever their accents and endings, the newest first unless asked otherwise; `from:`, `in:`, `has:file`, `after:`
//! and `before:` may stand among them.

use chat::{ChatMessage, ChatQuery, ShownChatMessage, chat_message_columns, chat_message_joins, with_cards};
use jiff::tz::TimeZone;
use shared::{prelude::*, text::unaccented};

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

/// The channel and the author that are named, and the company's zone.
const NAMED: &str = "
    select companies.time_zone,
           (select id from channels
             where $1 <> '' and id in (select app.my_channels()) and name_key = app.look($1) order by archived_at nulls first limit 1) as channel_id,
           (select users.id from users
              join memberships on memberships.user_id = users.id
             where $2 <> '' and position($2 in app.look(users.name)) > 0
             order by memberships.status, app.look(users.name), users.id limit 1) as author_id
      from companies
     where id = app.company_id()";

#[derive(FromRow)]
struct Named {
    time_zone: String,
    channel_id: Option<Uuid>,
    author_id: Option<Uuid>,
}

const FIND: &str = concat!(
    "select ",
    chat_message_columns!(),
    " from chat_messages messages ",
    chat_message_joins!(),
    " where messages.id = any ((select app.find_chat_messages($1, $2, $3, $4, $5, $6, $7, $8, $9, $10))::uuid[])"
);

pub fn main() {
    serve(&ROUTE, search_chat);
}

async fn search_chat(context: Context, caller: Staff, asked: List<Filters>) -> Result<Page<ShownChatMessage>, Error> {
    let Filters { q, channel_id, from_id, has_file, since, until } = &asked.filters;
    let query = ChatQuery::read(q);
    let name = |name: &Option<String>| unaccented(name.as_deref().unwrap_or_default());
    let transaction = context.begin(&caller).await?;
    let named: Named = transaction.one(NAMED, &[&name(&query.channel), &name(&query.from)]).await?;
    // What is named and not there has said nothing.
    if (query.channel.is_some() && named.channel_id.is_none()) || (query.from.is_some() && named.author_id.is_none()) {
        return Ok(Page::whole(Vec::new()));
    }
    let zone = TimeZone::get(&named.time_zone).unwrap_or(TimeZone::UTC);
    let day = |day: Option<jiff::civil::Date>| day.and_then(|day| Some(day.to_zoned(zone.clone()).ok()?.timestamp()));
    let (channel_id, author_id) = (channel_id.or(named.channel_id), from_id.or(named.author_id));
    let has_file = has_file.unwrap_or(false) || query.has_file;
    let (since, until) = (since.or(day(query.after)), until.or(day(query.before)));
    let oldest_first = matches!(asked.order, Order::Asc);
    let found: [&(dyn tokio_postgres::types::ToSql + Sync); 10] =
        [&query.words, &channel_id, &author_id, &has_file, &since, &until, &asked.at, &asked.id, &oldest_first, &asked.wanted];
    let mut rows: Vec<ChatMessage> = transaction.all(FIND, &found).await?;
    rows.sort_by_key(|message| (message.created_at, message.id));
    if !oldest_first {
        rows.reverse();
    }
    let Page { data, next_cursor } = asked.page(rows, |message: &ChatMessage| (message.created_at, message.id));
    Ok(Page { data: with_cards(&transaction, data).await?, next_cursor })
}
