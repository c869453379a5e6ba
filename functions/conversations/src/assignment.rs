//! Giving what waits in a department to its agents: as many as one transaction may, in one statement.

use shared::prelude::*;

use crate::{conversation_columns, conversation_joins};

/// Conversations given in one transaction: more would tell its listeners late.
pub const MOST_GIVEN: i32 = 20;

/// One at a time gives conversations of a company: what an agent may still hold is counted over all departments.
pub const LOCK_ASSIGNMENT: &str = "select pg_advisory_xact_lock(hashtext('assignment'), hashtext(app.company_id()::text))";

/// Agents of department `$1` who are online and may be given more, where it gives by itself.
macro_rules! free_agents {
    () => {
        "select member.user_id, member.last_assigned_at, department.assignment, held.number as held,
                coalesce(member.capacity, department.capacity) - held.number as free
           from departments department
           join department_members member on member.department_id = department.id
           join memberships on memberships.user_id = member.user_id
          cross join lateral (
                select count(*)::integer as number
                  from conversations
                 where conversations.assignee_id = member.user_id and conversations.status = 'active') held
          where department.id = $1 and department.assignment <> 'manual' and department.deleted_at is null
            and memberships.status = 'active' and memberships.role <> 'student'
            and coalesce(member.capacity, department.capacity) > held.number
            and exists (
                select from presence_leases
                 where presence_leases.user_id = member.user_id and lease_until > now() and presence_leases.status = 'online')"
    };
}

/// The places in the order in which one after the other would be filled: in turn, beginning with whom nothing was given for longest, or up
/// from those who hold the fewest. What somebody else is changing is left for the next time.
pub const GIVE: &str = concat!(
    "with agents as materialized (",
    free_agents!(),
    "), places as materialized (
        select user_id, row_number() over (
                   order by case when assignment = 'least_busy' then held + turn end, turn, last_assigned_at nulls first, user_id) as place
          from agents
         cross join lateral generate_series(1, least(free, $2)) turn
         order by place
         limit $2
    ), waiting as materialized (
        select id, array_position(array['urgent', 'high', 'normal', 'low'], priority) as rank, pending_since
          from conversations
         where department_id = $1 and status = 'pending' and snoozed_at is null
         order by array_position(array['urgent', 'high', 'normal', 'low'], priority), pending_since, id
         limit (select count(*) from places)
           for update skip locked
    ), matched as materialized (
        select waiting.id, places.user_id, places.place
          from (select id, row_number() over (order by rank, pending_since, id) as place from waiting) waiting
          join places using (place)
    ), given as (
        update conversations
           set assignee_id = matched.user_id, version = version + 1
          from matched
         where conversations.id = matched.id
        returning conversations.*
    ), noted as (
        update department_members
           set last_assigned_at = clock_timestamp() + last.place * interval '1 microsecond'
          from (select user_id, max(place) as place from matched group by user_id) last
         where department_members.department_id = $1 and department_members.user_id = last.user_id
    )
    select ",
    conversation_columns!(),
    " from given as conversations ",
    conversation_joins!()
);

/// Whether there is more to give, and to whom.
pub const IS_MORE: &str = concat!(
    "select exists (select from conversations where department_id = $1 and status = 'pending' and snoozed_at is null) and exists (",
    free_agents!(),
    ") as is_more"
);

/// Whether another run would find something.
#[derive(Debug, FromRow)]
pub struct Left {
    pub is_more: bool,
}
