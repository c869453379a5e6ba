//! What WhatsApp tells about a client, such as a new number or a new phone. It is no word of theirs: it is shown in the thread of their
//! open conversation and moves nothing.

use conversations::{MessageCreated, Written};
use shared::{phone, prelude::*};

use crate::{
    inbound::{Channel, Done, link, locate},
    payload::InboundMessage,
    statements::{ADD_NOTICE, LINK_IDENTITY},
};

pub async fn note(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    notice: &InboundMessage,
) -> Result<Done, Error> {
    let located = locate(transaction, channel, notice).await?;
    let Some(client_id) = located.client_id else { return Ok(Done::Ignored("a notice about an unknown client".into())) };
    link(transaction, &located, &notice.sender, true).await?;
    follow_new_number(transaction, client_id, notice).await?;
    let Some(conversation_id) = located.conversation_id else {
        return Ok(Done::Ignored("a notice without an open conversation".into()));
    };
    let InboundMessage { id, body, payload, at, .. } = notice;
    let added = transaction.first(ADD_NOTICE, &[&context.new_id(), &conversation_id, &channel.id, body, payload, id, at]).await?;
    let Some(Written { conversation, message }) = added else { return Ok(Done::Duplicate) };
    let topic = Topic::Conversation(conversation.id);
    transaction.emit(Event::new(topic, conversation.audience(), &MessageCreated { message }));
    Ok(Done::Stored)
}

/// A client who changed their number stays the same client.
async fn follow_new_number(transaction: &Transaction, client_id: Uuid, notice: &InboundMessage) -> Result<(), Error> {
    let system = &notice.payload["system"];
    if system["type"] != "user_changed_number" {
        return Ok(());
    }
    let Some(wa_id) = system["wa_id"].as_str() else { return Ok(()) };
    let number = Some(phone::canonical(wa_id));
    transaction.execute(LINK_IDENTITY, &[&client_id, &number, &Some(wa_id), &None::<String>, &true]).await?;
    Ok(())
}
