//! What a webhook's item does to a company's conversations. Each item has run or has left nothing behind.

use conversations::{
    ConversationCreated, ConversationReopened, ConversationUpdated, MessageCreated, Mode, Written, emit_conversation,
    emit_message, enqueue_bot_turn, preview, rating_said,
};
use shared::{
    error::{Error, INTERNAL, UNAVAILABLE},
    files::{clean_name, incoming_key},
    prelude::*,
};
use tokio_postgres::types::ToSql;

use crate::{
    account, changes,
    channel::{Channel, Done, TRIES},
    clients, history,
    item::{InboundMessage, InboundStatus, Item, Sender},
    leads, notices,
    sender::{Located, client_of, create_client, follow, link, locate},
    statements::{APPLY, COUNT_HELD, FIND_HELD, OPEN, OPEN_HELD, REOPEN},
    templates,
};

/// Does one item. An error leaves the transaction to be rolled back to its savepoint.
pub async fn apply(context: &Context, transaction: &Transaction, channel: &Channel, item: &Item) -> Result<Done, Error> {
    match item {
        Item::Message(message) => store(context, transaction, channel, message, "client").await,
        Item::Echo(message) => store(context, transaction, channel, message, "agent").await,
        Item::Notice(notice) => notices::note(context, transaction, channel, notice).await,
        Item::Status(status) => changes::set_status(transaction, channel, status).await,
        Item::Change(change) => changes::change(transaction, channel, change).await,
        Item::NewUserId { previous, current } => {
            let client_id = client_of(transaction, channel.provider.user_id_kind(), previous).await?;
            let Some(client_id) = client_id else { return Ok(Done::Ignored("a new id of an unknown client".into())) };
            let sender = Sender { user_id: Some(current.clone()), ..Sender::default() };
            follow(context, transaction, channel, client_id, &sender).await?;
            Ok(Done::Stored)
        }
        Item::Preference(preference) => clients::prefer(context, transaction, channel, preference).await,
        Item::Lead(lead) => leads::note(context, transaction, channel, lead).await,
        Item::Contact(contact) => clients::name(transaction, contact).await,
        Item::Account(notice) => account::note(context, transaction, channel, notice).await,
        Item::Template(change) => templates::change(transaction, channel, change).await,
        Item::Past(past) => history::store(context, transaction, channel, past).await,
        Item::History(told) => history::note(context, transaction, channel, told).await,
        Item::Group { .. } => Ok(Done::Group),
        Item::Ignored(what) => Ok(Done::Ignored(what.clone())),
        Item::Broken { error, .. } => Err(INTERNAL.caused_by(error)),
    }
}

/// Whether a conversation was there already.
#[derive(Clone, Copy, PartialEq)]
enum Found {
    Open,
    Reopened,
    Created,
    /// The client is blocked.
    Silent,
    /// Closed, and asked for this rating.
    Rated(i16),
}

async fn store(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    message: &InboundMessage,
    sender_type: &str,
) -> Result<Done, Error> {
    let mark = transaction.mark();
    let rating = rating_said(message.kind, &message.body, &message.payload).filter(|_| sender_type == "client");
    for _ in 0..TRIES {
        let located = locate(context, transaction, channel, message, rating.is_some()).await?;
        if located.is_known {
            return Ok(Done::Duplicate);
        }
        if let Some(own) = handed_over(transaction, channel, &located, message, sender_type).await? {
            let status = InboundStatus::sent(message, own);
            return changes::set_status(transaction, channel, &status).await;
        }
        let client_id = if let Some(client_id) = located.client_id {
            client_id
        } else {
            // Somebody else has just created them: look again.
            let Some(id) = create_client(context, transaction, channel, &message.sender).await? else { continue };
            id
        };
        let is_address = sender_type == "client" && channel.provider.writes_addresses();
        link(transaction, channel, &located, &message.sender, is_address).await?;
        let wanted = if located.is_blocked && sender_type == "client" {
            Some(find_held(context, transaction, channel, client_id, message).await?)
        } else if let (Some(rating), Some(id)) = (rating, located.rated_conversation_id) {
            Some((id, Found::Rated(rating)))
        } else {
            find_conversation(context, transaction, channel, client_id, located.conversation_id, message, sender_type).await?
        };
        let Some((conversation_id, found)) = wanted else {
            transaction.rollback_to_savepoint(mark);
            continue;
        };
        if let Some(written) = add(context, transaction, channel, (conversation_id, found), message, sender_type).await? {
            if found == Found::Silent {
                transaction.execute(COUNT_HELD, &[&client_id]).await?;
            }
            announce(context, transaction, channel, written, found, sender_type);
            return Ok(Done::Stored);
        }
        // Stored or closed by another webhook or an agent meanwhile: look again.
        transaction.rollback_to_savepoint(mark);
    }
    Err(UNAVAILABLE.caused_by("lost every race for the conversation"))
}

/// The message of ours that an echo is, where a provider tells of what we have sent as of what was typed on the phone.
async fn handed_over(
    transaction: &Transaction,
    channel: &Channel,
    located: &Located,
    message: &InboundMessage,
    sender_type: &str,
) -> Result<Option<Uuid>, Error> {
    match located.conversation_id.filter(|_| sender_type != "client") {
        Some(conversation_id) => changes::own_message(transaction, channel, conversation_id, message).await,
        None => Ok(None),
    }
}

/// The open conversation: the one located, the last one reopened, or a new one. `None` when another webhook was faster.
async fn find_conversation(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    client_id: Uuid,
    located: Option<Uuid>,
    message: &InboundMessage,
    sender_type: &str,
) -> Result<Option<(Uuid, Found)>, Error> {
    if let Some(id) = located {
        return Ok(Some((id, Found::Open)));
    }
    let again: [&(dyn ToSql + Sync); 4] = [&channel.id, &client_id, &channel.reopen_window, &channel.bot_flow_id];
    let reopened = transaction.query(REOPEN, &again).await?;
    if let Some(row) = reopened.first() {
        return Ok(Some((row.get("id"), Found::Reopened)));
    }
    let id = context.new_id();
    let flow = channel.bot_flow_id.filter(|_| sender_type == "client");
    let made = transaction.query(OPEN, &[&id, &client_id, &channel.id, &channel.department_id, &flow, &message.at]).await?;
    Ok(made.first().map(|_| (id, Found::Created)))
}

/// Where a blocked client's message is kept.
async fn find_held(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    client_id: Uuid,
    message: &InboundMessage,
) -> Result<(Uuid, Found), Error> {
    if let Some(row) = transaction.query(FIND_HELD, &[&channel.id, &client_id]).await?.first() {
        return Ok((row.get("id"), Found::Silent));
    }
    let id = context.new_id();
    transaction.execute(OPEN_HELD, &[&id, &client_id, &channel.id, &channel.department_id, &message.at]).await?;
    Ok((id, Found::Silent))
}

#[derive(FromRow)]
struct Added {
    #[from_row(flatten)]
    written: Written,
    /// Changes of this message have come before it.
    has_early_changes: bool,
}

/// Stores the message, with the changes that came before it. `None` when it is there already or its conversation is closed.
async fn add(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    (conversation_id, found): (Uuid, Found),
    message: &InboundMessage,
    sender_type: &str,
) -> Result<Option<Written>, Error> {
    let media = message.media.as_ref();
    let file_id = media.map(|_| context.new_id());
    let storage_key = file_id.map(|id| incoming_key(channel.company_id, id));
    let rating = match found {
        Found::Rated(rating) => Some(rating),
        _ => None,
    };
    let mut payload = message.payload.clone();
    if let Some(rating) = rating {
        payload["rating"] = json!(rating);
    }
    let name = media.map(|media| clean_name(media.name.as_deref().unwrap_or(message.kind)));
    let added: Option<Added> = transaction
        .first(
            APPLY,
            &[
                &conversation_id,
                &context.new_id(),
                &channel.id,
                &sender_type,
                &message.kind,
                &message.body,
                &payload,
                &message.reply_to,
                &message.id,
                &message.at,
                &preview(message.kind, &message.body),
                &file_id,
                &name,
                &media.map(|media| media.mime_type.clone()),
                &storage_key,
                &media.map(|media| media.id.clone()),
                &(found == Found::Silent),
                &message.sender.identity(channel.provider).filter(|_| sender_type == "client"),
                &rating,
            ],
        )
        .await?;
    match added {
        Some(Added { written, has_early_changes: true }) => {
            changes::make_early(transaction, channel, &message.id, written).await.map(Some)
        }
        added => Ok(added.map(|added| added.written)),
    }
}

fn announce(context: &Context, transaction: &Transaction, channel: &Channel, written: Written, found: Found, sender_type: &str) {
    let Written { conversation, message } = written;
    let company_id = channel.company_id;
    if let Some(file) = &message.file {
        let payload = json!({"file_id": file["id"], "message_id": message.id, "channel_account_id": channel.id});
        transaction.enqueue(Job::new(context, Queue::Media, "fetch_media", file["id"].as_str().unwrap_or_default(), payload));
    }
    match found {
        Found::Silent => return,
        Found::Open | Found::Rated(_) => {
            emit_conversation::<ConversationUpdated>(transaction, company_id, &conversation, None, None);
        }
        Found::Reopened => emit_conversation::<ConversationReopened>(transaction, company_id, &conversation, None, None),
        Found::Created => emit_conversation::<ConversationCreated>(transaction, company_id, &conversation, None, None),
    }
    if conversation.mode == Mode::Bot && sender_type == "client" && !matches!(found, Found::Rated(_)) {
        enqueue_bot_turn(context, transaction, conversation.id);
    }
    emit_message(transaction, &conversation, &MessageCreated { message });
}
