//! What webhooks change in messages that are there already: statuses, reactions, edits, messages taken back.

use conversations::{MessageDeleted, MessageStatus, MessageUpdated, Written, emit_message};
use shared::prelude::*;

pub use crate::statements::FOLLOW_USER_ID;
use crate::{
    inbound::{Channel, Done},
    payload::InboundStatus,
    statements::{EDIT, MESSAGE_EXISTS, REACT, REVOKE, SET_STATUS},
};

#[derive(FromRow)]
struct Changed {
    id: Option<Uuid>,
    conversation_id: Option<Uuid>,
    client_message_id: Option<String>,
    status: Option<String>,
    error_code: Option<String>,
    error_detail: Option<String>,
    department_id: Option<Uuid>,
    assignee_id: Option<Uuid>,
    client_id: Option<Uuid>,
    is_early: bool,
}

/// Moves a message's status forward, or keeps it for a message that is not known yet.
pub async fn set_status(transaction: &Transaction, channel: &Channel, status: &InboundStatus) -> Result<Done, Error> {
    let InboundStatus { id, at, message_id, error_code, error_detail, .. } = status;
    let changed: Changed =
        transaction.one(SET_STATUS, &[&channel.id, id, message_id, &status.status, error_code, error_detail, at]).await?;
    let (Some(message_id), Some(conversation_id), Some(client_id)) = (changed.id, changed.conversation_id, changed.client_id)
    else {
        return Ok(if changed.is_early { Done::Stored } else { Done::Duplicate });
    };
    let payload = MessageStatus {
        message_id,
        conversation_id,
        client_message_id: changed.client_message_id,
        status: changed.status.unwrap_or_default(),
        error_code: changed.error_code,
        error_detail: changed.error_detail,
    };
    let audience = Audience::conversation(changed.department_id, changed.assignee_id).and_client(client_id);
    transaction.emit(Event::new(Topic::Conversation(conversation_id), audience, &payload));
    Ok(Done::Stored)
}

/// Sets or removes the client's reaction. `false` when its message is not known.
pub async fn react(
    transaction: &Transaction,
    channel: &Channel,
    target: &str,
    emoji: &str,
    at: Timestamp,
) -> Result<bool, Error> {
    let at = at.as_duration().as_secs_f64();
    if let Some(Written { conversation, message }) = transaction.first(REACT, &[&channel.id, &target, &emoji, &at]).await? {
        emit_message(transaction, &conversation, &MessageUpdated { message });
        return Ok(true);
    }
    exists(transaction, channel, target).await
}

/// Replaces a message's text, keeping the old one as a revision.
pub async fn edit(transaction: &Transaction, channel: &Channel, target: &str, edit_id: &str, body: &str) -> Result<Done, Error> {
    if let Some(Written { conversation, message }) = transaction.first(EDIT, &[&channel.id, &target, &edit_id, &body]).await? {
        emit_message(transaction, &conversation, &MessageUpdated { message });
        return Ok(Done::Stored);
    }
    let is_known = exists(transaction, channel, target).await?;
    Ok(if is_known { Done::Duplicate } else { Done::Ignored("edit of an unknown message".into()) })
}

/// Marks a message as taken back by the client.
pub async fn revoke(transaction: &Transaction, channel: &Channel, target: &str) -> Result<Done, Error> {
    if let Some(Written { conversation, message }) = transaction.first(REVOKE, &[&channel.id, &target]).await? {
        emit_message(transaction, &conversation, &MessageDeleted { message });
        return Ok(Done::Stored);
    }
    let is_known = exists(transaction, channel, target).await?;
    Ok(if is_known { Done::Duplicate } else { Done::Ignored("revocation of an unknown message".into()) })
}

async fn exists(transaction: &Transaction, channel: &Channel, target: &str) -> Result<bool, Error> {
    Ok(!transaction.query(MESSAGE_EXISTS, &[&channel.id, &target]).await?.is_empty())
}
