//! GET /conversations — the inbox: filtered, newest first, with how many there are in each category.

use conversations::{Conversation, ConversationFilters};
use futures_util::future::join;
use shared::{cursor, cursor::TimeCursor, prelude::*};

const ROUTE: Route = Route::get("/conversations").or(&["/chats"]);

/// Counts stop here: a badge says "1000+".
const HIGHEST_COUNT: i64 = 1000;

/// One page of conversations.
#[derive(Serialize, JsonSchema)]
struct ConversationList {
    data: Vec<Conversation>,
    next_cursor: Option<String>,
    counts: Counts,
}

/// Conversations the caller sees in each category, whatever the filters; 1000 means as many or more.
#[derive(Serialize, JsonSchema, FromRow)]
struct Counts {
    bot: i64,
    pending: i64,
    active: i64,
    closed: i64,
}

const COUNTS: &str = "
    select (select count(*) from (select from conversations where status = 'bot' limit $1) rows) as bot,
           (select count(*) from (select from conversations where status = 'pending' limit $1) rows) as pending,
           (select count(*) from (select from conversations where status = 'active' limit $1) rows) as active,
           (select count(*) from (select from conversations where status = 'closed' limit $1) rows) as closed";

fn main() {
    serve(&ROUTE, list_conversations);
}

async fn list_conversations(
    context: Context,
    agent: Staff,
    Query(filters): Query<ConversationFilters>,
) -> Result<Json<ConversationList>, Error> {
    let asked = filters.read(agent.user_id)?;
    let transaction = context.begin(&agent).await?;
    let (rows, counts) = join(asked.run(&transaction), transaction.one(COUNTS, &[&HIGHEST_COUNT])).await;
    let place = |row: &Conversation| TimeCursor { at: row.last_message_at, id: row.id };
    let (data, next_cursor) = cursor::page(rows?, asked.limit, place);
    Ok(Json(ConversationList { data, next_cursor, counts: counts? }))
}
