//! DELETE /departments/{id} — a department less. With `move_to`, what is open in it and what names it goes there.

use conversations::{Conversation, ConversationTransferred, conversation_columns, conversation_joins, emit_conversation};
use futures_util::future::{try_join, try_join4};
use shared::{
    error::{FieldProblem, INVALID, NOT_FOUND},
    prelude::*,
};
use team::{DEPARTMENT, DEPARTMENT_IN_USE, Department, DepartmentDeleted, DepartmentInUse};

const ROUTE: Route = Route::delete("/departments/{id}").fails(&[NOT_FOUND, DEPARTMENT_IN_USE]);

#[derive(Deserialize, Validate, JsonSchema)]
struct Wish {
    /// Another department of the company.
    #[garde(skip)]
    move_to: Option<Uuid>,
}

/// Conversations first, then the department: the order of all locks.
const LOCK_CONVERSATIONS: &str = "select from conversations where department_id = $1 and ended_at is null order by id for update";

/// Nothing is sent to it from now on.
const LOCK: &str = "select from departments where id = $1 and deleted_at is null for update";

/// What names it, and whether the place that it is to go to is there.
const USES: &str = "
    select (select count(*) from conversations where department_id = $1 and ended_at is null) as open_count,
           array(select name from channel_accounts where department_id = $1 and removed_at is null order by name, id) as channels,
           array(select distinct key
                   from bot_flows
                   join channel_accounts on channel_accounts.bot_flow_id = bot_flows.id
                  where jsonb_path_exists(definition, '$.nodes.*.department_id ? (@ == $id)', jsonb_build_object('id', $1))
                  order by key) as bot_flows,
           $2::uuid is null or exists (select from departments where id = $2 and id <> $1 and deleted_at is null) as has_target";

#[derive(FromRow)]
struct Uses {
    open_count: i64,
    channels: Vec<String>,
    bot_flows: Vec<String>,
    has_target: bool,
}

/// Their versions are as they were: who holds one goes on.
const MOVE: &str = concat!(
    "with updated as (
        update conversations
           set department_id = $2
         where department_id = $1 and ended_at is null and set_config('app.transfer_reason', 'department_deleted', true) is not null
        returning *
    ) select ",
    conversation_columns!(),
    " from updated as conversations ",
    conversation_joins!()
);

/// Its members and channels follow by themselves.
const DELETE: &str = "update departments set deleted_at = now(), moved_to_id = $2, version = version + 1 where id = $1";

pub fn main() {
    serve(&ROUTE, delete_department);
}

async fn delete_department(
    context: Context,
    caller: Supervisor,
    Path(id): Path<Uuid>,
    Query(Wish { move_to }): Query<Wish>,
) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, _, department, uses): (_, _, Department, Uses) = try_join4(
        transaction.query(LOCK_CONVERSATIONS, &[&id]),
        transaction.query(LOCK, &[&id]),
        transaction.one(DEPARTMENT, &[&id]),
        transaction.one(USES, &[&id, &move_to]),
    )
    .await?;
    if !uses.has_target {
        let (portuguese, english) = ("Não é outro departamento desta empresa.", "Not another department of this company.");
        return Err(INVALID.in_fields(vec![FieldProblem::new("move_to", "not_found", portuguese, english)]));
    }
    let Uses { open_count, channels, bot_flows, .. } = uses;
    if move_to.is_none() && (open_count > 0 || !channels.is_empty() || !bot_flows.is_empty()) {
        return Err(DEPARTMENT_IN_USE.with_current(&DepartmentInUse { department, open_count, channels, bot_flows }));
    }
    let (moved, _): (Vec<Conversation>, _) =
        try_join(transaction.all(MOVE, &[&id, &move_to]), transaction.execute(DELETE, &[&id, &move_to])).await?;
    // Those who saw it wait are members no more by the time they are told.
    let members = department.member_ids.iter().map(|member| Audience::conversation(Some(id), Some(*member)));
    let saw_it_wait = members.fold(Audience::conversation(Some(id), None), Audience::or);
    for conversation in &moved {
        let before = match conversation.assignee_id {
            None => saw_it_wait.clone(),
            holder => Audience::conversation(Some(id), holder),
        };
        let by = Some(caller.user_id);
        emit_conversation::<ConversationTransferred>(&transaction, caller.company_id, conversation, by, Some(before));
    }
    for member in &department.member_ids {
        transaction.look_anew(*member);
    }
    transaction.tell_staff(&DepartmentDeleted { department_id: id, moved_to_id: move_to });
    transaction.audit(id, &department, &json!({"moved_to_id": move_to, "conversations_moved": moved.len()}));
    transaction.commit(NoContent).await
}
