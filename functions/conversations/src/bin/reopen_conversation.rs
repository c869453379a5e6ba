//! POST /conversations/{id}/reopen — opens a closed conversation again, for whoever had it, or its department.

use conversations::{
    ALREADY_OPEN, Conversation, ConversationReopened, IMPORTED, NOT_CLOSED, NOT_HOLDER, SystemMessage, add_system_message,
    conversation_columns, conversation_joins, emit_conversation, lock, updated_conversation,
};
use futures_util::future::try_join;
use shared::prelude::*;

const ROUTE: Route = Route::post("/conversations/{id}/reopen").fails(&[ALREADY_OPEN, IMPORTED, NOT_CLOSED, NOT_HOLDER]);

/// Who was put away comes back with their conversation, and clients come before conversations in the order of locks.
const LOCK_CLIENT: &str = "select from clients where id = (select client_id from conversations where id = $1) for no key update";

const OPEN_ONE: &str = concat!(
    "select ",
    conversation_columns!(),
    " from conversations ",
    conversation_joins!(),
    " where conversations.client_id = $1 and conversations.channel_account_id = $2 and conversations.ended_at is null"
);

const REOPEN: &str = updated_conversation!(
    "
        update conversations
           set ended_at = null, close_reason = null, mode = 'human', version = version + 1, bot_node = null
         where id = $1 and imported_at is null
        returning *"
);

pub fn main() {
    serve(&ROUTE, reopen_conversation);
}

async fn reopen_conversation(context: Context, agent: Staff, Path(id): Path<Uuid>) -> Result<Json<Conversation>, Error> {
    let transaction = context.begin(&agent).await?;
    let (_, held) = try_join(transaction.query(LOCK_CLIENT, &[&id]), lock(&transaction, id)).await?;
    if !held.is_closed() {
        return Err(held.refuse(&transaction, NOT_CLOSED).await);
    }
    if !held.may_be_moved_by(&agent) {
        return Err(held.refuse(&transaction, NOT_HOLDER).await);
    }
    if let Some(open) = transaction.first::<Conversation>(OPEN_ONE, &[&held.client_id, &held.channel_account_id]).await? {
        return Err(ALREADY_OPEN.with_current(&open));
    }
    // What became part of another has no messages of its own any more.
    if held.merged_into_id.is_some() {
        return Err(ALREADY_OPEN.into());
    }
    // Another may be open out of the caller's sight, or have been opened meanwhile.
    let reopened: Option<Conversation> =
        transaction.first(REOPEN, &[&id]).await.on_constraint("conversations_open", ALREADY_OPEN)?;
    let Some(conversation) = reopened else { return Err(held.refuse(&transaction, IMPORTED).await) };
    emit_conversation::<ConversationReopened>(&transaction, agent.company_id, &conversation, Some(agent.user_id), None);
    let line =
        SystemMessage { text: "Conversa reaberta.".to_owned(), payload: json!({"act": "reopened", "by_user_id": agent.user_id}) };
    add_system_message(&context, &transaction, &conversation, line);
    transaction.audit(id, &json!({"status": "closed"}), &json!({"status": conversation.status}));
    transaction.commit(Json(conversation)).await
}
