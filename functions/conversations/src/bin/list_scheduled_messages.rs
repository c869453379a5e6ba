//! GET /scheduled-messages — messages to be sent later, and what became of them, in the order of their times.

use conversations::{ScheduledMessage, ScheduledState, scheduled_columns};
use shared::prelude::*;

const ROUTE: Route = Route::get("/scheduled-messages");

#[derive(Deserialize, Validate, JsonSchema)]
struct ScheduleFilters {
    #[garde(skip)]
    conversation_id: Option<Uuid>,
    #[garde(skip)]
    author_id: Option<Uuid>,
    /// Any without it.
    #[garde(skip)]
    state: Option<ScheduledState>,
}

const SCHEDULED: TimeList = TimeList {
    rows: "select * from scheduled_messages
            where ($1::uuid is null or conversation_id = $1) and ($2::uuid is null or author_id = $2) and ($3::text is null or state = $3)",
    at: "scheduled_messages.due_at",
    id: "scheduled_messages.id",
    shown: concat!("select ", scheduled_columns!(), " from page scheduled_messages"),
};

pub fn main() {
    serve(&ROUTE, list_scheduled_messages);
}

async fn list_scheduled_messages(
    context: Context,
    agent: Staff,
    asked: List<ScheduleFilters>,
) -> Result<Page<ScheduledMessage>, Error> {
    let ScheduleFilters { conversation_id, author_id, state } = &asked.filters;
    let state = state.map(ScheduledState::as_str);
    let transaction = context.begin(&agent).await?;
    let rows = transaction.list(&SCHEDULED, &asked, &[conversation_id, author_id, &state]).await?;
    Ok(asked.page(rows, |scheduled: &ScheduledMessage| (scheduled.due_at, scheduled.id)))
}
