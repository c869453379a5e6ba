//! Conversations and their messages: who sees them, who holds them, what goes in and out.

mod addressed;
mod answering;
pub mod assignment;
mod botconversa_delivery;
mod bulk;
pub mod carrier;
pub mod changing;
mod closing;
mod conversation;
mod delivery;
mod evolution_delivery;
mod filter_words;
mod filters;
mod held_message;
mod identity;
mod joining;
mod media_url;
mod message;
mod numbers;
pub mod outbox;
mod pace;
mod participants;
mod payload;
mod preferences;
mod rating;
mod reading;
pub mod removal;
mod scheduled;
pub mod search;
mod send_rules;
mod sending;
mod starting;
mod statuses;
mod takeover;
mod template;
mod template_message;
mod timers;
mod transfer;
mod variables;

use shared::{error::FieldProblem, has_twice, prelude::*};

pub use addressed::{Addressed, ToConversation};
pub use answering::{Answerable, CLIENT_MESSAGE_ID_REUSED, SentBefore, attach, content_now, use_quick_reply};
pub use bulk::{
    BulkAction, BulkHeld, BulkOutcome, HOLD_RECEIVER, LOCK_MANY, TOO_MANY_TAGS, describe_only_one, may_assign, only_one,
};
pub use closing::{close, may_close};
pub use conversation::{
    AllowedTemplate, Author, CONVERSATION, Conversation, ConversationAssigned, ConversationClosed, ConversationCreated,
    ConversationRead, ConversationReopened, ConversationTransferred, ConversationUnsnoozed, ConversationUpdated,
    HeldConversation, IS_SEEN, LOCK_ALL, Mode, OutOfWindow, Priority, Status, UNHEARD, allowed_templates, emit_conversation,
    enqueue_bot_turn, enqueue_unheard, lock, out_of_window,
};
pub use delivery::{
    Delivery, FileToSend, LONGEST_BUTTON, LONGEST_DESCRIPTION, LONGEST_QUESTION, LONGEST_ROW, LONGEST_TEXT, compose,
    longest_title,
};
pub use filters::{AskedConversations, ConversationFilters};
pub use held_message::{HeldMessage, MESSAGE, enqueue_delivery, lock_changeable_message, lock_message};
pub use identity::{ClientIdentity, IdentityKind, LOCK_KEYS};
pub use integrations::phone;
pub use joining::{ClientMerged, ClientUnmerged, MergedConversation, join_clients, merge_clients, part_clients, words_of_kinds};
pub use media_url::file_of;
pub use message::{
    DeliveryStatus, Message, MessageCreated, MessageDeleted, MessageStatus, MessageUpdated, SHOW_PREVIEW, SystemMessage,
    TAKEN_BACK, add_system_message, add_system_messages, emit_message, preview,
};
pub use participants::{PARTICIPANTS, Participant, follow};
pub use payload::MessageKind;
pub use preferences::{ConversationPreferences, ConversationPreferencesSaved, MUTED, Muted, PREFERENCES};
pub use rating::{RATING_SETTINGS, RatingSettings, rating_said};
pub use reading::{mark_all_read, mark_read};
pub use scheduled::{
    LockedSchedule, NOT_WAITING, Planned, SCHEDULED, SCHEDULED_MESSAGE, ScheduledMessage, ScheduledMessageUpdated,
    ScheduledState, enqueue_scheduled, give_up_scheduled, lock_scheduled, reason, send_scheduled, tell_scheduled,
};
pub use search::places_of;
pub use send_rules::{
    Attachments, CAPTION_TOO_LONG, FileState, Kind, LONGEST_CAPTION, Location, MessageToSend, check_attachments, may_send,
    may_write, suits,
};
pub use sending::{Content, NewMessage, Written, add_outgoing, sent_on};
pub use starting::{BEGIN_FAILS, Begun, Recipient, begin};
pub use takeover::takeover_text;
pub use template::{
    Button, ButtonKind, Header, HeaderFormat, Parts, Template, TemplateCategory, TemplateQuality, TemplateRow, TemplateStatus,
    Variable, VariablePlace, between_braces,
};
pub use template_message::{FilledTemplate, TemplateParameter, TemplateToSend, fill_in};
pub use timers::{CONVERSATION_TIMER, enqueue_timer, return_to_bot, run_conversation_timer, unsnooze};
pub use transfer::{Destination, transfer, transfer_all};
pub use variables::Variables;

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
pub const NO_BOT: Problem =
    Problem::new(409, "no_bot", "Não há robô neste canal.", "There is no bot on this channel.").showing::<Conversation>();
pub const NOT_CLOSED: Problem =
    Problem::new(409, "not_closed", "Esta conversa está aberta.", "This conversation is open.").showing::<Conversation>();
pub const ALREADY_OPEN: Problem = Problem::new(
    409,
    "already_open",
    "Este cliente já tem uma conversa aberta neste canal.",
    "This client has an open conversation on this channel already.",
)
.showing::<Conversation>();
pub const IMPORTED: Problem = Problem::new(
    409,
    "imported",
    "Este é o histórico de antes da conexão do número. Inicie uma conversa com o cliente.",
    "This is the history from before the number was connected. Begin a conversation with the client.",
)
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
pub const CLIENT_BLOCKED: Problem = Problem::new(
    409,
    "client_blocked",
    "Este cliente está bloqueado. Desbloqueie-o antes de escrever.",
    "This client is blocked. Unblock them before writing.",
)
.showing::<Conversation>();
pub const CHANNEL_REMOVED: Problem = Problem::new(
    409,
    "channel_removed",
    "O canal desta conversa foi removido: por ele não se envia mais nada. Inicie uma conversa por outro canal.",
    "This conversation's channel was removed: nothing goes out by it any more. Begin a conversation on another channel.",
)
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
pub const NOT_AUTHOR: Problem = Problem::new(
    403,
    "not_author",
    "Só quem escreveu a mensagem ou um supervisor pode fazer isso.",
    "Only whoever wrote the message, or a supervisor, may do this.",
);
pub const NOT_DELIVERED: Problem = Problem::new(
    409,
    "not_delivered",
    "Esta mensagem não está no WhatsApp do cliente.",
    "This message is not on the client's WhatsApp.",
);
pub const NOT_FAILED: Problem = Problem::new(
    409,
    "not_failed",
    "Só uma mensagem de um atendente que falhou pode ser reenviada.",
    "Only an agent's message that has failed can be sent again.",
)
.showing::<Message>();
pub const NOT_FORWARDABLE: Problem =
    Problem::new(409, "not_forwardable", "Esta mensagem não pode ser encaminhada.", "This message cannot be forwarded.");
pub const TOO_MANY_PARTICIPANTS: Problem = Problem::new(
    409,
    "too_many_participants",
    "Esta conversa já tem 20 participantes.",
    "This conversation has 20 participants already.",
);
pub const INVALID_TARGET: Problem = Problem::new(
    422,
    "invalid_target",
    "O destino não é uma pessoa ativa nem um departamento desta empresa.",
    "The target is neither an active member nor a department of this company.",
);

/// What is wrong with a list of conversations that names one twice.
#[must_use]
pub fn named_twice(conversation_ids: &[Uuid]) -> Option<FieldProblem> {
    let problem =
        || FieldProblem::new("conversation_ids", "duplicate", "Cada conversa só uma vez.", "Each conversation only once.");
    has_twice(conversation_ids).then(problem)
}
