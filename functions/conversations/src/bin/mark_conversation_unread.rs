//! POST /conversations/{id}/unread — its client's last message is unread again, for staff only.

use conversations::{CONVERSATION, Conversation, ConversationUpdated, emit_conversation, lock, updated_conversation};
use shared::prelude::*;

const ROUTE: Route = Route::post("/conversations/{id}/unread");

/// No row when something is unread already, or nothing could be.
const MARK_UNREAD: &str = updated_conversation!(
    "
        update conversations
           set read_count = inbound_count - 1
         where id = $1 and inbound_count > 0 and read_count = inbound_count
        returning *"
);

pub fn main() {
    serve(&ROUTE, mark_conversation_unread);
}

async fn mark_conversation_unread(context: Context, agent: Staff, Path(id): Path<Uuid>) -> Result<Json<Conversation>, Error> {
    let transaction = context.begin(&agent).await?;
    lock(&transaction, id).await?;
    let Some(conversation): Option<Conversation> = transaction.first(MARK_UNREAD, &[&id]).await? else {
        let current: Conversation = transaction.one(CONVERSATION, &[&id]).await?;
        return transaction.commit(Json(current)).await;
    };
    emit_conversation::<ConversationUpdated>(&transaction, agent.company_id, &conversation, Some(agent.user_id), None);
    transaction.audit(id, &json!({"unread": 0}), &json!({"unread": conversation.unread}));
    transaction.commit(Json(conversation)).await
}
