//! Ending conversations, one or many.

use shared::prelude::*;

use crate::{
    CONVERSATION_CLOSED, Conversation, ConversationClosed, HeldConversation, NOT_HOLDER, SystemMessage, add_system_messages,
    emit_conversation, updated_conversation,
};

const CLOSE: &str = updated_conversation!(
    "
        update conversations
           set ended_at = now(),
               close_reason = $2,
               read_count = inbound_count,
               version = version + 1
         where id = any ($1)
        returning *"
);

/// Whether this caller may end it.
///
/// # Errors
/// What keeps them from it.
pub fn may_close(caller: &Identity, held: &HeldConversation) -> Result<(), Problem> {
    match held {
        _ if held.is_closed() => Err(CONVERSATION_CLOSED),
        _ if !held.may_be_moved_by(caller) => Err(NOT_HOLDER),
        _ => Ok(()),
    }
}

/// Ends locked conversations, which the inboxes are told and the threads keep.
///
/// # Errors
/// Those of the database.
pub async fn close(
    context: &Context,
    transaction: &Transaction,
    by: &Identity,
    held: &[&HeldConversation],
    reason: Option<&str>,
) -> Result<Vec<Conversation>, Error> {
    let ids: Vec<Uuid> = held.iter().map(|held| held.id).collect();
    let closed: Vec<Conversation> = transaction.all(CLOSE, &[&ids, &reason]).await?;
    let why = reason.map(|reason| format!(" Motivo: {reason}")).unwrap_or_default();
    let line = SystemMessage {
        text: format!("Conversa encerrada.{why}"),
        payload: json!({"act": "closed", "by_user_id": by.user_id, "reason": reason}),
    };
    for conversation in &closed {
        emit_conversation::<ConversationClosed>(transaction, by.company_id, conversation, Some(by.user_id), None);
        let before = held.iter().find(|held| held.id == conversation.id).map(|held| held.status);
        transaction.audit(conversation.id, &json!({"status": before}), &json!({"status": "closed", "reason": reason}));
    }
    add_system_messages(context, transaction, &closed, &line);
    Ok(closed)
}
