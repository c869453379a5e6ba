//! Users and departments of a company.

pub mod given;
pub mod invite;
pub mod membership;
pub mod own_password;
pub mod profile;
pub mod user;

use shared::{closed_set, prelude::*};

pub const DEPARTMENT_NAME_TAKEN: Problem =
    Problem::new(409, "name_taken", "Já existe um departamento com este nome.", "A department with this name exists already.")
        .showing::<Option<Department>>();
pub const DEPARTMENT_IN_USE: Problem = Problem::new(
    409,
    "department_in_use",
    "Ainda há conversas, canais ou fluxos neste departamento. Diga para onde vão.",
    "There are still conversations, channels or flows in this department. Say where they go.",
)
.showing::<DepartmentInUse>();

closed_set! {
    /// Who gives what waits in a department to its agents: they themselves, or the department, to whom was given one the longest ago or to
    /// whom holds the fewest.
    pub Assignment { Manual = "manual", RoundRobin = "round_robin", LeastBusy = "least_busy" }
}

/// A department with its members and what waits in it.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct Department {
    pub id: Uuid,
    pub name: String,
    pub description: Option<String>,
    pub member_ids: Vec<Uuid>,
    pub member_count: i32,
    /// Open conversations that nobody has taken over, as far as the reader sees conversations.
    pub waiting_count: i64,
    pub assignment: Assignment,
    /// How many open conversations an agent may hold, wherever they are, and still be given another by the department.
    pub capacity: i32,
    /// Members who have a capacity of their own.
    #[schemars(with = "Vec<MemberCapacity>")]
    pub member_capacities: Value,
    pub created_at: Timestamp,
    pub version: i32,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct MemberCapacity {
    user_id: Uuid,
    capacity: i32,
}

/// The columns of `Department`, of a row named `department`.
#[macro_export]
macro_rules! department_columns {
    () => {
        "department.id, department.name, department.description, department.created_at, department.version,
         department.assignment, department.capacity, members.capacities as member_capacities,
         members.ids as member_ids, cardinality(members.ids) as member_count"
    };
}

/// The active members of `department`, for `department_columns`.
#[macro_export]
macro_rules! department_members {
    () => {
        "cross join lateral (
             select coalesce(array_agg(member.user_id order by member.user_id), '{}') as ids,
                    coalesce(jsonb_agg(jsonb_build_object('user_id', member.user_id, 'capacity', member.capacity) order by member.user_id)
                                 filter (where member.capacity is not null), '[]') as capacities
               from department_members member
               join memberships on memberships.user_id = member.user_id and memberships.status = 'active'
              where member.department_id = department.id) members"
    };
}

/// What waits in `department`, as `waiting_count`.
#[macro_export]
macro_rules! waiting_count {
    () => {
        ", (select count(*) from conversations
             where conversations.department_id = department.id and conversations.status = 'pending') as waiting_count "
    };
}

impl Versioned for Department {
    fn version(&self) -> i32 {
        self.version
    }
}

/// The department as it is.
pub const DEPARTMENT: &str = concat!(
    "select ",
    department_columns!(),
    waiting_count!(),
    "from departments department ",
    department_members!(),
    " where department.id = $1 and department.deleted_at is null"
);

/// As `DEPARTMENT`, by its name.
pub const DEPARTMENT_WITH_NAME: &str = concat!(
    "select ",
    department_columns!(),
    waiting_count!(),
    "from departments department ",
    department_members!(),
    " where app.look(department.name) = app.look($1) and department.deleted_at is null"
);

/// Nobody else changes it until this transaction ends; who sends something to it goes on.
pub const LOCK_DEPARTMENT: &str = "select id from departments where id = $1 and deleted_at is null for no key update";

/// Another version of a locked department, with its members as they are now.
pub const COUNT_VERSION: &str = concat!(
    "with department as (
        update departments set version = version + 1 where id = $1 returning *
    ) select ",
    department_columns!(),
    waiting_count!(),
    "from department ",
    department_members!()
);

/// A department that cannot be deleted yet, and why.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DepartmentInUse {
    #[serde(flatten)]
    pub department: Department,
    /// Conversations in it that have not ended, those that wait among them.
    pub open_count: i64,
    /// Names of the channels whose conversations begin in it.
    pub channels: Vec<String>,
    /// Keys of the flows of channels that hand over to it.
    pub bot_flows: Vec<String>,
}

/// There is a new department.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DepartmentCreated<'department> {
    pub department: &'department Department,
}

event!(DepartmentCreated<'_> = "department.created");

/// A department or its members changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DepartmentUpdated<'department> {
    pub department: &'department Department,
}

event!(DepartmentUpdated<'_> = "department.updated");

/// There is a department less.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DepartmentDeleted {
    pub department_id: Uuid,
    /// Where its open conversations and what is still sent to it go; null is the company as a whole.
    pub moved_to_id: Option<Uuid>,
}

event!(DepartmentDeleted = "department.deleted");

/// Positions in `ids` of those that are not among `found`.
#[must_use]
pub fn positions_missing(ids: &[Uuid], found: &[Uuid]) -> Vec<usize> {
    ids.iter().enumerate().filter(|(_, id)| !found.contains(id)).map(|(position, _)| position).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unknown_member_is_named_by_its_place() {
        let [ana, bia, caio] = [1, 2, 3].map(Uuid::from_u128);
        assert_eq!(positions_missing(&[ana, bia, caio, bia], &[ana]), [1, 2, 3]);
        assert!(positions_missing(&[ana, ana], &[ana]).is_empty());
        assert!(positions_missing(&[], &[]).is_empty());
    }
}
