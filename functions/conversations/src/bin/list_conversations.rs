//! GET /conversations — the inbox: filtered, newest first, with how many there are in each category.

use conversations::{AskedConversations, Conversation, ConversationFilters, MUTED, Muted};
use futures_util::future::join3;
use shared::{cursor::TimeCursor, prelude::*};

const ROUTE: Route = Route::get("/conversations").or(&["/chats"]);

/// One page of conversations.
#[derive(Serialize, JsonSchema)]
struct ConversationList {
    data: Vec<Conversation>,
    #[schemars(with = "Option<TimeCursor>")]
    next_cursor: Option<String>,
    counts: Counts,
    /// The conversations that the caller has muted, on this page or not; a thousand at most.
    muted_ids: Vec<Uuid>,
}

/// Conversations the caller sees in each category, whatever the filters; 1000 means as many or more.
#[derive(Serialize, JsonSchema, FromRow)]
struct Counts {
    bot: i64,
    pending: i64,
    active: i64,
    closed: i64,
}

/// Counts stop at 1,000: a badge says "1000+". A category is given as one the planner does not know, so that its index is used,
/// and the limit as one it does: the statement is planned once.
macro_rules! counted {
    ($category:literal $(, $condition:literal)?) => {
        concat!("(select from conversations where status = (select '", $category, "'::text) ", $($condition,)? "limit 1000)")
    };
}

/// Agents who see only their own and what nobody has would pass by everything their colleagues have closed: they are asked for
/// by holder.
const COUNTS: &str = concat!(
    "with caller as materialized (select not app.sees_all() and app.visibility() = 'own' as sees_own)
    select (select count(*) from ",
    counted!("bot"),
    " rows) as bot, (select count(*) from ",
    counted!("pending"),
    " rows) as pending, (select count(*) from ",
    counted!("active"),
    " rows) as active, (select count(*) from (",
    counted!("closed", "and not (select sees_own from caller) "),
    " union all ",
    counted!("closed", "and (select sees_own from caller) and assignee_id = (select app.user_id()) "),
    " union all ",
    counted!("closed", "and (select sees_own from caller) and assignee_id is null "),
    " union all ",
    counted!(
        "closed",
        "and (select sees_own from caller) and assignee_id <> (select app.user_id()) and id = any ((select app.followed_conversations())::uuid[]) "
    ),
    " limit 1000) rows) as closed"
);

pub fn main() {
    serve(&ROUTE, list_conversations);
}

async fn list_conversations(
    context: Context,
    agent: Staff,
    asked: List<ConversationFilters>,
) -> Result<Json<ConversationList>, Error> {
    let asked = AskedConversations::read(asked, agent.user_id);
    let transaction = context.begin(&agent).await?;
    let (rows, counts, muted) =
        join3(asked.run(&transaction), transaction.one(COUNTS, &[]), transaction.one::<Muted>(MUTED, &[])).await;
    let Page { data, next_cursor } = asked.list.page(rows?, |row: &Conversation| (row.last_message_at, row.id));
    Ok(Json(ConversationList { data, next_cursor, counts: counts?, muted_ids: muted?.ids }))
}
