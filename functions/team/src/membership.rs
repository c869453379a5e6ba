//! How members come, change and leave. What must hold of a company's members is decided by functions of the database, one change at a
//! time; here is what follows from it.

use conversations::{
    Conversation, ConversationTransferred, ConversationUpdated, conversation_columns, conversation_joins, emit_conversation,
};
use futures_util::future::{try_join, try_join4};
use realtime::presence::{PresenceStatus, presence_event};
use shared::{
    error::{FORBIDDEN, NOT_FOUND},
    prelude::*,
    realtime as sockets,
};

use crate::user::{MemberStatus, USER, User, UserUpdated};

pub const LAST_ADMIN: Problem = Problem::new(
    409,
    "last_admin",
    "A empresa precisa de ao menos um administrador ativo.",
    "The company needs an active admin.",
);
pub const IS_STUDENT: Problem = Problem::new(
    409,
    "is_student",
    "Alunos não fazem parte da equipe, e a equipe não vira aluno. Envie um convite.",
    "Students are no staff, and staff become no students. Send an invite.",
);

/// Whoever makes an admin is asked for a fresh code, whichever way they do it. Before the transaction that gives the role is begun.
pub fn ask_before_giving(context: &Context, role: Role) {
    if role == Role::Admin {
        context.ask_to_step_up();
    }
}

/// A person is not in the company any more: their sessions there have ended and their sockets close.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MembershipEnded {
    pub user_id: Uuid,
    /// `inactive` or `removed`.
    pub status: MemberStatus,
}

event!(MembershipEnded = "membership.ended");

const END_MEMBERSHIP: &str = "select outcome, session_ids, was_online from app.end_membership($1, $2)";

/// What somebody who has left still holds goes back to where it waits. By id, as all who lock several do.
const GIVE_BACK: &str = concat!(
    "with held as (
        select id from conversations where assignee_id = $1 and ended_at is null order by id for update
    ), updated as (
        update conversations
           set assignee_id = null, version = version + 1
          from held
         where conversations.id = held.id
           and set_config('app.transfer_reason', $2, true) is not null
           and not exists (select from memberships where user_id = $1 and status = 'active')
        returning conversations.*
    )
    select ",
    conversation_columns!(),
    " from updated as conversations ",
    conversation_joins!()
);

/// What they followed, as `app.end_membership` has left it.
const LEFT: &str = concat!(
    "select ",
    conversation_columns!(),
    " from conversations ",
    conversation_joins!(),
    " where conversations.id = any ((select app.left_conversations())::uuid[])"
);

const ADMIT_MEMBER: &str = "select app.admit_member($1, $2, $3) as outcome, '{}'::uuid[] as session_ids, false as was_online";

const CHANGE_ROLE: &str = "select outcome, session_ids, false as was_online from app.change_role($1, $2)";

/// What became of a change.
#[derive(FromRow)]
struct Changed {
    outcome: String,
    session_ids: Vec<Uuid>,
    was_online: bool,
}

impl Changed {
    /// Whether anything has changed.
    fn judge(&self) -> Result<bool, Error> {
        match self.outcome.as_str() {
            "done" => Ok(true),
            "unchanged" => Ok(false),
            "not_found" => Err(NOT_FOUND.into()),
            "last_admin" => Err(LAST_ADMIN.into()),
            "student" => Err(IS_STUDENT.into()),
            _ => Err(FORBIDDEN.into()),
        }
    }
}

/// A member as a change has left them.
#[derive(Debug)]
pub struct Change {
    pub user: User,
    /// `false` when they were like that before.
    pub is_new: bool,
    session_ids: Vec<Uuid>,
}

impl Change {
    /// Once it is committed: closes the sockets that it has ended.
    pub async fn close_sockets(self, context: &Context) {
        sockets::close_sessions(context, self.user.id, &self.session_ids).await;
    }
}

/// Ends a membership: sessions, leases and sockets with it; what the person holds waits for others again, and everybody is told.
///
/// # Errors
/// 404, 403, 409 `last_admin`; as `Transaction::query`.
pub async fn end_membership(
    transaction: &Transaction,
    caller: &Identity,
    person: Uuid,
    becomes: MemberStatus,
) -> Result<Change, Error> {
    let reason = match becomes {
        MemberStatus::Inactive => "member_deactivated",
        _ => "member_removed",
    };
    let status = becomes.as_str();
    let (changed, returned, left, user): (Changed, Vec<Conversation>, Vec<Conversation>, Option<User>) = try_join4(
        transaction.one(END_MEMBERSHIP, &[&person, &status]),
        transaction.all(GIVE_BACK, &[&person, &reason]),
        transaction.all(LEFT, &[]),
        transaction.first(USER, &[&person]),
    )
    .await?;
    let is_new = changed.judge()?;
    let user = user.ok_or(NOT_FOUND)?;
    if is_new {
        let Identity { company_id, user_id: by, .. } = *caller;
        for conversation in &returned {
            let before = Audience::conversation(conversation.department_id, Some(person));
            emit_conversation::<ConversationTransferred>(transaction, company_id, conversation, Some(by), Some(before));
        }
        for conversation in &left {
            emit_conversation::<ConversationUpdated>(transaction, company_id, conversation, Some(by), None);
        }
        if changed.was_online {
            transaction.emit(presence_event(company_id, person, PresenceStatus::Offline));
        }
        transaction.tell_staff(&UserUpdated { user: &user });
        let ended = MembershipEnded { user_id: person, status: becomes };
        transaction.tell_person(person, &ended);
        transaction.audit(person, &Value::Null, &json!({"status": becomes, "conversations_returned": returned.len()}));
    }
    Ok(Change { user, is_new, session_ids: changed.session_ids })
}

/// Lets in who waits as `waits_as`, with another role if one is given.
///
/// # Errors
/// 404, 403; as `Transaction::query`.
pub async fn admit(transaction: &Transaction, person: Uuid, waits_as: MemberStatus, role: Option<Role>) -> Result<Change, Error> {
    let (waits_as, role) = (waits_as.as_str(), role.map(Role::as_str));
    let change: (Changed, Option<User>) =
        try_join(transaction.one(ADMIT_MEMBER, &[&person, &waits_as, &role]), transaction.first(USER, &[&person])).await?;
    told(transaction, change, &json!({"status": waits_as}))
}

/// Gives a member of the staff another role.
///
/// # Errors
/// 404, 403, 409 `last_admin` and `is_student`; as `Transaction::query`.
pub async fn change_role(transaction: &Transaction, person: Uuid, role: Role) -> Result<Change, Error> {
    let becomes = role.as_str();
    let before: Option<User> = transaction.first(USER, &[&person]).await?;
    let change: (Changed, Option<User>) =
        try_join(transaction.one(CHANGE_ROLE, &[&person, &becomes]), transaction.first(USER, &[&person])).await?;
    told(transaction, change, &json!({"role": before.map(|user| user.role)}))
}

fn told(transaction: &Transaction, (changed, user): (Changed, Option<User>), before: &Value) -> Result<Change, Error> {
    let is_new = changed.judge()?;
    let user = user.ok_or(NOT_FOUND)?;
    if is_new {
        transaction.tell_staff(&UserUpdated { user: &user });
        transaction.audit(user.id, before, &json!({"status": user.status, "role": user.role}));
    }
    Ok(Change { user, is_new, session_ids: changed.session_ids })
}

/// Whether somebody of one role decides about people of another.
#[must_use]
pub fn leads(leader: Role, led: Role) -> bool {
    match leader {
        Role::Admin => true,
        Role::Supervisor => matches!(led, Role::Agent | Role::Student),
        Role::Agent | Role::Student => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn supervisors_lead_agents_and_students_only() {
        let all = [Role::Admin, Role::Supervisor, Role::Agent, Role::Student];
        let led = |leader| all.map(|role| leads(leader, role));
        assert_eq!(led(Role::Admin), [true; 4]);
        assert_eq!(led(Role::Supervisor), [false, false, true, true]);
        assert_eq!(led(Role::Agent), [false; 4]);
        assert_eq!(led(Role::Student), [false; 4]);
    }
}
