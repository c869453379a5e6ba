//! Users and departments of a company.

pub mod given;
pub mod invite;
pub mod membership;
pub mod own_password;
pub mod profile;
pub mod user;

use shared::prelude::*;

pub const DEPARTMENT_NAME_TAKEN: Problem =
    Problem::new(409, "name_taken", "Já existe um departamento com este nome.", "A department with this name exists already.")
        .showing::<Option<Department>>();

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
    pub created_at: Timestamp,
    pub version: i32,
}

/// The columns of `Department`, of a row named `department`.
#[macro_export]
macro_rules! department_columns {
    () => {
        "department.id, department.name, department.description, department.created_at, department.version,
         members.ids as member_ids, cardinality(members.ids) as member_count"
    };
}

/// The active members of `department`, for `department_columns`.
#[macro_export]
macro_rules! department_members {
    () => {
        "cross join lateral (
             select array(
                 select department_members.user_id
                   from department_members
                   join memberships on memberships.user_id = department_members.user_id and memberships.status = 'active'
                  where department_members.department_id = department.id
                  order by department_members.user_id) as ids) members"
    };
}

/// There is a new department.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DepartmentCreated<'department> {
    pub department: &'department Department,
}

event!(DepartmentCreated<'_> = "department.created");

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
