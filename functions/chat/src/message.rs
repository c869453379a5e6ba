//! The message's row as lists, answers and events show it.

use channels::tell_channel;
use shared::{files::FileStatus, prelude::*};

use crate::{CardReference, ShownMentions};

/// The columns of `ChatMessage`, from a relation named `messages`. What a deleted message said stays in its row, and nobody reads it.
#[macro_export]
macro_rules! chat_message_columns {
    () => {
        "messages.id, messages.channel_id, messages.place, messages.root_id, messages.thread_place, messages.is_in_channel,
           messages.author_id, author.name as author_name, messages.client_message_id,
           case when messages.deleted_at is null then messages.body else '' end as body,
           jsonb_build_object('user_ids', '{}'::text[], 'department_ids', '{}'::text[], 'channel', false, 'here', false)
               || case when messages.deleted_at is null then messages.mentions else '{}' end as mentions,
           case when messages.deleted_at is null then messages.cards else '[]' end as cards,
           (select jsonb_build_object(
                       'id', quoted.id, 'author_id', quoted.author_id, 'author_name', quoted_author.name,
                       'body', case when quoted.deleted_at is null then left(quoted.body, 300) else '' end,
                       'is_deleted', quoted.deleted_at is not null)
              from chat_messages quoted
              join users quoted_author on quoted_author.id = quoted.author_id
             where quoted.company_id = messages.company_id and quoted.id = messages.quote_id and messages.deleted_at is null) as quote,
           messages.forwarded_author_id, forwarded_author.name as forwarded_author_name,
           (select coalesce(jsonb_agg(jsonb_build_object(
                       'id', files.id, 'name', files.name, 'mime_type', files.mime_type, 'size', files.size, 'status', files.status,
                       'width', files.width, 'height', files.height, 'duration_ms', files.duration_ms, 'waveform', files.waveform)
                       order by array_position(messages.file_ids, files.id)), '[]')
              from files
             where files.company_id = messages.company_id and files.id = any (messages.file_ids)
               and messages.deleted_at is null) as files,
           (select coalesce(jsonb_agg(jsonb_build_object('emoji', emoji, 'user_ids', user_ids) order by first_at, emoji), '[]')
              from (select emoji, jsonb_agg(user_id order by at) as user_ids, min(at) as first_at
                      from chat_reactions
                     where chat_reactions.company_id = messages.company_id and chat_reactions.message_id = messages.id
                       and messages.deleted_at is null
                     group by emoji) of_emoji) as reactions,
           chat_pins.pinned_at, chat_pins.pinned_by_id, messages.reply_count, messages.last_reply_at, messages.revision,
           messages.created_at, messages.edited_at, messages.deleted_at, messages.deleted_by_id"
    };
}

/// The joins that go with `chat_message_columns`.
#[macro_export]
macro_rules! chat_message_joins {
    () => {
        " join users author on author.id = messages.author_id
          left join users forwarded_author on forwarded_author.id = messages.forwarded_author_id
          left join chat_pins on chat_pins.company_id = messages.company_id and chat_pins.message_id = messages.id "
    };
}

/// One message.
pub const MESSAGE: &str = concat!(
    "select ",
    chat_message_columns!(),
    " from chat_messages messages ",
    chat_message_joins!(),
    " where messages.id = $1"
);

/// A message in lists, answers and events. It is the same for all who see it.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct ChatMessage {
    pub id: Uuid,
    pub channel_id: Uuid,
    /// Its place in the channel, in the order in which messages were stored; null of an answer that is in its thread only.
    pub place: Option<i64>,
    /// The message that its thread is about.
    pub root_id: Option<Uuid>,
    /// Its place in the thread.
    pub thread_place: Option<i64>,
    pub is_in_channel: bool,
    pub author_id: Uuid,
    pub author_name: String,
    pub client_message_id: Option<String>,
    /// Markdown, as it was written. Empty, as is all that goes with it, once it was deleted.
    pub body: String,
    #[schemars(with = "ShownMentions")]
    pub mentions: Value,
    /// `GET` answers what the caller may see of each in `shown_cards`.
    #[schemars(with = "Vec<CardReference>")]
    pub cards: Value,
    #[schemars(with = "Option<ChatQuote>")]
    pub quote: Option<Value>,
    /// Whose words these are, where they were forwarded.
    pub forwarded_author_id: Option<Uuid>,
    pub forwarded_author_name: Option<String>,
    #[schemars(with = "Vec<ChatFile>")]
    pub files: Value,
    /// Each emoji once, in the order in which they came.
    #[schemars(with = "Vec<ChatReaction>")]
    pub reactions: Value,
    pub pinned_at: Option<Timestamp>,
    pub pinned_by_id: Option<Uuid>,
    /// Answers in its thread.
    pub reply_count: i64,
    pub last_reply_at: Option<Timestamp>,
    /// Grows with every change of what is shown: of two copies the one with the greater is the newer.
    pub revision: i32,
    pub created_at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    pub deleted_by_id: Option<Uuid>,
}

/// What a message answers, as it is now.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct ChatQuote {
    id: Uuid,
    author_id: Uuid,
    author_name: String,
    /// Its beginning.
    body: String,
    is_deleted: bool,
}

/// A file that goes with a message.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct ChatFile {
    id: Uuid,
    name: String,
    mime_type: String,
    /// Bytes.
    size: i64,
    status: FileStatus,
    width: Option<i32>,
    height: Option<i32>,
    duration_ms: Option<i32>,
    /// Of a recording, how loud it is from 0 to 100 at 64 times.
    waveform: Option<Vec<i16>>,
}

/// Who reacted with an emoji.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct ChatReaction {
    emoji: String,
    user_ids: Vec<Uuid>,
}

/// There is a new message in a channel, or in a thread of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChatMessageCreated {
    pub message: ChatMessage,
}
event!(ChatMessageCreated = "chat.message_created");

/// A message reads otherwise, was deleted, has other reactions or answers, or was pinned or not any more.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChatMessageUpdated {
    pub message: ChatMessage,
}
event!(ChatMessageUpdated = "chat.message_updated");

impl ChatMessage {
    /// Tells the channel what it is like now.
    pub fn tell_updated(&self, transaction: &Transaction, company_id: Uuid) {
        tell_channel(transaction, company_id, self.channel_id, &ChatMessageUpdated { message: self.clone() });
    }
}
