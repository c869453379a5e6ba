//! Adding an outgoing message: the row, the conversation's change, the job that delivers it, the events, in one transaction.

use shared::prelude::*;
use tokio_postgres::types::Json as Jsonb;

use crate::{
    Author, Conversation, ConversationUpdated, Message, MessageCreated, MessageKind, conversation_columns, conversation_joins,
    emit_conversation, emit_message, enqueue_delivery, message_columns, message_joins, preview,
};

/// A human reply moves the fence and counts everything the client wrote as read; automatic words do neither. The time is the
/// clock's under the conversation's lock: a thread has the order in which its messages go out.
const ADD_OUTGOING: &str = concat!(
    "with new_message as (
        insert into messages (id, conversation_id, channel_account_id, sender_type, sender_id, kind, body, payload, file_id,
                              reply_to_id, client_message_id, status, sent_at, fence)
        select $1, conversations.id, conversations.channel_account_id, $3, $4, $5, $6, $7, $8, $9, $10, 'queued', clock_timestamp(),
               case when $3 = 'bot' then conversations.version end
          from conversations
         where conversations.id = $2
        on conflict on constraint messages_client_message_id do nothing
        returning *
    ), updated as (
        update conversations
           set last_message_at = new_message.sent_at,
               last_message_id = new_message.id,
               last_message_preview = $11,
               last_message_from = $3,
               version = conversations.version + case when $12 then 1 else 0 end,
               first_human_at = case when $12 then coalesce(conversations.first_human_at, now()) else conversations.first_human_at end,
               read_count = case when $12 then conversations.inbound_count else conversations.read_count end
          from new_message
         where conversations.id = new_message.conversation_id
        returning conversations.*
    )
    select ",
    conversation_columns!(),
    ", (select to_jsonb(message) from (select ",
    message_columns!(),
    " from new_message as messages ",
    message_joins!(),
    ") message) as message
      from updated as conversations ",
    conversation_joins!()
);

/// What a message carries.
#[derive(Clone, Debug)]
pub struct Content {
    pub kind: MessageKind,
    pub body: String,
    pub payload: Value,
    pub file_id: Option<Uuid>,
}

/// A message on its way out.
#[derive(Clone, Debug)]
pub struct NewMessage {
    pub id: Uuid,
    pub conversation_id: Uuid,
    pub sender_type: Author,
    pub sender_id: Option<Uuid>,
    pub content: Content,
    pub reply_to_id: Option<Uuid>,
    pub client_message_id: Option<String>,
    /// Whether somebody answers with it; not what the bot or a rule of the company says.
    pub is_reply: bool,
}

/// Adds the message with its delivery job and events. `None` when its `client_message_id` was used before: nothing is changed then.
pub async fn add_outgoing(
    context: &Context,
    transaction: &Transaction,
    company_id: Uuid,
    new: NewMessage,
) -> Result<Option<(Conversation, Message)>, Error> {
    let NewMessage { id, conversation_id, sender_type, sender_id, content, reply_to_id, client_message_id, is_reply } = new;
    let Content { kind, body, payload, file_id } = content;
    let preview = preview(kind.as_str(), &body);
    let payload = if payload.is_null() { json!({}) } else { payload };
    let written = transaction
        .first(
            ADD_OUTGOING,
            &[
                &id,
                &conversation_id,
                &sender_type.as_str(),
                &sender_id,
                &kind.as_str(),
                &body,
                &payload,
                &file_id,
                &reply_to_id,
                &client_message_id,
                &preview,
                &is_reply,
            ],
        )
        .await?;
    let Some(Written { conversation, message }) = written else { return Ok(None) };
    emit_message(transaction, &conversation, &MessageCreated { message: message.clone() });
    emit_conversation::<ConversationUpdated>(transaction, company_id, &conversation, sender_id, None);
    enqueue_delivery(context, transaction, &conversation, id);
    Ok(Some((conversation, message)))
}

/// What a message says when it is sent on to somebody else; `None` for what was taken back, whose file is not there, or that makes sense
/// in its own conversation only.
#[must_use]
pub fn sent_on(message: &Message) -> Option<Content> {
    let names: &[&str] = match message.kind {
        MessageKind::Text | MessageKind::Image | MessageKind::Video | MessageKind::Document | MessageKind::Sticker => &[],
        MessageKind::Audio => &["voice"],
        MessageKind::Location => &["latitude", "longitude", "name", "address"],
        MessageKind::Contacts => &["contacts"],
        _ => return None,
    };
    let mut payload: Map<String, Value> =
        names.iter().filter_map(|name| Some(((*name).to_owned(), message.payload.get(*name)?.clone()))).collect();
    payload.insert("forwarded".into(), json!(true));
    let has_file = matches!(
        message.kind,
        MessageKind::Image | MessageKind::Video | MessageKind::Document | MessageKind::Sticker | MessageKind::Audio
    );
    let file = message.file.as_ref().filter(|file| file["status"] == "ready");
    let file_id = file.and_then(|file| file["id"].as_str()?.parse().ok());
    if message.deleted_at.is_some() || has_file != file_id.is_some() {
        return None;
    }
    Some(Content { kind: message.kind, body: message.body.clone(), payload: Value::Object(payload), file_id })
}

/// A message that was added or changed, with its conversation: `conversation_columns`, and the message as JSON.
#[derive(Debug, FromRow)]
pub struct Written {
    #[from_row(flatten)]
    pub conversation: Conversation,
    #[from_row(from = "Jsonb<Message>")]
    pub message: Message,
}

impl From<Jsonb<Self>> for Message {
    fn from(Jsonb(message): Jsonb<Self>) -> Self {
        message
    }
}
