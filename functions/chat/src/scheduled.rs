//! Messages to be posted later. The row decides; jobs only look.

use channels::{ARCHIVED, NOT_MANAGER, NOT_MEMBER};
use shared::{
    closed_set,
    error::{INTERNAL, NOT_FOUND},
    prelude::*,
};

use crate::{Judged, NewChatMessage, post};

/// The kind of the jobs that look after them.
pub const SCHEDULED_CHAT_MESSAGE: &str = "post_chat_message";

pub const NOT_WAITING: Problem = Problem::new(
    409,
    "not_waiting",
    "Esta mensagem não espera mais para ser enviada.",
    "This message does not wait to be posted any more.",
)
.showing::<ScheduledChatMessage>();

closed_set! {
    /// What became of a message that was to be posted later.
    pub ScheduledChatState { Waiting = "waiting", Posted = "posted", Failed = "failed", Cancelled = "cancelled" }
}

/// The columns of `ScheduledChatMessage`, from a relation named `scheduled_chat_messages`.
#[macro_export]
macro_rules! scheduled_chat_columns {
    () => {
        "scheduled_chat_messages.id, scheduled_chat_messages.channel_id, scheduled_chat_messages.asked, scheduled_chat_messages.due_at,
           scheduled_chat_messages.state, scheduled_chat_messages.failure, scheduled_chat_messages.message_id,
           scheduled_chat_messages.created_at"
    };
}

/// A message to be posted later, which nobody sees but its author.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct ScheduledChatMessage {
    pub id: Uuid,
    pub channel_id: Uuid,
    /// As `POST /channels/{id}/messages` takes it.
    #[schemars(with = "Map<String, Value>")]
    pub asked: Value,
    /// It is posted within a second of this where that is less than a quarter of an hour away, and else within a minute.
    pub due_at: Timestamp,
    pub state: ScheduledChatState,
    /// Why it was not posted: the code that posting it would have answered then.
    pub failure: Option<String>,
    /// The message that it became.
    pub message_id: Option<Uuid>,
    pub created_at: Timestamp,
}

/// A message to be posted later was planned, called off, posted, or could not be; told to its author alone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChatScheduledUpdated {
    pub scheduled_message: ScheduledChatMessage,
}
event!(ChatScheduledUpdated = "chat.scheduled_updated");

/// Locked, where it waits. What can have changed since it was planned is judged again.
const LOCK_DUE: &str = "
    select scheduled.channel_id, scheduled.author_id, scheduled.asked, scheduled.due_at,
           coalesce(memberships.status = 'active' and memberships.role <> 'student' and members.user_id is not null, false) as is_member,
           channels.archived_at is not null as is_archived,
           channels.is_announcement and not members.is_manager and memberships.role = 'agent' as may_only_answer,
           memberships.role,
           scheduled.asked ->> 'root_id' is null
               or exists (select from chat_messages root
                           where root.company_id = scheduled.company_id and root.id = (scheduled.asked ->> 'root_id')::uuid
                             and root.deleted_at is null) as has_root
      from scheduled_chat_messages scheduled
      join channels on channels.company_id = scheduled.company_id and channels.id = scheduled.channel_id
      join memberships on memberships.company_id = scheduled.company_id and memberships.user_id = scheduled.author_id
      left join channel_members members
        on members.company_id = scheduled.company_id and members.channel_id = scheduled.channel_id
       and members.user_id = scheduled.author_id
     where scheduled.id = $1 and scheduled.state = 'waiting'
       for update of scheduled";

const FINISH: &str = concat!(
    "with scheduled_chat_messages as (
        update scheduled_chat_messages set state = $2, failure = $3, message_id = $4 where id = $1 and state = 'waiting' returning *
    ) select ",
    scheduled_chat_columns!(),
    ", scheduled_chat_messages.author_id from scheduled_chat_messages"
);

#[derive(Serialize, Deserialize)]
struct PostLater {
    scheduled_chat_message_id: Uuid,
}

#[derive(FromRow)]
struct Due {
    channel_id: Uuid,
    author_id: Uuid,
    asked: Value,
    due_at: Timestamp,
    is_member: bool,
    is_archived: bool,
    may_only_answer: Option<bool>,
    role: Role,
    has_root: bool,
}

impl Due {
    /// Why it is not posted now.
    fn failure(&self, wanted: &NewChatMessage) -> Option<Problem> {
        let is_in_channel = wanted.root_id.is_none() || wanted.is_in_channel;
        if !self.is_member {
            Some(NOT_MEMBER)
        } else if self.is_archived {
            Some(ARCHIVED)
        } else if is_in_channel && self.may_only_answer == Some(true) {
            Some(NOT_MANAGER)
        } else {
            (!self.has_root).then_some(NOT_FOUND)
        }
    }
}

#[derive(FromRow)]
struct Finished {
    #[from_row(flatten)]
    scheduled_message: ScheduledChatMessage,
    author_id: Uuid,
}

impl Finished {
    fn tell(self, transaction: &Transaction) {
        let payload = ChatScheduledUpdated { scheduled_message: self.scheduled_message };
        transaction.tell_person(self.author_id, &payload);
    }
}

/// Asks for a look at a message when it is due.
pub fn enqueue_scheduled(context: &Context, transaction: &Transaction, id: Uuid) {
    let payload = json!(PostLater { scheduled_chat_message_id: id });
    transaction.enqueue(Job::new(context, Queue::Chat, SCHEDULED_CHAT_MESSAGE, format!("chat:{id}"), payload));
}

/// Posts a message whose time has come, once: it, the row's new state and the end of the job are one transaction.
///
/// # Errors
/// Those of the database.
pub async fn post_scheduled(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let PostLater { scheduled_chat_message_id: id } = job.read()?;
    let transaction = context.begin_system(job.company_id).await?;
    if let Some(due) = transaction.first::<Due>(LOCK_DUE, &[&id]).await? {
        let now = context.now();
        if due.due_at > now {
            return Ok(Outcome::PutOff { after: due.due_at.duration_since(now).unsigned_abs() });
        }
        let wanted: NewChatMessage = serde_json::from_value(due.asked.clone()).map_err(|error| INTERNAL.caused_by(error))?;
        let failure = due.failure(&wanted);
        let message_id = if failure.is_some() {
            None
        } else {
            let Due { author_id, role, channel_id, .. } = due;
            let author = Identity { user_id: author_id, company_id: job.company_id, role, session_id: Uuid::nil() };
            let judged = Judged::as_planned(&wanted);
            Some(post(context, &transaction, &author, channel_id, &wanted, judged).await?.into_inner().message.id)
        };
        let state = if failure.is_some() { ScheduledChatState::Failed } else { ScheduledChatState::Posted };
        let finished: Option<Finished> =
            transaction.first(FINISH, &[&id, &state.as_str(), &failure.map(|problem| problem.code), &message_id]).await?;
        if let Some(finished) = finished {
            finished.tell(&transaction);
        }
    }
    job.finish(&transaction);
    transaction.commit_quietly().await?;
    Ok(Outcome::Done)
}

/// Says that a message was not posted, whatever was tried.
///
/// # Errors
/// Those of the database.
pub async fn give_up_scheduled(job: &Claimed, transaction: &Transaction) -> Result<(), Error> {
    let PostLater { scheduled_chat_message_id: id } = job.read()?;
    let (failed, none) = (ScheduledChatState::Failed.as_str(), None::<Uuid>);
    let finished: Option<Finished> = transaction.first(FINISH, &[&id, &failed, &"not_posted", &none]).await?;
    if let Some(finished) = finished {
        finished.tell(transaction);
    }
    Ok(())
}
