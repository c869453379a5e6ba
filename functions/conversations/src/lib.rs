//! Conversations and their messages: who sees them, who holds them, what goes in and out.

pub mod assignment;
mod conversation;
mod delivery;
mod filter_words;
mod filters;
mod identity;
mod joining;
mod media_url;
mod message;
pub mod outbox;
mod payload;
pub mod search;
mod send_rules;
mod sending;
mod statuses;
mod takeover;

use shared::prelude::*;

pub use conversation::{
    Author, CONVERSATION, Conversation, ConversationAssigned, ConversationClosed, ConversationCreated, ConversationRead,
    ConversationReopened, ConversationTransferred, ConversationUpdated, HeldConversation, IS_SEEN, Mode, OutOfWindow, Priority,
    Status, emit_conversation, enqueue_bot_turn, lock,
};
pub use delivery::{Delivery, FileToSend, compose};
pub use filters::{AskedConversations, ConversationFilters};
pub use identity::{ClientIdentity, IdentityKind};
pub use joining::{ClientMerged, MergedConversation, join_clients};
pub use media_url::file_of;
pub use message::{
    DeliveryStatus, Message, MessageCreated, MessageDeleted, MessageStatus, MessageUpdated, SystemMessage, add_system_message,
    emit_message, preview,
};
pub use payload::MessageKind;
pub use send_rules::{Attachments, FileState, Kind, Location, SendMessage, check_attachments, may_send};
pub use sending::{Content, NewMessage, Written, add_outgoing};
pub use takeover::takeover_text;

pub const ALREADY_TAKEN: Problem = Problem::new(
    409,
    "already_taken",
    "Outra pessoa já assumiu esta conversa.",
    "Somebody else has already taken this conversation.",
)
.showing::<Conversation>();
pub const CONVERSATION_CLOSED: Problem =
    Problem::new(409, "conversation_closed", "Esta conversa já foi encerrada.", "This conversation is already closed.")
        .showing::<Conversation>();
pub const NOT_HOLDER: Problem = Problem::new(
    409,
    "not_holder",
    "Só quem está com a conversa pode fazer isso.",
    "Only whoever holds the conversation may do this.",
)
.showing::<Conversation>();
pub const NOT_TAKEN: Problem =
    Problem::new(409, "not_taken", "Assuma a conversa antes de responder.", "Take the conversation over before answering.")
        .showing::<Conversation>();
pub const BOT_MODE: Problem =
    Problem::new(409, "bot_mode", "Assuma o atendimento para enviar mensagens", "Take the conversation over to send messages")
        .showing::<Conversation>();
pub const WINDOW_CLOSED: Problem = Problem::new(
    409,
    "window_closed",
    "A janela de 24 horas deste cliente fechou. Envie um modelo aprovado.",
    "This client's 24-hour window has closed. Send an approved template.",
)
.showing::<OutOfWindow>();
pub const FILE_NOT_READY: Problem =
    Problem::new(409, "file_not_ready", "O arquivo ainda não terminou de ser enviado.", "The file has not finished uploading.")
        .showing::<FileState>();
pub const INVALID_TARGET: Problem = Problem::new(
    422,
    "invalid_target",
    "O destino não é uma pessoa ativa nem um departamento desta empresa.",
    "The target is neither an active member nor a department of this company.",
);
