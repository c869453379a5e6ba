//! GET /chat/scheduled — what the caller has planned to say, the latest due first.

use chat::{ScheduledChatMessage, ScheduledChatState, scheduled_chat_columns};
use shared::prelude::*;

const ROUTE: Route = Route::get("/chat/scheduled");

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    #[garde(skip)]
    channel_id: Option<Uuid>,
    #[garde(skip)]
    state: Option<ScheduledChatState>,
}

const SCHEDULED: TimeList = TimeList {
    rows: "select * from scheduled_chat_messages
            where author_id = (select app.user_id()) and ($1::uuid is null or channel_id = $1) and ($2::text is null or state = $2)",
    at: "scheduled_chat_messages.due_at",
    id: "scheduled_chat_messages.id",
    shown: concat!("select ", scheduled_chat_columns!(), " from page scheduled_chat_messages"),
};

pub fn main() {
    serve(&ROUTE, list_scheduled_chat_messages);
}

async fn list_scheduled_chat_messages(
    context: Context,
    caller: Staff,
    asked: List<Filters>,
) -> Result<Page<ScheduledChatMessage>, Error> {
    let state = asked.filters.state.map(ScheduledChatState::as_str);
    let transaction = context.begin(&caller).await?;
    let rows = transaction.list(&SCHEDULED, &asked, &[&asked.filters.channel_id, &state]).await?;
    Ok(asked.page(rows, |row: &ScheduledChatMessage| (row.due_at, row.id)))
}
