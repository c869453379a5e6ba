//! What WhatsApp tells about a client, such as a new number or a new phone. It is no word of theirs: it is shown in the thread of their
//! open conversation and moves nothing.

use conversations::{MessageCreated, Written};
use shared::prelude::*;

use crate::{
    channel::{Channel, Done},
    item::{InboundMessage, Sender},
    named::new_number,
    sender::{follow, link, locate},
    statements::ADD_NOTICE,
};

pub async fn note(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    notice: &InboundMessage,
) -> Result<Done, Error> {
    let mut located = locate(context, transaction, channel, notice, false).await?;
    let Some(client_id) = located.client_id else { return Ok(Done::Ignored("a notice about an unknown client".into())) };
    link(transaction, channel, &located, &notice.sender, true).await?;
    // A client who changed their number stays the same client.
    if let Some(number) = new_number(notice) {
        let sender = Sender { wa_id: Some(number.to_owned()), ..Sender::default() };
        follow(context, transaction, channel, client_id, &sender).await?;
        located = locate(context, transaction, channel, notice, false).await?;
    }
    let Some(conversation_id) = located.conversation_id else {
        return Ok(Done::Ignored("a notice without an open conversation".into()));
    };
    let InboundMessage { id, body, payload, at, .. } = notice;
    let added = transaction.first(ADD_NOTICE, &[&context.new_id(), &conversation_id, &channel.id, body, payload, id, at]).await?;
    let Some(Written { conversation, message }) = added else { return Ok(Done::Duplicate) };
    if located.is_blocked {
        return Ok(Done::Stored);
    }
    let topic = Topic::Conversation(conversation.id);
    transaction.emit(Event::new(topic, conversation.audience(), &MessageCreated { message }));
    Ok(Done::Stored)
}
