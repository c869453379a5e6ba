//! Messages to be sent later.

use std::time::Duration;

use futures_util::future::join;
use shared::{
    closed_set,
    error::{INTERNAL, Language},
    prelude::*,
};

use crate::{
    Author, CLIENT_MESSAGE_ID_REUSED, Content, HeldConversation, MessageKind, MessageToSend, NewMessage, add_outgoing, attach,
    content_now, held_columns, kept_in_sight, may_send, use_quick_reply,
};

/// The kind of the jobs that look after them.
pub const SCHEDULED_MESSAGE: &str = "send_scheduled_message";

/// The columns of `ScheduledMessage`, from a relation named `scheduled_messages`.
#[macro_export]
macro_rules! scheduled_columns {
    () => {
        "scheduled_messages.id, scheduled_messages.conversation_id, scheduled_messages.author_id,
           (select name from users where users.id = scheduled_messages.author_id) as author_name,
           scheduled_messages.kind, scheduled_messages.body, scheduled_messages.payload, scheduled_messages.file_id, scheduled_messages.due_at, scheduled_messages.state, scheduled_messages.failure,
           scheduled_messages.message_id, scheduled_messages.version, scheduled_messages.created_at"
    };
}

pub const SCHEDULED: &str = concat!("select ", scheduled_columns!(), " from scheduled_messages where id = $1");

pub const NOT_WAITING: Problem = Problem::new(
    409,
    "not_waiting",
    "Esta mensagem não espera mais para ser enviada.",
    "This message does not wait to be sent any more.",
)
.showing::<ScheduledMessage>();

closed_set! {
    /// What became of a message that was to be sent later.
    pub ScheduledState { Waiting = "waiting", Sent = "sent", Failed = "failed", Cancelled = "cancelled" }
}

/// A message to be sent later.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct ScheduledMessage {
    pub id: Uuid,
    pub conversation_id: Uuid,
    pub author_id: Uuid,
    pub author_name: Option<String>,
    pub kind: MessageKind,
    /// The text, the caption of a file, or a template's words as they were when it was planned.
    pub body: String,
    /// As messages have it: a template's name, language and parameters, a place, options.
    #[schemars(with = "Map<String, Value>")]
    pub payload: Value,
    pub file_id: Option<Uuid>,
    /// It is sent within a minute of this.
    pub due_at: Timestamp,
    pub state: ScheduledState,
    /// Why it was not sent: the code `POST /messages` would have answered then, or the one of what was wrong with a field.
    pub failure: Option<String>,
    /// The message that it became.
    pub message_id: Option<Uuid>,
    pub version: i32,
    pub created_at: Timestamp,
}

/// What a planned message is made of, as it is stored.
#[derive(Debug)]
pub struct Planned {
    pub content: Content,
    /// What `POST /messages` would take, but for its words and its file.
    pub asked: Value,
}

impl Planned {
    /// Judges a message that is to be sent later: all but the window.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn judge(transaction: &Transaction, conversation: Uuid, input: &MessageToSend) -> Result<Self, Error> {
        let content = content_now(transaction, conversation, input).await?;
        let mut asked = json!(input);
        if let Some(fields) = asked.as_object_mut() {
            fields.retain(|name, value| !value.is_null() && !["body", "file_id", "media_url"].contains(&name.as_str()));
        }
        Ok(Self { content, asked })
    }
}

impl Versioned for ScheduledMessage {
    fn version(&self) -> i32 {
        self.version
    }
}

impl ScheduledMessage {
    /// Whether this caller may change it or call it off.
    #[must_use]
    pub fn is_in_reach_of(&self, caller: &Identity) -> bool {
        self.author_id == caller.user_id || caller.role.is_leader()
    }
}

/// A message to be sent later was planned, changed, called off, sent, or could not be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ScheduledMessageUpdated {
    pub scheduled_message: ScheduledMessage,
}

event!(ScheduledMessageUpdated = "scheduled_message.updated");

/// Tells those who have the conversation open.
pub fn tell_scheduled(transaction: &Transaction, held: &HeldConversation, scheduled: &ScheduledMessage) {
    let payload = ScheduledMessageUpdated { scheduled_message: scheduled.clone() };
    transaction.emit(Event::new(Topic::Conversation(held.id), held.audience(), &payload));
}

/// Asks for a look at a message when it is due. Each change of the time asks anew: the row decides.
pub fn enqueue_scheduled(context: &Context, transaction: &Transaction, id: Uuid) {
    let payload = json!({"scheduled_message_id": id});
    transaction.enqueue(Job::new(context, Queue::Automation, SCHEDULED_MESSAGE, format!("scheduled:{id}"), payload));
}

/// Conversations come first in the order of locks.
const LOCK: &str = concat!(
    "select ",
    kept_in_sight!(),
    " from scheduled_messages
      join conversations on conversations.company_id = scheduled_messages.company_id
                        and conversations.id = scheduled_messages.conversation_id
     where scheduled_messages.id = $1
       for update of conversations"
);

/// A message to be sent later, with its locked conversation.
#[derive(Debug)]
pub struct LockedSchedule {
    pub held: HeldConversation,
    pub scheduled: ScheduledMessage,
}

/// Locks a message to be sent later by its conversation; 404 when the caller does not see it.
pub async fn lock_scheduled(transaction: &Transaction, id: Uuid) -> Result<LockedSchedule, Error> {
    let (held, scheduled) = join(transaction.one(LOCK, &[&id]), transaction.one(SCHEDULED, &[&id])).await;
    Ok(LockedSchedule { held: held?, scheduled: scheduled? })
}

/// Conversations come first in the order of locks, and what is not waiting needs none.
const LOCK_DUE: &str = concat!(
    "select ",
    held_columns!(),
    ", scheduled_messages.author_id, scheduled_messages.due_at, scheduled_messages.body, scheduled_messages.file_id,
           scheduled_messages.asked,
           (select role from memberships
             where memberships.company_id = scheduled_messages.company_id
               and memberships.user_id = scheduled_messages.author_id and memberships.status = 'active') as role
       from scheduled_messages
       join conversations on conversations.company_id = scheduled_messages.company_id
                        and conversations.id = scheduled_messages.conversation_id
      where scheduled_messages.id = $1 and scheduled_messages.state = 'waiting'
        for update of conversations"
);

/// No row when it was changed, called off or sent meanwhile.
const FINISH: &str = concat!(
    "with scheduled_messages as (
        update scheduled_messages
           set state = $2, failure = $3, version = version + 1
         where id = $1 and state = 'waiting' and due_at = $4
        returning *
    ) select ",
    scheduled_columns!(),
    " from scheduled_messages"
);

const IS_SENT: &str = "select from messages where client_message_id = $1";

const NAME_MESSAGE: &str = "update scheduled_messages set message_id = $2 where id = $1";

#[derive(FromRow)]
struct Due {
    #[from_row(flatten)]
    held: HeldConversation,
    author_id: Uuid,
    due_at: Timestamp,
    body: String,
    file_id: Option<Uuid>,
    /// Null of those that were planned when there were texts only.
    asked: Option<Value>,
    role: Option<String>,
}

impl Due {
    /// What `POST /messages` would take.
    fn message(&self) -> Result<MessageToSend, Error> {
        let asked = self.asked.clone().unwrap_or_else(|| json!({}));
        let mut message: MessageToSend = serde_json::from_value(asked).map_err(|error| INTERNAL.caused_by(error))?;
        if message.template.is_none() {
            message.body.clone_from(&self.body);
        }
        message.file_id = self.file_id;
        Ok(message)
    }
}

/// What its author's message carries now, or why it is not sent.
async fn judge_now(
    transaction: &Transaction,
    now: Timestamp,
    author: Option<&Identity>,
    held: &HeldConversation,
    input: &MessageToSend,
) -> Result<Result<Content, String>, Error> {
    let Some(author) = author else { return Ok(Err("author_gone".to_owned())) };
    if let Err(problem) = may_send(now, author, held, input.kind.into()) {
        return Ok(Err(problem.code.to_owned()));
    }
    if let Some(own_id) = &input.client_message_id
        && !transaction.query(IS_SENT, &[own_id]).await?.is_empty()
    {
        return Ok(Err(CLIENT_MESSAGE_ID_REUSED.code.to_owned()));
    }
    match content_now(transaction, held.id, input).await {
        Ok(content) => Ok(Ok(content)),
        Err(error) if (400..500).contains(&error.problem().status) => Ok(Err(reason(&error))),
        Err(error) => Err(error),
    }
}

/// Why something cannot be sent: the code of what is wrong with a field, where it is one.
#[must_use]
pub fn reason(error: &Error) -> String {
    let told = error.to_json(Language::default(), "");
    told["errors"][0]["code"].as_str().unwrap_or(error.problem().code).to_owned()
}

#[derive(Deserialize)]
struct SendScheduled {
    scheduled_message_id: Uuid,
}

/// Does a job of a scheduled message: waits for its time, judges again, and sends it in the transaction that says so.
pub async fn send_scheduled(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let SendScheduled { scheduled_message_id: id } = job.read()?;
    let transaction = context.begin_system(job.company_id).await?;
    let Some(due) = transaction.first::<Due>(LOCK_DUE, &[&id]).await? else {
        job.finish(&transaction);
        transaction.commit_quietly().await?;
        return Ok(Outcome::Done);
    };
    let input = due.message()?;
    let Due { held, author_id, due_at, role, .. } = due;
    // Its conversation has just become part of another, where it will be found at the next look.
    if held.merged_into_id.is_some() {
        return Ok(Outcome::PutOff { after: Duration::from_secs(1) });
    }
    let now = context.now();
    if due_at > now {
        return Ok(Outcome::PutOff { after: due_at.duration_since(now).unsigned_abs() });
    }
    let role = role.and_then(|role| role.parse().ok());
    let author = role.map(|role| Identity { user_id: author_id, company_id: job.company_id, role, session_id: Uuid::nil() });
    let judged = judge_now(&transaction, now, author.as_ref(), &held, &input).await?;
    let failure = judged.as_ref().err();
    let state = if failure.is_some() { ScheduledState::Failed } else { ScheduledState::Sent };
    let finished: Option<ScheduledMessage> = transaction.first(FINISH, &[&id, &state.as_str(), &failure, &due_at]).await?;
    if let Some(mut scheduled) = finished {
        if let Ok(content) = judged {
            attach(&transaction, held.id, content.file_id);
            let new = NewMessage {
                id: context.new_id(),
                conversation_id: held.id,
                sender_type: Author::Agent,
                sender_id: Some(author_id),
                content,
                reply_to_id: input.reply_to_id,
                client_message_id: input.client_message_id.clone(),
                is_reply: true,
            };
            // Somebody has sent one with this id just now: it is judged anew.
            let added = add_outgoing(context, &transaction, job.company_id, new).await?;
            let (_, message) = added.ok_or(CLIENT_MESSAGE_ID_REUSED)?;
            scheduled.message_id = Some(message.id);
            transaction.defer(NAME_MESSAGE, shared::parameters![id, scheduled.message_id]);
            use_quick_reply(&transaction, message.id, input.quick_reply_id);
        }
        tell_scheduled(&transaction, &held, &scheduled);
        tell_author(&transaction, scheduled);
    }
    job.finish(&transaction);
    transaction.commit_quietly().await?;
    Ok(Outcome::Done)
}

const GIVE_UP: &str = concat!(
    "with scheduled_messages as (
        update scheduled_messages
           set state = 'failed', failure = 'not_sent', version = version + 1
         where id = $1 and state = 'waiting'
        returning *
    ) select ",
    scheduled_columns!(),
    " from scheduled_messages"
);

/// What could not be sent for a reason of our own says so, to its author.
pub async fn give_up_scheduled(job: &Claimed, transaction: &Transaction) -> Result<(), Error> {
    let SendScheduled { scheduled_message_id } = job.read()?;
    let failed: Option<ScheduledMessage> = transaction.first(GIVE_UP, &[&scheduled_message_id]).await?;
    if let Some(scheduled_message) = failed {
        tell_author(transaction, scheduled_message);
    }
    Ok(())
}

fn tell_author(transaction: &Transaction, scheduled_message: ScheduledMessage) {
    let author = scheduled_message.author_id;
    let payload = ScheduledMessageUpdated { scheduled_message };
    transaction.tell_person(author, &payload);
}
