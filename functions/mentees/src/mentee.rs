//! A client who is mentored.

use shared::{
    closed_set,
    error::{FieldProblem, NOT_FOUND, refuse},
    money::Money,
    prelude::*,
};

use crate::month::Month;

pub const ALREADY_MENTORED: Problem = Problem::new(
    409,
    "already_mentored",
    "Este cliente já tem uma mentoria em andamento.",
    "This client is being mentored already.",
)
.showing::<Mentee>();
pub const NOT_MENTOR: Problem = Problem::new(
    403,
    "not_mentor",
    "Só quem é mentor ou um supervisor pode fazer isso.",
    "Only the mentor, or a supervisor, may do this.",
);
pub const MENTORING_ENDED: Problem = Problem::new(409, "mentoring_ended", "Sua mentoria terminou.", "Your mentoring has ended.");

closed_set! {
    pub MenteeStatus { Active = "active", Paused = "paused", Ended = "ended" }
}

/// A mentee, from a relation named `mentees` with `mentee_joins`.
#[macro_export]
macro_rules! mentee_columns {
    () => {
        "mentees.id, mentees.client_id, clients.name as client_name, mentees.mentor_id, mentors.name as mentor_name,
           (select logins.user_id from memberships logins
             where logins.company_id = mentees.company_id and logins.client_id = mentees.client_id
               and logins.role = 'student' and logins.status = 'active'
             order by logins.created_at, logins.user_id limit 1) as user_id,
           mentees.entry_month, mentees.status, mentees.goals, mentees.target_revenue::text, mentees.target_sales, mentees.merged_into_id,
           mentees.version, mentees.created_at, mentees.updated_at"
    };
}

/// The joins that go with `mentee_columns`.
#[macro_export]
macro_rules! mentee_joins {
    () => {
        " join clients on clients.company_id = mentees.company_id and clients.id = mentees.client_id
      join users mentors on mentors.id = mentees.mentor_id"
    };
}

pub const MENTEE: &str = concat!("select ", mentee_columns!(), " from mentees ", mentee_joins!(), " where mentees.id = $1");

/// One that the caller may change, locked until the transaction ends.
pub const LOCKED_MENTEE: &str = concat!(
    "select ",
    mentee_columns!(),
    " from mentees ",
    mentee_joins!(),
    " where mentees.id = $1 for no key update of mentees"
);

pub const MENTEE_OF_CLIENT: &str = concat!(
    "select ",
    mentee_columns!(),
    " from mentees ",
    mentee_joins!(),
    " where mentees.client_id = $1 and mentees.status <> 'ended'"
);

#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct Mentee {
    pub id: Uuid,
    pub client_id: Uuid,
    pub client_name: String,
    /// Of the staff.
    pub mentor_id: Uuid,
    pub mentor_name: String,
    /// The client's login, where there is one.
    pub user_id: Option<Uuid>,
    /// Growth is counted from here on.
    pub entry_month: Month,
    pub status: MenteeStatus,
    pub goals: String,
    /// Of a month.
    pub target_revenue: Option<Money>,
    /// Of a month.
    pub target_sales: Option<i32>,
    /// The mentoring that went on where two of one person met; this one ended with it.
    pub merged_into_id: Option<Uuid>,
    pub version: i32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Versioned for Mentee {
    fn version(&self) -> i32 {
        self.version
    }
}

/// Those who see a mentee: as if a conversation of no department were in the mentor's hands.
#[must_use]
pub fn audience(mentor_id: Uuid) -> Audience {
    Audience::conversation(None, Some(mentor_id))
}

/// Tells those who see a mentee.
pub fn tell<P: EventPayload>(transaction: &Transaction, company_id: Uuid, mentor_id: Uuid, payload: &P) {
    transaction.emit(Event::new(Topic::Company(company_id), audience(mentor_id), payload));
}

/// There is a new mentee.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MenteeCreated {
    pub mentee: Mentee,
}
event!(MenteeCreated = "mentee.created");

/// A mentee has another mentor, status, goal or entry month.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MenteeUpdated {
    pub mentee: Mentee,
}
event!(MenteeUpdated = "mentee.updated");

/// A mentee as those who write what belongs to one need them.
#[derive(Clone, Debug, FromRow)]
pub struct Place {
    pub id: Uuid,
    pub mentor_id: Uuid,
    pub entry_month: Month,
    pub status: MenteeStatus,
    pub time_zone: String,
}

pub const PLACE: &str = "
    select mentees.id, mentees.mentor_id, mentees.entry_month, mentees.status, companies.time_zone
      from mentees
      join companies on companies.id = mentees.company_id
     where mentees.id = $1";

/// The id of the caller's own mentoring: of that which goes on, else of the last one.
#[macro_export]
macro_rules! own_mentee {
    () => {
        "(select own.id from mentees own where own.client_id = app.client_id() order by own.status = 'ended', own.created_at desc, own.id limit 1)"
    };
}

pub const OWN_PLACE: &str = concat!(
    "select mentees.id, mentees.mentor_id, mentees.entry_month, mentees.status, companies.time_zone
       from mentees
       join companies on companies.id = mentees.company_id
      where mentees.id = ",
    own_mentee!()
);

impl Place {
    /// # Errors
    /// 409 `mentoring_ended`.
    pub fn goes_on(self) -> Result<Self, Error> {
        if self.status == MenteeStatus::Ended { Err(MENTORING_ENDED.into()) } else { Ok(self) }
    }
}

/// Whether the client `$1` is there and the person `$2` is active staff.
const NAMED: &str = "
    select exists (select from clients where id = $1 and merged_into_id is null) as has_client,
           exists (select from memberships
                    where user_id = $2 and status = 'active' and role <> 'student') as is_staff,
           (select time_zone from companies) as time_zone";

#[derive(Debug, FromRow)]
pub struct Named {
    has_client: bool,
    is_staff: bool,
    pub time_zone: String,
}

/// The company's time zone, and whether who is named is there.
///
/// # Errors
/// As `Transaction::query`.
pub async fn named(transaction: &Transaction, client: Option<Uuid>, mentor: Uuid) -> Result<Named, Error> {
    transaction.one(NAMED, &[&client, &mentor]).await
}

impl Named {
    /// # Errors
    /// 422 where the client is nobody of this company, or the mentor no active staff.
    pub fn check(&self, names_client: bool, names_mentor: bool) -> Result<(), Error> {
        let client = (names_client && !self.has_client)
            .then(|| FieldProblem::new("client_id", "not_found", "Cliente não encontrado.", "No such client."));
        let mentor = (names_mentor && !self.is_staff).then(|| FieldProblem::not_active_staff("mentor_id"));
        refuse(client.into_iter().chain(mentor))
    }
}

/// Why a mentee could not be locked: they are nobody's to see, or another's to change.
pub async fn why_not_locked(transaction: &Transaction, id: Uuid) -> Error {
    match transaction.first::<Mentee>(MENTEE, &[&id]).await {
        Ok(Some(_)) => NOT_MENTOR.into(),
        Ok(None) => NOT_FOUND.into(),
        Err(error) => error,
    }
}
