//! POST /conversations/{id}/transfer — to another user, or to a department where it waits again.

use conversations::{
    CONVERSATION_CLOSED, Conversation, ConversationAssigned, ConversationTransferred, INVALID_TARGET, NOT_HOLDER, SystemMessage,
    add_system_message, emit_conversation, lock, updated_conversation,
};
use futures_util::future::join;
use shared::prelude::*;

const ROUTE: Route = Route::post("/conversations/{id}/transfer").or(&["/chats/{id}/transfer"]).fails(&[
    CONVERSATION_CLOSED,
    NOT_HOLDER,
    INVALID_TARGET,
]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = either_target)]
struct Transfer {
    /// Give either a user or a department.
    #[garde(custom(one_target(&self.to_department_id)))]
    to_user_id: Option<Uuid>,
    #[garde(skip)]
    to_department_id: Option<Uuid>,
    #[garde(length(chars, max = 500))]
    reason: Option<String>,
}

const TARGET_NAME: &str = "
    select users.name
      from memberships
      join users on users.id = memberships.user_id
     where $1::uuid is not null and memberships.user_id = $1 and memberships.status = 'active' and memberships.role <> 'student'
     union all
    select departments.name
      from departments
     where $2::uuid is not null and departments.id = $2 and deleted_at is null";

/// The row it leaves in `conversation_transfers` takes the reason from the setting.
const TRANSFER: &str = updated_conversation!(
    "
        update conversations
           set assignee_id = $2,
               department_id = coalesce($3, department_id),
               mode = 'human',
               version = version + 1,
               bot_node = null
         where id = $1
           and set_config('app.transfer_reason', coalesce($4, ''), true) is not null
        returning *"
);

#[derive(FromRow)]
struct Target {
    name: String,
}

pub fn main() {
    serve(&ROUTE, transfer_conversation);
}

async fn transfer_conversation(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    Json(input): Json<Transfer>,
) -> Result<Json<Conversation>, Error> {
    let transaction = context.begin(&agent).await?;
    let (held, target) =
        join(lock(&transaction, id), transaction.first::<Target>(TARGET_NAME, &[&input.to_user_id, &input.to_department_id]))
            .await;
    let (held, target) = (held?, target?);
    if held.is_closed() {
        return Err(held.refuse(&transaction, CONVERSATION_CLOSED).await);
    }
    if !held.may_be_moved_by(&agent) {
        return Err(held.refuse(&transaction, NOT_HOLDER).await);
    }
    let target = target.ok_or(INVALID_TARGET)?;
    let Transfer { to_user_id, to_department_id, reason } = input;
    let conversation: Conversation = transaction.one(TRANSFER, &[&id, &to_user_id, &to_department_id, &reason]).await?;
    let by = Some(agent.user_id);
    emit_conversation::<ConversationTransferred>(&transaction, agent.company_id, &conversation, by, Some(held.audience()));
    if let Some(receiver) = to_user_id {
        let payload = ConversationAssigned { conversation: conversation.clone(), by_user_id: by };
        transaction.emit(Event::new(Topic::User(receiver), Audience::user(receiver), &payload));
    }
    let why = reason.as_deref().map(|reason| format!(" Motivo: {reason}")).unwrap_or_default();
    let line = SystemMessage {
        text: format!("Conversa transferida para {}.{why}", target.name),
        payload: json!({"act": "transferred", "by_user_id": agent.user_id, "to_user_id": to_user_id,
                        "to_department_id": to_department_id, "reason": reason}),
    };
    add_system_message(&context, &transaction, &conversation, line);
    let before = json!({"assignee_id": held.assignee_id, "department_id": held.department_id});
    let after = json!({"assignee_id": conversation.assignee_id, "department_id": conversation.department_id});
    transaction.audit(id, &before, &after);
    transaction.commit(Json(conversation)).await
}

/// As `one_target` says it, for the description.
fn either_target(schema: &mut schemars::Schema) {
    let to = |given: &str, other: &str| {
        let properties = json!({given: {"type": "string"}, other: {"type": "null"}});
        json!({"title": given, "type": "object", "required": [given], "properties": properties})
    };
    schema.insert("oneOf".into(), json!([to("to_user_id", "to_department_id"), to("to_department_id", "to_user_id")]));
}

fn one_target(department: &Option<Uuid>) -> impl FnOnce(&Option<Uuid>, &()) -> garde::Result {
    move |user, ()| {
        if user.is_some() == department.is_some() {
            return Err(shared::rule(
                "one_target",
                "Informe um usuário ou um departamento, e só um dos dois.",
                "Give either a user or a department, not both.",
            ));
        }
        Ok(())
    }
}
