//! GET /conversations/{id}/transfers — who has had the conversation, the last change first.

use conversations::IS_SEEN;
use futures_util::future::join;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/conversations/{id}/transfers").fails(&[NOT_FOUND]);

/// A change of a conversation's user or department: where it was and where it went. A null user is the bot or the queue.
#[derive(Serialize, JsonSchema, FromRow)]
struct ConversationTransfer {
    id: Uuid,
    conversation_id: Uuid,
    from_user_id: Option<Uuid>,
    from_user_name: Option<String>,
    to_user_id: Option<Uuid>,
    to_user_name: Option<String>,
    from_department_id: Option<Uuid>,
    from_department_name: Option<String>,
    to_department_id: Option<Uuid>,
    to_department_name: Option<String>,
    /// Whose act it was; null for the bot and the system.
    by_user_id: Option<Uuid>,
    reason: Option<String>,
    transferred_at: Timestamp,
}

const TRANSFERS: TimeList = TimeList {
    rows: "select * from conversation_transfers transfers where conversation_id = $1",
    at: "transfers.at",
    id: "transfers.id",
    shown: "
    select transfers.id, transfers.conversation_id,
           transfers.from_user_id, from_user.name as from_user_name,
           transfers.to_user_id, to_user.name as to_user_name,
           transfers.from_department_id, from_department.name as from_department_name,
           transfers.to_department_id, to_department.name as to_department_name,
           transfers.by_user_id, transfers.reason, transfers.at as transferred_at
      from page transfers
      left join users from_user on from_user.id = transfers.from_user_id
      left join users to_user on to_user.id = transfers.to_user_id
      left join departments from_department on from_department.id = transfers.from_department_id
      left join departments to_department on to_department.id = transfers.to_department_id",
};

pub fn main() {
    serve(&ROUTE, list_transfers);
}

async fn list_transfers(
    context: Context,
    agent: Staff,
    Path(conversation): Path<Uuid>,
    asked: List,
) -> Result<Page<ConversationTransfer>, Error> {
    let transaction = context.begin(&agent).await?;
    let (seen, transfers) =
        join(transaction.query(IS_SEEN, &[&conversation]), transaction.list(&TRANSFERS, &asked, &[&conversation])).await;
    if seen?.is_empty() {
        return Err(NOT_FOUND.into());
    }
    Ok(asked.page(transfers?, |row: &ConversationTransfer| (row.transferred_at, row.id)))
}
