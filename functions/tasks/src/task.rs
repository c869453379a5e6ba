//! A task, and whom its changes are told to.

use futures_util::future::try_join3;
use shared::{closed_set, prelude::*, rule};
use tokio_postgres::types::ToSql;

use crate::{Links, Recurrence};

pub const TASK_DONE: Problem = Problem::new(
    409,
    "task_done",
    "Esta tarefa já foi concluída: ela fica como está.",
    "This task has been completed: it stays as it is.",
)
.showing::<Task>();

closed_set! {
    pub TaskKind { Call = "call", Message = "message", Generic = "generic" }
}

/// A task, from a relation named `tasks` with `task_joins`.
#[macro_export]
macro_rules! task_columns {
    () => {
        "tasks.id, tasks.kind, tasks.title, tasks.notes, tasks.owner_id, owners.name as owner_name, tasks.created_by, tasks.due_at,
           tasks.time_zone, tasks.recurrence, tasks.follows_id, tasks.lead_id, tasks.client_id, clients.name as client_name,
           tasks.mentee_id, tasks.conversation_id, tasks.completed_at, tasks.completed_by, tasks.result, tasks.version,
           tasks.created_at, tasks.updated_at, tasks.listed_at"
    };
}

/// The joins that go with `task_columns`.
#[macro_export]
macro_rules! task_joins {
    () => {
        " join users owners on owners.id = tasks.owner_id
      left join clients on clients.company_id = tasks.company_id and clients.id = tasks.client_id"
    };
}

/// With its series, and who sees what it is about.
#[macro_export]
macro_rules! placed_task {
    () => {
        concat!(
            "select ",
            $crate::task_columns!(),
            ", tasks.given_by, tasks.series_id, tasks.series_at, tasks.occurrence, seen.department_id, seen.assignee_id, seen.participant_ids
          from tasks ",
            $crate::task_joins!(),
            " cross join app.who_sees_task(tasks.conversation_id, tasks.mentee_id, tasks.lead_id) seen"
        )
    };
}

/// Before the task `$1` is locked: what it is about stays what it is, and comes first in the order of locks.
const HOLD_CLIENT: &str = "select from clients where id = (select client_id from tasks where id = $1) for share";
const HOLD_CONVERSATION: &str =
    "select from conversations where id = (select conversation_id from tasks where id = $1) for share";

/// Holds a task, and what it is about, until the transaction ends.
///
/// # Errors
/// 404 where the caller sees none; as `Transaction::query`.
pub async fn hold(transaction: &Transaction, id: Uuid) -> Result<PlacedTask, Error> {
    let ids: &[&(dyn ToSql + Sync)] = &[&id];
    let (_, _, task) = try_join3(
        transaction.query(HOLD_CLIENT, ids),
        transaction.query(HOLD_CONVERSATION, ids),
        transaction.one(LOCKED_TASK, ids),
    )
    .await?;
    Ok(task)
}

const LOCKED_TASK: &str = concat!(placed_task!(), " where tasks.id = $1 for no key update of tasks");

/// What came after the task `$1`: what it was said to come after, and the next one of its series.
pub const FOLLOWING: &str = concat!(placed_task!(), " where tasks.follows_id = $1");

#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
#[schemars(rename = "StaffTask")]
pub struct Task {
    pub id: Uuid,
    pub kind: TaskKind,
    pub title: String,
    pub notes: String,
    /// Of the staff.
    pub owner_id: Uuid,
    pub owner_name: String,
    /// Null: by itself.
    pub created_by: Option<Uuid>,
    pub due_at: Option<Timestamp>,
    /// In which its days are; null is the company's.
    pub time_zone: Option<String>,
    /// It comes again once it was completed.
    pub recurrence: Option<Recurrence>,
    /// The task that it came after.
    pub follows_id: Option<Uuid>,
    pub lead_id: Option<Uuid>,
    pub client_id: Option<Uuid>,
    pub client_name: Option<String>,
    pub mentee_id: Option<Uuid>,
    pub conversation_id: Option<Uuid>,
    pub completed_at: Option<Timestamp>,
    pub completed_by: Option<Uuid>,
    /// What came of it.
    pub result: String,
    pub version: i32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Its place in lists.
    #[serde(skip)]
    pub listed_at: Timestamp,
}

impl Versioned for Task {
    fn version(&self) -> i32 {
        self.version
    }
}

impl Task {
    #[must_use]
    pub fn links(&self) -> Links {
        let Self { lead_id, client_id, mentee_id, conversation_id, .. } = *self;
        Links { lead_id, client_id, mentee_id, conversation_id }
    }
}

/// A task with its place in its series, and who sees what it is about.
#[derive(Clone, Debug, FromRow)]
pub struct PlacedTask {
    #[from_row(flatten)]
    pub task: Task,
    pub series_id: Uuid,
    pub series_at: Option<Timestamp>,
    pub occurrence: i32,
    given_by: Option<Uuid>,
    department_id: Option<Uuid>,
    assignee_id: Option<Uuid>,
    participant_ids: Vec<Uuid>,
}

impl PlacedTask {
    /// Those who see it: as the policy of `tasks` has it.
    #[must_use]
    pub fn audience(&self) -> Audience {
        let people: Vec<Uuid> = [Some(self.task.owner_id), self.task.created_by, self.given_by].into_iter().flatten().collect();
        let Links { lead_id, client_id, mentee_id, conversation_id } = self.task.links();
        if conversation_id.or(mentee_id).or(lead_id).is_some() {
            Audience::conversation(self.department_id, self.assignee_id)
                .and_participants(&self.participant_ids)
                .and_participants(&people)
        } else if client_id.is_some() {
            Audience::staff()
        } else {
            Audience::from(Some(people.iter().map(|person| format!("user:{person}")).collect()))
        }
    }

    /// Tells those who see it.
    pub fn tell<P: EventPayload>(&self, transaction: &Transaction, company_id: Uuid, payload: &P) {
        transaction.emit(Event::new(Topic::Company(company_id), self.audience(), payload));
    }
}

macro_rules! task_events {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Serialize, JsonSchema)]
            pub struct $name {
                pub task: Task,
            }
            event!($name = $kind);
        )*
    };
}

task_events! {
    /// There is a new task.
    TaskCreated = "task.created";
    /// Whose it is, by when, or what it is about has changed.
    TaskUpdated = "task.updated";
    /// Its time is over, and nobody has completed it; its owner is told by name, too.
    TaskOverdue = "task.overdue";
    /// A task is done.
    TaskCompleted = "task.completed";
}

/// A task is gone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TaskDeleted {
    pub task_id: Uuid,
}
event!(TaskDeleted = "task.deleted");

/// A task to be made.
#[derive(Clone, Debug)]
pub struct NewTask {
    pub id: Uuid,
    pub kind: TaskKind,
    pub title: String,
    pub notes: String,
    pub owner_id: Uuid,
    pub due_at: Option<Timestamp>,
    pub time_zone: Option<String>,
    pub recurrence: Option<Recurrence>,
    pub series_id: Uuid,
    /// When the first one of its series was due; the series goes on from there.
    pub series_at: Option<Timestamp>,
    pub occurrence: i32,
    pub follows_id: Option<Uuid>,
    pub links: Links,
}

impl NewTask {
    /// Something that is to be done once about a lead.
    #[must_use]
    pub fn about_lead(id: Uuid, title: String, owner_id: Uuid, due_at: Timestamp, lead_id: Uuid) -> Self {
        Self {
            id,
            kind: TaskKind::Generic,
            title,
            notes: String::new(),
            owner_id,
            due_at: Some(due_at),
            time_zone: None,
            recurrence: None,
            series_id: id,
            series_at: None,
            occurrence: 0,
            follows_id: None,
            links: Links { lead_id: Some(lead_id), ..Links::default() },
        }
    }
}

const INSERT: &str = concat!(
    "with tasks as (
        insert into tasks (id, kind, title, notes, owner_id, due_at, time_zone, recurrence, series_id, series_at, occurrence, follows_id,
                           lead_id, client_id, mentee_id, conversation_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        returning *
    ) ",
    placed_task!()
);

/// Makes a task, and tells those who see it.
///
/// # Errors
/// As `Transaction::query`.
pub async fn insert(transaction: &Transaction, company_id: Uuid, new: NewTask) -> Result<PlacedTask, Error> {
    let NewTask { id, title, notes, owner_id, due_at, time_zone, series_id, series_at, occurrence, follows_id, links, .. } = &new;
    let (kind, recurrence) = (new.kind.as_str(), new.recurrence.map(Recurrence::as_str));
    let Links { lead_id, client_id, mentee_id, conversation_id } = links;
    let placed: PlacedTask = transaction
        .one(
            INSERT,
            &[
                id,
                &kind,
                title,
                notes,
                owner_id,
                due_at,
                time_zone,
                &recurrence,
                series_id,
                series_at,
                occurrence,
                follows_id,
                lead_id,
                client_id,
                mentee_id,
                conversation_id,
            ],
        )
        .await?;
    placed.tell(transaction, company_id, &TaskCreated { task: placed.task.clone() });
    Ok(placed)
}

/// Rule for times that calendars show.
///
/// # Errors
/// `out_of_range`.
pub fn is_in_this_millennium(time: &Timestamp, (): &()) -> garde::Result {
    let year = jiff::tz::TimeZone::UTC.to_datetime(*time).year();
    if (2000..3000).contains(&year) {
        return Ok(());
    }
    Err(rule("out_of_range", "Deve ser entre os anos 2000 e 2999.", "Must be in the years from 2000 to 2999."))
}
