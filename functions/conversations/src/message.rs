//! The message's row as lists, answers and events show it.

use shared::{closed_set, files::FileStatus, parameters, prelude::*};

use crate::{
    Author, Conversation,
    payload::{MessageKind, by_kind},
    updated_conversation,
};

/// The columns of `Message`, from a relation named `messages`. What a message taken back said stays in its row, and nobody reads it.
#[macro_export]
macro_rules! message_columns {
    () => {
        "messages.id, messages.conversation_id, messages.sender_type, messages.sender_id, sender.name as sender_name,
           messages.kind, case when messages.deleted_at is null then messages.body else '' end as body,
           case when messages.deleted_at is null then messages.payload else '{}' end as payload,
           messages.reply_to_id, messages.client_message_id, messages.provider_id,
           messages.status, messages.error_code, messages.error_detail, messages.reactions, messages.inbound_number,
           messages.sent_at, messages.created_at, messages.edited_at, messages.deleted_at, messages.deleted_by_id,
           case when messages.deleted_at is null or messages.change ->> 'kind' = 'revoke' then messages.change end as change,
           case when messages.inbound_number is null then coalesce(messages.status = 'read', messages.sender_type = 'client')
                else messages.inbound_number <= (
                    select held.read_count from conversations held
                     where held.company_id = messages.company_id and held.id = messages.conversation_id) end as is_read,
           case when files.id is not null and messages.deleted_at is null then jsonb_build_object(
               'id', files.id, 'name', files.name, 'mime_type', files.mime_type, 'size', files.size, 'status', files.status,
               'width', files.width, 'height', files.height, 'duration_ms', files.duration_ms, 'waveform', files.waveform,
               'failure', files.failure) end as file"
    };
}

/// The joins that go with `message_columns`.
#[macro_export]
macro_rules! message_joins {
    () => {
        "left join users sender on sender.id = messages.sender_id
      left join files on files.company_id = messages.company_id and files.id = messages.file_id"
    };
}

/// What follows a CTE named `changed` of message rows: each as `Written`, with its conversation.
#[macro_export]
macro_rules! changed_message {
    ($($with:expr),*) => {
        concat!(
            $($with,)*
            " select ",
            $crate::conversation_columns!(),
            ", (select to_jsonb(message) from (select ",
            $crate::message_columns!(),
            " from changed as messages ",
            $crate::message_joins!(),
            ") message) as message
              from changed
              join conversations on conversations.company_id = changed.company_id and conversations.id = changed.conversation_id ",
            $crate::conversation_joins!()
        )
    };
}

/// No row when lists show another message of the conversation, or these words already.
pub const SHOW_PREVIEW: &str = updated_conversation!(
    "update conversations
        set last_message_preview = $3
      where id = $1 and last_message_id = $2 and last_message_preview <> $3
     returning *"
);

/// What lists show in place of a message taken back.
pub const TAKEN_BACK: &str = "🚫 Mensagem apagada";

closed_set! {
    /// How far a message is on its way to the client.
    pub DeliveryStatus {
        Queued = "queued",
        Sending = "sending",
        Sent = "sent",
        Delivered = "delivered",
        Read = "read",
        Failed = "failed",
    }
}

/// A message in lists, answers and events.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, FromRow)]
#[schemars(transform = by_kind)]
pub struct Message {
    pub id: Uuid,
    pub conversation_id: Uuid,
    pub sender_type: Author,
    pub sender_id: Option<Uuid>,
    pub sender_name: Option<String>,
    pub kind: MessageKind,
    /// Text, caption, or the title of the chosen option. Empty, as are payload and file, once the message was taken back.
    pub body: String,
    /// What is particular to the kind: coordinates, contacts, buttons …
    #[schemars(with = "Map<String, Value>")]
    pub payload: Value,
    pub reply_to_id: Option<Uuid>,
    pub client_message_id: Option<String>,
    /// WhatsApp's id of it, once it has one.
    pub provider_id: Option<String>,
    /// Null for messages that are not delivered anywhere.
    pub status: Option<DeliveryStatus>,
    pub error_code: Option<String>,
    pub error_detail: Option<String>,
    #[schemars(with = "Vec<Reaction>")]
    pub reactions: Value,
    /// The client's message number within its conversation.
    pub inbound_number: Option<i32>,
    pub sent_at: Timestamp,
    pub created_at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    /// Who of the staff hid it; null when its sender took it back.
    pub deleted_by_id: Option<Uuid>,
    /// What staff want of it at the client's: other words, or that it goes. Until it is `sent` the client sees what they were sent.
    #[schemars(with = "Option<MessageChange>")]
    pub change: Option<Value>,
    /// Of the client's: whether staff have read it. Of those sent: whether the client has.
    pub is_read: bool,
    #[schemars(with = "Option<MessageFile>")]
    pub file: Option<Value>,
}

impl Message {
    /// What lists show of it now.
    #[must_use]
    pub fn preview(&self) -> String {
        if self.deleted_at.is_some() { TAKEN_BACK.into() } else { preview(self.kind.as_str(), &self.body) }
    }
}

closed_set! {
    /// What is to become of a message at the client's.
    pub ChangeKind { Edit = "edit", Revoke = "revoke" }
}

closed_set! {
    /// How far that is.
    pub ChangeStatus { Queued = "queued", Sent = "sent", Failed = "failed" }
}

/// A change of a message that its client has, on its way to them.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct MessageChange {
    id: Uuid,
    kind: ChangeKind,
    /// The new words; null of one that goes.
    body: Option<String>,
    status: ChangeStatus,
    error_code: Option<String>,
    error_detail: Option<String>,
    at: Timestamp,
}

/// What somebody thinks of a message.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Reaction {
    /// The client or an agent; of each there is one at most.
    by: Author,
    emoji: String,
}

/// A file of a message. Its content is at `GET /storage/download/{id}` once its status is `ready`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MessageFile {
    pub id: Uuid,
    pub name: String,
    pub mime_type: String,
    pub size: i64,
    pub status: FileStatus,
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub duration_ms: Option<i32>,
    /// 64 peaks from 0 to 100 for the loudest, of voice notes that were prepared.
    pub waveform: Option<Vec<i16>>,
    /// Why there is none, of a `failed` one: `infected`, or another code.
    pub failure: Option<String>,
}

/// A message was added to a conversation.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MessageCreated {
    pub message: Message,
}

event!(MessageCreated = "message.created");

/// A message changed: edited, reacted to, its file arrived.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MessageUpdated {
    pub message: Message,
}

event!(MessageUpdated = "message.updated");

/// Its sender took a message back, or staff hid it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MessageDeleted {
    pub message: Message,
}

event!(MessageDeleted = "message.deleted");

/// A message moved on its way to the client.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MessageStatus {
    pub message_id: Uuid,
    pub conversation_id: Uuid,
    pub client_message_id: Option<String>,
    pub status: DeliveryStatus,
    pub error_code: Option<String>,
    pub error_detail: Option<String>,
}

event!(MessageStatus = "message.status");

impl MessageStatus {
    /// Of a message as it is now; of one that goes nowhere as sent.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        Self {
            message_id: message.id,
            conversation_id: message.conversation_id,
            client_message_id: message.client_message_id.clone(),
            status: message.status.unwrap_or(DeliveryStatus::Sent),
            error_code: message.error_code.clone(),
            error_detail: message.error_detail.clone(),
        }
    }
}

/// Adds an event of a message to those who watch its conversation: staff who see it, and its client.
pub fn emit_message<P: EventPayload>(transaction: &Transaction, conversation: &Conversation, payload: &P) {
    let audience = conversation.audience().and_client(conversation.client_id);
    let path = format!("/messages?conversation_id={}", conversation.id);
    transaction.emit(Event::new(Topic::Conversation(conversation.id), audience, payload).fetched_at(path));
}

/// What lists show of a message: its text, or a word for its kind.
pub fn preview(kind: &str, body: &str) -> String {
    let text = if body.is_empty() {
        match kind {
            "image" => "📷 Imagem",
            "audio" => "🎤 Áudio",
            "video" => "🎬 Vídeo",
            "document" => "📄 Documento",
            "sticker" => "Figurinha",
            "location" => "📍 Localização",
            "contacts" => "👤 Contato",
            "order" => "🛒 Pedido",
            "template" => "Modelo",
            "unsupported" => "Mensagem não suportada",
            _ => "",
        }
    } else {
        body
    };
    text.chars().take(120).map(|character| if character == '\n' { ' ' } else { character }).collect()
}

/// The same line in the threads of several conversations.
const ADD_SYSTEM_MESSAGES: &str = "
    insert into messages (id, conversation_id, channel_account_id, sender_type, sender_id, kind, body, payload, sent_at)
    select line.id, line.conversation_id, line.channel_account_id, 'system', app.user_id(), 'system', $4, $5, $6
      from unnest($1::uuid[], $2::uuid[], $3::uuid[]) line (id, conversation_id, channel_account_id)";

/// A line in the thread that tells staff what happened to the conversation.
#[derive(Debug)]
pub struct SystemMessage {
    pub text: String,
    /// `{act, …}` for front ends that word it themselves.
    pub payload: Value,
}

/// Adds a system message, written with the commit, and its event, for staff only.
pub fn add_system_message(context: &Context, transaction: &Transaction, conversation: &Conversation, line: SystemMessage) {
    add_system_messages(context, transaction, std::slice::from_ref(conversation), &line);
}

/// Adds the same one to several conversations, in one statement.
pub fn add_system_messages(context: &Context, transaction: &Transaction, conversations: &[Conversation], line: &SystemMessage) {
    if conversations.is_empty() {
        return;
    }
    let now = context.now();
    let of_each = conversations.iter().map(|conversation| {
        let message = Message {
            id: context.new_id(),
            conversation_id: conversation.id,
            sender_type: Author::System,
            sender_id: context.user_id(),
            sender_name: None,
            kind: MessageKind::System,
            body: line.text.clone(),
            payload: line.payload.clone(),
            reply_to_id: None,
            client_message_id: None,
            provider_id: None,
            status: None,
            error_code: None,
            error_detail: None,
            reactions: json!([]),
            inbound_number: None,
            sent_at: now,
            created_at: now,
            edited_at: None,
            deleted_at: None,
            deleted_by_id: None,
            change: None,
            is_read: false,
            file: None,
        };
        let id = message.id;
        let topic = Topic::Conversation(conversation.id);
        transaction.emit(Event::new(topic, conversation.audience(), &MessageCreated { message }));
        id
    });
    let ids: Vec<Uuid> = of_each.collect();
    let of: Vec<Uuid> = conversations.iter().map(|conversation| conversation.id).collect();
    let channels: Vec<Uuid> = conversations.iter().map(|conversation| conversation.channel_account_id).collect();
    transaction.defer(ADD_SYSTEM_MESSAGES, parameters![ids, of, channels, line.text.clone(), line.payload.clone(), now]);
}

#[cfg(test)]
mod tests {
    use schemars::generate::SchemaSettings;

    use super::*;

    #[test]
    fn previews_are_short_and_on_one_line() {
        assert_eq!(preview("text", "a\nb"), "a b");
        assert_eq!(preview("text", &"é".repeat(500)).chars().count(), 120);
        assert_eq!(preview("image", ""), "📷 Imagem");
        assert_eq!(preview("image", "Fachada"), "Fachada");
    }

    #[test]
    fn every_kind_of_message_says_what_it_carries() {
        let schema = json!(SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Message>());
        let known = schema["$defs"]["MessageKind"]["enum"].as_array().unwrap();
        let branches = schema["oneOf"].as_array().unwrap();
        let told: Vec<&Value> = branches.iter().map(|branch| &branch["properties"]["kind"]["const"]).collect();
        assert_eq!(told.len(), known.len());
        assert!(known.iter().all(|kind| told.contains(&kind)), "{told:?}");
        let location = branches.iter().find(|branch| branch["title"] == "location").unwrap();
        let payload = &location["properties"]["payload"];
        assert!(payload["properties"]["latitude"].is_object() && payload["properties"]["referral"].is_object(), "{payload}");
        assert_eq!(payload.get("required"), None);
    }
}
