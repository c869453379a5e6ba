//! GET /chat/messages/{id}/revisions — what a message said before it was changed, the oldest first.

use futures_util::future::join;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/chat/messages/{id}/revisions").fails(&[NOT_FOUND]);

const IS_SEEN: &str = "select from chat_messages where id = $1 and deleted_at is null";

const REVISIONS: &str = "
    select revision, body, replaced_at
      from chat_message_revisions
     where message_id = $1
     order by revision";

/// Words that a message once had.
#[derive(Serialize, JsonSchema, FromRow)]
struct ChatMessageRevision {
    revision: i32,
    body: String,
    /// When its author put others in their place.
    replaced_at: Timestamp,
}

pub fn main() {
    serve(&ROUTE, list_chat_message_revisions);
}

async fn list_chat_message_revisions(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
) -> Result<Page<ChatMessageRevision>, Error> {
    let transaction = context.begin(&caller).await?;
    let (seen, revisions) = join(transaction.query(IS_SEEN, &[&id]), transaction.all(REVISIONS, &[&id])).await;
    if seen?.is_empty() {
        return Err(NOT_FOUND.into());
    }
    Ok(Page::whole(revisions?))
}
