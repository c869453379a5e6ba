//! An agent answers a client: one way for all routes that do it.

use futures_util::future::{join4, try_join};
use shared::{parameters, prelude::*};

use crate::{
    Attachments, Author, Content, Conversation, HeldConversation, Message, MessageToSend, NewMessage, TemplateRow, add_outgoing,
    check_attachments, lock, may_send, message_columns, message_joins, template_columns,
};

pub const CLIENT_MESSAGE_ID_REUSED: Problem = Problem::new(
    422,
    "client_message_id_reused",
    "Este client_message_id já foi usado em outra mensagem.",
    "This client_message_id was already used for another message.",
);

const SENT_BEFORE: &str = concat!(
    "select ",
    message_columns!(),
    ", answered.client_id, answered.channel_account_id from messages join conversations answered on answered.id = messages.conversation_id ",
    message_joins!(),
    " where messages.client_message_id = $1"
);

/// The file and the answered message, as far as this caller sees them.
const ATTACHMENTS: &str = "
    select (select status from files where id = $1) as file_status,
           (select mime_type from files where id = $1) as mime_type,
           (select id from messages where id = $2 and conversation_id = $3) as reply_to_id";

const TEMPLATE: &str = concat!(
    "select ",
    template_columns!(),
    " from conversations
      join message_templates on message_templates.channel_account_id = conversations.channel_account_id
     where conversations.id = $1 and message_templates.name = $2 and message_templates.language = $3"
);

const ATTACH_FILE: &str = "update files set conversation_id = $2 where id = $1 and conversation_id is null";

/// Locked, so that one that goes meanwhile is not named.
const USE_QUICK_REPLY: &str = "
    with reply as materialized (select id from quick_replies where id = $2 for no key update)
    insert into quick_reply_uses (message_id, quick_reply_id) select $1, id from reply on conflict do nothing";

/// What was sent with a caller's id before.
#[derive(Debug, FromRow)]
pub struct SentBefore {
    #[from_row(flatten)]
    pub message: Message,
    pub client_id: Uuid,
    pub channel_account_id: Uuid,
}

impl SentBefore {
    /// Under the lock of the conversation, if there is one: the other one of two at once is seen.
    pub async fn find(transaction: &Transaction, own_id: &str) -> Result<Option<Self>, Error> {
        transaction.first(SENT_BEFORE, &[&own_id]).await
    }

    /// The message, if the caller sending this became it, and it is where they send it.
    ///
    /// # Errors
    /// That its id is another's.
    pub fn again(self, agent: &Identity, input: &MessageToSend, is_there: bool) -> Result<Message, Problem> {
        if is_there && input.is_of(agent, &self.message) { Ok(self.message) } else { Err(CLIENT_MESSAGE_ID_REUSED) }
    }
}

/// What there is of what a message names, as far as the caller sees it.
async fn attachments(transaction: &Transaction, id: Uuid, input: &MessageToSend) -> Result<Attachments, Error> {
    transaction.one(ATTACHMENTS, &[&input.file(), &input.reply_to_id, &id]).await
}

async fn template(transaction: &Transaction, id: Uuid, input: &MessageToSend) -> Result<Option<TemplateRow>, Error> {
    let Some(asked) = &input.template else { return Ok(None) };
    transaction.first(TEMPLATE, &[&id, &asked.name, &asked.language()]).await
}

/// What a message would carry if it was sent now.
///
/// # Errors
/// What is wrong with it, whoever sends it and when.
pub async fn content_now(transaction: &Transaction, conversation: Uuid, input: &MessageToSend) -> Result<Content, Error> {
    let (found, template) =
        try_join(attachments(transaction, conversation, input), template(transaction, conversation, input)).await?;
    let content = input.content(template.as_ref())?;
    check_attachments(input, &found, &content)?;
    Ok(content)
}

/// Whoever sees the conversation sees the file.
pub fn attach(transaction: &Transaction, conversation: Uuid, file: Option<Uuid>) {
    if let Some(file) = file {
        transaction.defer(ATTACH_FILE, parameters![file, conversation]);
    }
}

/// Notes which quick reply a message began as.
pub fn use_quick_reply(transaction: &Transaction, message: Uuid, quick_reply: Option<Uuid>) {
    if let Some(quick_reply) = quick_reply {
        transaction.defer(USE_QUICK_REPLY, parameters![message, quick_reply]);
    }
}

/// A locked conversation with what a message to it is judged by.
#[derive(Debug)]
pub struct Answerable {
    pub held: HeldConversation,
    pub sent_before: Option<SentBefore>,
    attachments: Attachments,
    template: Option<TemplateRow>,
}

impl Answerable {
    /// Locks the conversation first: what the other one of two at once has sent is there to be found.
    ///
    /// # Errors
    /// 404 when the caller does not see the conversation.
    pub async fn read(transaction: &Transaction, id: Uuid, input: &MessageToSend, own_id: &str) -> Result<Self, Error> {
        let (held, attachments, sent_before, template) = join4(
            lock(transaction, id),
            attachments(transaction, id, input),
            SentBefore::find(transaction, own_id),
            template(transaction, id, input),
        )
        .await;
        Ok(Self { held: held?, attachments: attachments?, sent_before: sent_before?, template: template? })
    }

    /// Whether the caller may send this now.
    ///
    /// # Errors
    /// What keeps them from it.
    pub fn judge(&self, context: &Context, agent: &Identity, input: &MessageToSend) -> Result<(), Problem> {
        may_send(context.now(), agent, &self.held, input.kind.into())
    }

    /// Adds the message of somebody who may send it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn answer(
        &self,
        context: &Context,
        transaction: &Transaction,
        agent: &Identity,
        input: &MessageToSend,
        own_id: String,
    ) -> Result<(Conversation, Message), Error> {
        let content = input.content(self.template.as_ref())?;
        check_attachments(input, &self.attachments, &content)?;
        attach(transaction, self.held.id, input.file());
        let new = NewMessage {
            id: context.new_id(),
            conversation_id: self.held.id,
            sender_type: Author::Agent,
            sender_id: Some(agent.user_id),
            content,
            reply_to_id: input.reply_to_id,
            client_message_id: Some(own_id),
            is_reply: true,
        };
        // Only a message out of this caller's sight is in the way now.
        let added = add_outgoing(context, transaction, agent.company_id, new).await?;
        let (conversation, message) = added.ok_or(CLIENT_MESSAGE_ID_REUSED)?;
        use_quick_reply(transaction, message.id, input.quick_reply_id);
        transaction.audit(message.id, &Value::Null, &Value::Null);
        Ok((conversation, message))
    }
}
