//! Ending conversations, one or many.

use futures_util::future::try_join;
use shared::prelude::*;

use crate::{
    CONVERSATION_CLOSED, Conversation, ConversationClosed, HeldConversation, NOT_HOLDER, RATING_SETTINGS, RatingSettings,
    SystemMessage, add_system_messages, emit_conversation, updated_conversation,
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

/// Ends locked conversations, which the inboxes are told and the threads keep. Clients who can be written to are asked for a rating, where that
/// is wanted: by `asks_rating` or else by the company.
///
/// # Errors
/// Those of the database.
pub async fn close(
    context: &Context,
    transaction: &Transaction,
    by: &Identity,
    held: &[&HeldConversation],
    reason: Option<&str>,
    asks_rating: Option<bool>,
) -> Result<Vec<Conversation>, Error> {
    let ids: Vec<Uuid> = held.iter().map(|held| held.id).collect();
    let (mut closed, settings): (Vec<Conversation>, RatingSettings) =
        try_join(transaction.all(CLOSE, &[&ids, &reason]), transaction.one(RATING_SETTINGS, &[&by.company_id])).await?;
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
    if asks_rating.unwrap_or(settings.asks_rating) {
        let may_be_asked = |conversation: &&Conversation| {
            conversation.window_expires_at.is_some_and(|end| end > context.now())
                && held.iter().any(|held| held.id == conversation.id && !held.is_client_blocked && !held.is_channel_removed)
        };
        let to_ask: Vec<&Conversation> = closed.iter().filter(may_be_asked).collect();
        let asked = settings.ask(context, transaction, by, &to_ask).await?;
        for conversation in asked {
            if let Some(shown) = closed.iter_mut().find(|shown| shown.id == conversation.id) {
                *shown = conversation;
            }
        }
    }
    Ok(closed)
}
