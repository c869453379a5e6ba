//! The conversation's row as lists, answers and events show it, and its lock.

use integrations::ChannelKind;
use shared::{clock, closed_set, prelude::*};

use crate::{Template, TemplateCategory, TemplateRow, WINDOW_CLOSED, template_columns};

/// The columns of `Conversation`, from a relation named `conversations`.
#[macro_export]
macro_rules! conversation_columns {
    () => {
        "conversations.id, conversations.protocol, conversations.client_id, clients.name as client_name,
           (select identity.value from client_identities identity
             where identity.company_id = conversations.company_id and identity.client_id = conversations.client_id
               and identity.kind = 'phone'
             order by identity.created_at limit 1) as client_phone,
           conversations.channel_account_id, channel_accounts.kind as channel_kind, channel_accounts.name as channel_name,
           conversations.department_id, departments.name as department_name,
           conversations.assignee_id, users.name as assignee_name,
           conversations.status, conversations.mode, conversations.priority, conversations.tags, conversations.subject,
           conversations.version, conversations.revision, conversations.last_message_at, conversations.last_message_preview,
           conversations.last_message_from, conversations.inbound_count - conversations.read_count as unread,
           conversations.window_expires_at, conversations.first_human_at, conversations.started_at, conversations.ended_at,
           conversations.close_reason, conversations.first_pending_at, conversations.pending_since,
           case when conversations.status = 'bot' then conversations.bot_node end as bot_node, conversations.metadata,
           conversations.merged_into_id, conversations.snoozed_at, conversations.snoozed_until, conversations.return_to_bot_at,
           conversations.participant_ids, conversations.rating, conversations.rated_at, conversations.imported_at"
    };
}

/// The joins that go with `conversation_columns`.
#[macro_export]
macro_rules! conversation_joins {
    () => {
        "join clients on clients.company_id = conversations.company_id and clients.id = conversations.client_id
      join channel_accounts on channel_accounts.company_id = conversations.company_id
                           and channel_accounts.id = conversations.channel_account_id
      left join departments on departments.company_id = conversations.company_id and departments.id = conversations.department_id
      left join users on users.id = conversations.assignee_id"
    };
}

/// Whether the row of `clients` takes marketing on WhatsApp, as `accepts_marketing`; null when they never said. Of two words at the same
/// second the refusal counts.
#[macro_export]
macro_rules! accepts_marketing {
    () => {
        "(select consent.granted from client_consents consent
             where consent.company_id = clients.company_id and consent.client_id = clients.id
               and consent.purpose = 'marketing' and consent.channel = 'whatsapp'
             order by consent.at desc, consent.granted
             limit 1) as accepts_marketing"
    };
}

/// An update of one conversation, `returning *`, with the row as `Conversation` shows it.
#[macro_export]
macro_rules! updated_conversation {
    ($update:literal) => {
        concat!(
            "with updated as (",
            $update,
            ") select ",
            $crate::conversation_columns!(),
            " from updated as conversations ",
            $crate::conversation_joins!()
        )
    };
}

/// A row when the caller sees it.
pub const IS_SEEN: &str = "select id from conversations where id = $1";

pub const CONVERSATION: &str =
    concat!("select ", conversation_columns!(), " from conversations ", conversation_joins!(), " where conversations.id = $1");

closed_set! {
    /// Who a conversation waits for: the bot, people who have not taken it over yet, its holder, or nobody any more.
    #[schemars(rename = "ConversationStatus")]
    pub Status { Bot = "bot", Pending = "pending", Active = "active", Closed = "closed" }
}

closed_set! {
    /// Who answers the client.
    #[schemars(rename = "ConversationMode")]
    pub Mode { Bot = "bot", Human = "human" }
}

closed_set! {
    #[schemars(rename = "ConversationPriority")]
    pub Priority { Low = "low", Normal = "normal", High = "high", Urgent = "urgent" }
}

closed_set! {
    /// Who wrote a message.
    pub Author { Client = "client", Agent = "agent", Bot = "bot", System = "system" }
}

/// A conversation in lists, answers and events.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, FromRow)]
pub struct Conversation {
    pub id: Uuid,
    /// The number that people quote, of its company and local day: `AAAAMMDD-NNNNN`; `H-` and letters where it was imported.
    pub protocol: String,
    pub client_id: Uuid,
    pub client_name: String,
    /// Digits with country code.
    pub client_phone: Option<String>,
    pub channel_account_id: Uuid,
    pub channel_kind: ChannelKind,
    pub channel_name: String,
    pub department_id: Option<Uuid>,
    pub department_name: Option<String>,
    pub assignee_id: Option<Uuid>,
    pub assignee_name: Option<String>,
    pub status: Status,
    pub mode: Mode,
    pub priority: Priority,
    pub tags: Vec<String>,
    pub subject: Option<String>,
    /// The fence: grows with every takeover, transfer, mode change, close and human reply.
    pub version: i32,
    /// Grows with every change of the row: of two copies the greater one is the newer.
    pub revision: i32,
    pub last_message_at: Timestamp,
    pub last_message_preview: String,
    pub last_message_from: Author,
    /// Messages of the client not read by staff.
    pub unread: i32,
    /// Until when WhatsApp accepts free text; the year 9999 where the channel has no such time.
    pub window_expires_at: Option<Timestamp>,
    pub first_human_at: Option<Timestamp>,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// `merged` for one that became part of another, `history` for one that was imported.
    pub close_reason: Option<String>,
    /// When it first waited for a human.
    pub first_pending_at: Option<Timestamp>,
    /// Since when it waits for a human; null while it does not.
    pub pending_since: Option<Timestamp>,
    /// The node of the bot's flow that waits for an answer; null when none does.
    pub bot_node: Option<String>,
    /// An object of the front ends' own, at most 16 KB.
    #[schemars(with = "Map<String, Value>")]
    pub metadata: Value,
    /// The conversation of the same client that has its messages now.
    pub merged_into_id: Option<Uuid>,
    /// Since when it is put off; null while it is not.
    pub snoozed_at: Option<Timestamp>,
    /// Until when it is put off at most: its client's next message ends it in any case.
    pub snoozed_until: Option<Timestamp>,
    /// When the bot takes it again.
    pub return_to_bot_at: Option<Timestamp>,
    /// Staff who follow it: they see it whoever has it.
    pub participant_ids: Vec<Uuid>,
    /// What its client gave it when it had been closed, from 1 to 5; the last one of several.
    #[schemars(range(min = 1, max = 5))]
    pub rating: Option<i16>,
    pub rated_at: Option<Timestamp>,
    /// When it was made of what the channel's phone had said before; null for what was held here. It stays closed, and counts in no statistics.
    pub imported_at: Option<Timestamp>,
}

impl Versioned for Conversation {
    fn version(&self) -> i32 {
        self.version
    }
}

impl Conversation {
    /// Who sees it as it is now.
    pub fn audience(&self) -> Audience {
        Audience::conversation(self.department_id, self.assignee_id).and_participants(&self.participant_ids)
    }
}

macro_rules! conversation_events {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Serialize, JsonSchema)]
            pub struct $name {
                pub conversation: Conversation,
                /// The user whose act it was; null for the client, the bot and the system.
                pub by_user_id: Option<Uuid>,
            }

            event!($name = $kind);

            impl From<(Conversation, Option<Uuid>)> for $name {
                fn from((conversation, by_user_id): (Conversation, Option<Uuid>)) -> Self {
                    Self { conversation, by_user_id }
                }
            }
        )*
    };
}

conversation_events! {
    /// A conversation began, by its client or by staff.
    ConversationCreated = "conversation.created";
    /// Its row changed: a new message, its mode, its unread count.
    ConversationUpdated = "conversation.updated";
    /// A client wrote again within the reopening window, or somebody opened it again.
    ConversationReopened = "conversation.reopened";
    /// Somebody took it over or received it.
    ConversationAssigned = "conversation.assigned";
    /// It went to another user or department. Told to those who lose sight of it too.
    ConversationTransferred = "conversation.transferred";
    /// It ended.
    ConversationClosed = "conversation.closed";
    /// It is not put off any more, by its time or by somebody's act.
    ConversationUnsnoozed = "conversation.unsnoozed";
    /// Staff read the client's messages.
    ConversationRead = "conversation.read";
}

/// Adds an event of a conversation to the inboxes of those who see it now or, with `before`, saw it until now.
pub fn emit_conversation<P>(
    transaction: &Transaction,
    company_id: Uuid,
    conversation: &Conversation,
    by_user_id: Option<Uuid>,
    before: Option<Audience>,
) where
    P: EventPayload + From<(Conversation, Option<Uuid>)>,
{
    let audience = conversation.audience();
    let audience = before.map_or(audience.clone(), |before| audience.or(before));
    let payload = P::from((conversation.clone(), by_user_id));
    let path = format!("/conversations/{}", conversation.id);
    transaction.emit(Event::new(Topic::Company(company_id), audience, &payload).fetched_at(path));
}

/// The columns of `HeldConversation`, from a relation named `conversations`.
#[macro_export]
macro_rules! held_columns {
    () => {
        "conversations.id, conversations.client_id, conversations.channel_account_id, conversations.department_id,
         conversations.assignee_id, conversations.status, conversations.mode, conversations.version,
         conversations.inbound_count, conversations.window_expires_at, conversations.merged_into_id,
         conversations.participant_ids,
         (select clients.blocked_at is not null
            from clients
           where clients.company_id = conversations.company_id and clients.id = conversations.client_id) as is_client_blocked,
         (select channel_accounts.removed_at is not null
            from channel_accounts
           where channel_accounts.company_id = conversations.company_id
             and channel_accounts.id = conversations.channel_account_id) as is_channel_removed"
    };
}

/// As `held_columns`, and the conversation stays in the caller's sight until the transaction ends.
#[macro_export]
macro_rules! kept_in_sight {
    () => {
        concat!($crate::held_columns!(), ", set_config('app.held_conversation', conversations.id::text, true) as held")
    };
}

/// Locks the row of a conversation the caller sees.
const LOCK: &str = concat!("select ", kept_in_sight!(), " from conversations where id = $1 for update");

/// As many as the caller sees of these, in the order of locks.
pub const LOCK_ALL: &str = concat!("select ", held_columns!(), " from conversations where id = any ($1) order by id for update");

/// A locked conversation, as far as commands judge it.
#[derive(Clone, Debug, FromRow)]
pub struct HeldConversation {
    pub id: Uuid,
    pub client_id: Uuid,
    pub channel_account_id: Uuid,
    pub department_id: Option<Uuid>,
    pub assignee_id: Option<Uuid>,
    pub status: Status,
    pub mode: Mode,
    pub version: i32,
    pub inbound_count: i32,
    pub window_expires_at: Option<Timestamp>,
    /// The conversation of the same client that has its messages now.
    pub merged_into_id: Option<Uuid>,
    pub participant_ids: Vec<Uuid>,
    pub is_client_blocked: bool,
    /// Nothing goes out by its channel any more.
    pub is_channel_removed: bool,
}

impl HeldConversation {
    pub fn is_closed(&self) -> bool {
        self.status == Status::Closed
    }

    /// Whether this caller may act on it: its holder, a supervisor, or anyone who sees it while nobody holds it.
    pub fn may_be_moved_by(&self, caller: &Identity) -> bool {
        self.assignee_id.is_none_or(|holder| holder == caller.user_id) || caller.role.is_leader()
    }

    /// The problem with the whole row as it is now: whoever holds the lock sees it.
    pub async fn refuse(&self, transaction: &Transaction, problem: Problem) -> Error {
        match transaction.one::<Conversation>(CONVERSATION, &[&self.id]).await {
            Ok(conversation) if problem == WINDOW_CLOSED => match out_of_window(transaction, conversation).await {
                Ok(current) => problem.with_current(&current),
                Err(error) => error,
            },
            Ok(conversation) => problem.with_current(&conversation),
            Err(error) => error,
        }
    }

    /// Who sees it before the change.
    pub fn audience(&self) -> Audience {
        Audience::conversation(self.department_id, self.assignee_id).and_participants(&self.participant_ids)
    }
}

/// A conversation whose client wrote too long ago to be sent free text.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OutOfWindow {
    #[serde(flatten)]
    conversation: Conversation,
    /// Templates that may be sent instead, by name; the first hundred.
    allowed_templates: Vec<AllowedTemplate>,
}

/// A template that may be sent now; `GET /whatsapp/templates` tells the rest of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AllowedTemplate {
    id: Uuid,
    name: String,
    language: String,
    category: TemplateCategory,
    preview: String,
}

const APPROVED: &str = concat!(
    "select ",
    template_columns!(),
    " from message_templates where channel_account_id = $1 and status = 'approved' order by name, language limit 100"
);

/// With the templates that its number may send.
pub async fn out_of_window(transaction: &Transaction, conversation: Conversation) -> Result<OutOfWindow, Error> {
    let allowed_templates = allowed_templates(transaction, conversation.channel_account_id).await?;
    Ok(OutOfWindow { conversation, allowed_templates })
}

/// The templates that a number may send.
pub async fn allowed_templates(transaction: &Transaction, channel_account_id: Uuid) -> Result<Vec<AllowedTemplate>, Error> {
    let approved: Vec<TemplateRow> = transaction.all(APPROVED, &[&channel_account_id]).await?;
    let sendable = approved.into_iter().map(Template::from).filter(|template| template.is_sendable);
    let allowed = sendable.map(|template| {
        let Template { row: TemplateRow { id, name, language, category, .. }, preview, .. } = template;
        AllowedTemplate { id, name, language, category, preview }
    });
    Ok(allowed.collect())
}

/// Asks for a turn of the bot, unless one waits already.
pub fn enqueue_bot_turn(context: &Context, transaction: &Transaction, id: Uuid) {
    let job = Job::new(context, Queue::Bot, "bot_turn", id, json!({"conversation_id": id}));
    transaction.enqueue(job.unless_waiting(id));
}

/// A job of the bot's whose message did not arrive.
pub const UNHEARD: &str = "bot_unheard";

/// Has people take over where the client cannot have heard what the bot waits for an answer to. In the lane of its turns.
pub fn enqueue_unheard(transaction: &Transaction, id: Uuid, message_id: Uuid) {
    let payload = json!({"conversation_id": id, "message_id": message_id});
    let lane = id.to_string();
    transaction.enqueue(Job { id: clock::new_id(), kind: UNHEARD, queue: Queue::Bot, lane, key: None, payload, run_at: None });
}

/// Locks a conversation for a command; 404 when the caller does not see it.
pub async fn lock(transaction: &Transaction, id: Uuid) -> Result<HeldConversation, Error> {
    transaction.one(LOCK, &[&id]).await
}
