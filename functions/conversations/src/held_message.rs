//! One message that somebody does something with, under the lock of its conversation.

use integrations::ChannelKind;
use shared::{error::NOT_FOUND, prelude::*};
use tokio_postgres::types::Json as Jsonb;

use crate::{Conversation, HeldConversation, Message, MessageKind, NOT_AUTHOR, kept_in_sight, message_columns, message_joins};

pub const MESSAGE: &str = concat!("select ", message_columns!(), " from messages ", message_joins!(), " where messages.id = $1");

/// Conversations come before messages in the order of locks. A reaction is shown on its message and is none by itself.
const LOCK_MESSAGE: &str = concat!(
    "select ",
    kept_in_sight!(),
    ", channel_accounts.kind as channel_kind,
            (select to_jsonb(message) from (select ",
    message_columns!(),
    " from messages ",
    message_joins!(),
    " where messages.id = $1) message) as message
       from messages target
       join conversations on conversations.company_id = target.company_id and conversations.id = target.conversation_id
       join channel_accounts on channel_accounts.company_id = target.company_id
                            and channel_accounts.id = target.channel_account_id
      where target.id = $1 and target.kind <> 'reaction'
        for update of conversations"
);

/// A message with its locked conversation. The message is as it was before whoever held the lock let go: statements that change it say
/// what it must be.
#[derive(Debug, FromRow)]
pub struct HeldMessage {
    #[from_row(flatten)]
    pub conversation: HeldConversation,
    pub channel_kind: ChannelKind,
    #[from_row(from = "Jsonb<Message>")]
    pub message: Message,
}

impl HeldMessage {
    /// Whether this caller may hide it or change its words: who wrote it, or a supervisor.
    fn is_in_reach_of(&self, caller: &Identity) -> bool {
        self.message.kind != MessageKind::System && (self.message.sender_id == Some(caller.user_id) || caller.role.is_leader())
    }
}

/// Locks a message's conversation for a command; 404 when the caller does not see it.
pub async fn lock_message(transaction: &Transaction, id: Uuid) -> Result<HeldMessage, Error> {
    transaction.one(LOCK_MESSAGE, &[&id]).await
}

/// Locks a message that this caller may hide or change.
///
/// # Errors
/// 404 also when it was taken back; `not_author`.
pub async fn lock_changeable_message(transaction: &Transaction, caller: &Identity, id: Uuid) -> Result<HeldMessage, Error> {
    let held = lock_message(transaction, id).await?;
    if held.message.deleted_at.is_some() {
        return Err(NOT_FOUND.into());
    }
    if held.is_in_reach_of(caller) { Ok(held) } else { Err(NOT_AUTHOR.into()) }
}

/// Asks for a message's delivery, after whatever else of its conversation is on its way.
pub fn enqueue_delivery(context: &Context, transaction: &Transaction, conversation: &Conversation, message_id: Uuid) {
    let payload = json!({"message_id": message_id, "channel_account_id": conversation.channel_account_id});
    transaction.enqueue(Job::new(context, Queue::Delivery, "deliver_message", conversation.id, payload));
}
