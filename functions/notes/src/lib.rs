//! What staff write to each other about a client or a conversation, and never to either.

use shared::{
    error::{FieldProblem, refuse},
    prelude::*,
};

pub const NOT_AUTHOR: Problem = Problem::new(
    403,
    "not_author",
    "Só quem escreveu a nota ou um supervisor pode alterá-la.",
    "Only whoever wrote the note, or a supervisor, may change it.",
);

/// A note with whom it is told to, from a relation named `notes`.
#[macro_export]
macro_rules! note_columns {
    () => {
        "notes.id, notes.client_id, notes.conversation_id, notes.author_id, users.name as author_name, notes.text, notes.mention_ids,
           notes.is_pinned, notes.version, notes.created_at, notes.updated_at,
           conversations.department_id, conversations.assignee_id, coalesce(conversations.participant_ids, '{}') as participant_ids"
    };
}

/// The joins that go with `note_columns`.
#[macro_export]
macro_rules! note_joins {
    () => {
        " join users on users.id = notes.author_id
      left join conversations on conversations.company_id = notes.company_id and conversations.id = notes.conversation_id"
    };
}

/// What `GET /notes` and a client's notes may ask for besides.
macro_rules! notes_where {
    ($condition:literal) => {
        TimeList {
            rows: concat!(
                "select * from notes where deleted_at is null and ",
                $condition,
                " and ($3::boolean is null or is_pinned = $3)
                  and ($4::text is null or id = any ((select app.find_notes($4))::uuid[]))"
            ),
            at: "notes.created_at",
            id: "notes.id",
            shown: concat!("select ", note_columns!(), " from page notes ", note_joins!()),
        }
    };
}

/// Of the conversation `$2`, and of the client `$1` where one is given too; pinned or not, `$3`; with the words `$4`.
pub const OF_CONVERSATION: TimeList = notes_where!("conversation_id = $2 and ($1::uuid is null or client_id = $1)");
pub const OF_CLIENT: TimeList = notes_where!("client_id = $1 and $2::uuid is null");
pub const ALL: TimeList = notes_where!("$1::uuid is null and $2::uuid is null");

/// Before a note is locked: its conversation stays whose it is, and comes first in the order of locks.
pub const HOLD_PLACE: &str = "select from conversations where id = (select conversation_id from notes where id = $1) for share";

/// One note, locked until the transaction ends.
pub const LOCKED_NOTE: &str = concat!(
    "select ",
    note_columns!(),
    " from notes ",
    note_joins!(),
    " where notes.id = $1 and notes.deleted_at is null for no key update of notes"
);

#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct Note {
    pub id: Uuid,
    pub client_id: Uuid,
    pub conversation_id: Option<Uuid>,
    pub author_id: Uuid,
    pub author_name: String,
    /// Markdown, as it was written.
    pub text: String,
    /// Who is mentioned in it.
    pub mention_ids: Vec<Uuid>,
    pub is_pinned: bool,
    pub version: i32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Versioned for Note {
    fn version(&self) -> i32 {
        self.version
    }
}

/// A note as whoever writes it sees it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WrittenNote {
    #[serde(flatten)]
    pub note: Note,
    /// Who was mentioned now and is not told, because they do not see the conversation.
    pub not_told_ids: Vec<Uuid>,
}

/// A note with where its conversation is.
#[derive(Clone, Debug, FromRow)]
pub struct PlacedNote {
    #[from_row(flatten)]
    pub note: Note,
    pub department_id: Option<Uuid>,
    pub assignee_id: Option<Uuid>,
    pub participant_ids: Vec<Uuid>,
}

impl PlacedNote {
    /// Tells whoever sees the note.
    pub fn tell<P: EventPayload>(&self, transaction: &Transaction, company_id: Uuid, payload: &P) {
        let audience = match self.note.conversation_id {
            Some(_) => Audience::conversation(self.department_id, self.assignee_id).and_participants(&self.participant_ids),
            None => Audience::staff(),
        };
        transaction.emit(Event::new(Topic::Company(company_id), audience, payload));
    }

    /// Tells those who are mentioned, where they see the note; the author learns who does not.
    #[must_use]
    pub fn tell_mentioned(self, transaction: &Transaction, mentioned: &[Mentioned]) -> WrittenNote {
        let mut not_told_ids = Vec::new();
        for Mentioned { user_id, sees } in mentioned {
            if *sees {
                let payload = NoteMentioned { note: self.note.clone() };
                transaction.tell_person(*user_id, &payload);
            } else {
                not_told_ids.push(*user_id);
            }
        }
        WrittenNote { note: self.note, not_told_ids }
    }

    pub fn may_be_changed_by(&self, caller: &Identity) -> bool {
        self.note.author_id == caller.user_id || caller.role.is_leader()
    }
}

macro_rules! note_events {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Serialize, JsonSchema)]
            pub struct $name {
                pub note: Note,
            }
            event!($name = $kind);
        )*
    };
}

note_events! {
    /// There is a new note.
    NoteCreated = "note.created";
    /// Its text changed, who is mentioned in it, or whether it is pinned.
    NoteUpdated = "note.updated";
    /// Somebody is mentioned in a note; told to them alone.
    NoteMentioned = "note.mentioned";
}

/// A note is gone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NoteDeleted {
    pub note_id: Uuid,
    pub client_id: Uuid,
    pub conversation_id: Option<Uuid>,
}
event!(NoteDeleted = "note.deleted");

/// Those of the people `$1` who are active staff, and whether they see the conversation `$2`.
const MENTIONED: &str = "
    select memberships.user_id,
           conversations.id is null
           or memberships.role in ('admin', 'supervisor')
           or companies.agent_visibility = 'company'
           or conversations.assignee_id is not distinct from memberships.user_id
           or memberships.user_id = any (conversations.participant_ids)
           or (conversations.assignee_id is null or companies.agent_visibility = 'department')
              and (conversations.department_id is null
                   or exists (select from department_members members
                               where members.department_id = conversations.department_id
                                 and members.user_id = memberships.user_id)) as sees
      from memberships
      join companies on companies.id = memberships.company_id
      left join conversations on conversations.id = $2
     where memberships.user_id = any ($1) and memberships.status = 'active' and memberships.role <> 'student'";

#[derive(Clone, Debug, FromRow)]
pub struct Mentioned {
    pub user_id: Uuid,
    pub sees: bool,
}

/// Those who are mentioned.
///
/// # Errors
/// 422 when one of them is no active staff of this company.
pub async fn mentioned(
    transaction: &Transaction,
    wanted: &[Uuid],
    conversation_id: Option<Uuid>,
) -> Result<Vec<Mentioned>, Error> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let found: Vec<Mentioned> = transaction.all(MENTIONED, &[&wanted, &conversation_id]).await?;
    let strangers = wanted.iter().enumerate().filter(|(_, wanted)| found.iter().all(|person| person.user_id != **wanted));
    refuse(strangers.map(|(position, _)| FieldProblem::not_active_staff(format!("mention_ids[{position}]"))))?;
    Ok(found)
}
