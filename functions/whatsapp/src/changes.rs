//! What webhooks change in messages: statuses, reactions, edits, messages taken back. What comes before its message waits for it.

use conversations::{
    ConversationUpdated, DeliveryStatus, MessageDeleted, MessageStatus, MessageUpdated, SHOW_PREVIEW, Written, emit_conversation,
    emit_message, enqueue_unheard,
};
use futures_util::future::try_join;
use shared::prelude::*;
use tokio_postgres::types::ToSql;

use crate::{
    channel::{Channel, Done},
    item::{Change, Charge, InboundMessage, InboundStatus},
    sender::is_blocked,
    statements::{ADD_CHARGE, EDIT, HANDED_OVER, HOLD_CHANGE, HOLD_STATUS, REACT, REVOKE, SET_STATUS, TAKE_EARLY_CHANGES},
};

#[derive(FromRow)]
struct Changed {
    id: Option<Uuid>,
    conversation_id: Option<Uuid>,
    client_message_id: Option<String>,
    status: Option<DeliveryStatus>,
    error_code: Option<String>,
    error_detail: Option<String>,
    department_id: Option<Uuid>,
    assignee_id: Option<Uuid>,
    participant_ids: Vec<Uuid>,
    client_id: Option<Uuid>,
    is_unheard: bool,
}

/// Moves a message's status forward, or keeps it for a message that is not known yet.
pub async fn set_status(transaction: &Transaction, channel: &Channel, status: &InboundStatus) -> Result<Done, Error> {
    let InboundStatus { id, status, message_id, at, error_code, error_detail, charge } = status;
    let row: [&(dyn ToSql + Sync); 6] = [&channel.id, id, message_id, status, error_code, error_detail];
    // Whether the message is known yet makes it no cheaper.
    let charged = add_charge(transaction, channel, id, *at, charge.as_ref());
    let ((), moved): (_, Option<Changed>) = try_join(charged, transaction.first(SET_STATUS, &row)).await?;
    let Some(changed) = moved else {
        let held = transaction.execute(HOLD_STATUS, &[&channel.id, id, status, error_code, error_detail, at]).await?;
        return Ok(if held > 0 { Done::Held } else { Done::Duplicate });
    };
    let (Some(message_id), Some(conversation_id), Some(client_id), Some(status)) =
        (changed.id, changed.conversation_id, changed.client_id, changed.status)
    else {
        return Ok(Done::Duplicate);
    };
    let payload = MessageStatus {
        message_id,
        conversation_id,
        client_message_id: changed.client_message_id,
        status,
        error_code: changed.error_code,
        error_detail: changed.error_detail,
    };
    let audience = Audience::conversation(changed.department_id, changed.assignee_id)
        .and_participants(&changed.participant_ids)
        .and_client(client_id);
    transaction.emit(Event::new(Topic::Conversation(conversation_id), audience, &payload));
    if changed.is_unheard {
        enqueue_unheard(transaction, conversation_id, message_id);
    }
    Ok(Done::Stored)
}

async fn add_charge(
    transaction: &Transaction,
    channel: &Channel,
    id: &str,
    at: Timestamp,
    charge: Option<&Charge>,
) -> Result<(), Error> {
    let Some(Charge { category, country }) = charge else { return Ok(()) };
    transaction.execute(ADD_CHARGE, &[&channel.id, &id, category, country, &at]).await.map(drop)
}

/// The message of ours in this conversation of which the provider tells so.
pub async fn own_message(
    transaction: &Transaction,
    channel: &Channel,
    conversation_id: Uuid,
    message: &InboundMessage,
) -> Result<Option<Uuid>, Error> {
    if !channel.provider.echoes_ours() {
        return Ok(None);
    }
    let asked: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
        [&channel.id, &conversation_id, &message.kind, &message.body, &message.id];
    Ok(transaction.query(HANDED_OVER, &asked).await?.first().map(|row| row.get("id")))
}

#[derive(FromRow)]
struct Kept {
    is_held: bool,
    /// The message is known, and it is not the author's to change.
    is_foreign: bool,
}

/// Changes a message, or keeps the change until the message comes.
pub async fn change(transaction: &Transaction, channel: &Channel, change: &Change) -> Result<Done, Error> {
    let Some(mut written) = make(transaction, channel, change).await? else {
        return Ok(match hold(transaction, channel, change).await? {
            Kept { is_held: true, .. } => Done::Held,
            Kept { is_foreign: true, .. } => Done::Ignored(format!("{} of a message that is not its author's", change.kind)),
            Kept { .. } => Done::Duplicate,
        });
    };
    let is_shown = change.kind != "reaction" && show_preview(transaction, &mut written).await?;
    if change.changed_by == "client" && is_blocked(transaction, written.conversation.client_id).await? {
        return Ok(Done::Stored);
    }
    if is_shown {
        emit_conversation::<ConversationUpdated>(transaction, channel.company_id, &written.conversation, None, None);
    }
    let Written { conversation, message } = written;
    if change.kind == "revoke" {
        emit_message(transaction, &conversation, &MessageDeleted { message });
    } else {
        emit_message(transaction, &conversation, &MessageUpdated { message });
    }
    Ok(Done::Stored)
}

async fn hold(transaction: &Transaction, channel: &Channel, change: &Change) -> Result<Kept, Error> {
    let Change { id, target, kind, changed_by, phone, user_id, body, at } = change;
    let user_kind = channel.provider.user_id_kind();
    transaction.one(HOLD_CHANGE, &[&channel.id, target, changed_by, phone, user_id, id, kind, body, at, &user_kind]).await
}

/// Changes a message of the past, or keeps the change until the message comes. Nobody is told.
pub async fn settle(transaction: &Transaction, channel: &Channel, change: &Change) -> Result<(), Error> {
    let Some(mut written) = make(transaction, channel, change).await? else {
        return hold(transaction, channel, change).await.map(drop);
    };
    show_preview(transaction, &mut written).await.map(drop)
}

/// Makes the changes that came before a message of the past.
pub async fn settle_early(transaction: &Transaction, channel: &Channel, provider_id: &str) -> Result<(), Error> {
    let early: Vec<Change> = transaction.all(TAKE_EARLY_CHANGES, &[&channel.id, &provider_id]).await?;
    for change in early {
        settle(transaction, channel, &change).await?;
    }
    Ok(())
}

/// Makes the changes that came before their message. Answers it as they leave it.
pub async fn make_early(
    transaction: &Transaction,
    channel: &Channel,
    provider_id: &str,
    mut written: Written,
) -> Result<Written, Error> {
    let early: Vec<Change> = transaction.all(TAKE_EARLY_CHANGES, &[&channel.id, &provider_id]).await?;
    for change in early {
        written = make(transaction, channel, &change).await?.unwrap_or(written);
    }
    show_preview(transaction, &mut written).await?;
    Ok(written)
}

/// Brings what lists show of the conversation up to date, if it is this message. Answers whether it was.
async fn show_preview(transaction: &Transaction, written: &mut Written) -> Result<bool, Error> {
    let Written { conversation, message } = written;
    let shown = transaction.first(SHOW_PREVIEW, &[&conversation.id, &message.id, &message.preview()]).await?;
    let is_shown = shown.is_some();
    if let Some(shown) = shown {
        *conversation = shown;
    }
    Ok(is_shown)
}

/// `None` when the message is not known, knows of the change, or is not its author's to change.
async fn make(transaction: &Transaction, channel: &Channel, change: &Change) -> Result<Option<Written>, Error> {
    let Change { id, target, kind, changed_by, phone, user_id, body, at } = change;
    let (channel_id, seconds, user_kind) = (&channel.id, at.as_duration().as_secs_f64(), channel.provider.user_id_kind());
    match kind.as_str() {
        "edit" => transaction.first(EDIT, &[channel_id, target, changed_by, phone, user_id, id, body, at, &user_kind]).await,
        "revoke" => transaction.first(REVOKE, &[channel_id, target, changed_by, phone, user_id, &user_kind]).await,
        _ => transaction.first(REACT, &[channel_id, target, changed_by, phone, user_id, body, &seconds, &user_kind]).await,
    }
}
