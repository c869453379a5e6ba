//! Giving a conversation to a person or a department.

use shared::{error::NOT_FOUND, prelude::*};

use crate::{
    Conversation, ConversationAssigned, ConversationTransferred, HeldConversation, INVALID_TARGET, SystemMessage,
    add_system_messages, emit_conversation, updated_conversation,
};

/// A row when it is an active member of the staff, or a department that is there.
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
         where id = any ($1)
           and set_config('app.transfer_reason', coalesce($4, ''), true) is not null
        returning *"
);

/// Where a conversation goes; to nobody in particular it waits in its own department.
#[derive(Clone, Debug)]
pub struct Destination {
    pub user_id: Option<Uuid>,
    pub department_id: Option<Uuid>,
    pub reason: Option<String>,
}

#[derive(Debug, FromRow)]
struct Target {
    name: String,
}

impl Destination {
    /// What people call it; `None` when it is not there.
    pub async fn name(&self, transaction: &Transaction) -> Result<Option<String>, Error> {
        if self.user_id.is_none() && self.department_id.is_none() {
            return Ok(Some("a fila".to_owned()));
        }
        let target: Option<Target> = transaction.first(TARGET_NAME, &[&self.user_id, &self.department_id]).await?;
        Ok(target.map(|target| target.name))
    }
}

/// Gives a locked conversation to somebody, which those who see it before or after are told, and the thread keeps.
pub async fn transfer(
    context: &Context,
    transaction: &Transaction,
    by: &Identity,
    held: &HeldConversation,
    to: Destination,
    name: Option<String>,
) -> Result<Conversation, Error> {
    let given = transfer_all(context, transaction, by, &[held], to, name).await?;
    given.into_iter().next().ok_or_else(|| NOT_FOUND.into())
}

/// Gives locked conversations to somebody, as `transfer` does one.
pub async fn transfer_all(
    context: &Context,
    transaction: &Transaction,
    by: &Identity,
    held: &[&HeldConversation],
    to: Destination,
    name: Option<String>,
) -> Result<Vec<Conversation>, Error> {
    let name = name.ok_or(INVALID_TARGET)?;
    let Destination { user_id, department_id, reason } = to;
    let ids: Vec<Uuid> = held.iter().map(|held| held.id).collect();
    let given: Vec<Conversation> = transaction.all(TRANSFER, &[&ids, &user_id, &department_id, &reason]).await?;
    let act_of = Some(by.user_id);
    for conversation in &given {
        let Some(held) = held.iter().find(|held| held.id == conversation.id) else { continue };
        emit_conversation::<ConversationTransferred>(transaction, by.company_id, conversation, act_of, Some(held.audience()));
        if let Some(receiver) = user_id {
            let payload = ConversationAssigned { conversation: conversation.clone(), by_user_id: act_of };
            transaction.tell_person(receiver, &payload);
        }
        let before = json!({"assignee_id": held.assignee_id, "department_id": held.department_id});
        let after = json!({"assignee_id": conversation.assignee_id, "department_id": conversation.department_id});
        transaction.audit(held.id, &before, &after);
    }
    let why = reason.as_deref().map(|reason| format!(" Motivo: {reason}")).unwrap_or_default();
    let line = SystemMessage {
        text: format!("Conversa transferida para {name}.{why}"),
        payload: json!({"act": "transferred", "by_user_id": by.user_id, "to_user_id": user_id,
                        "to_department_id": department_id, "reason": reason}),
    };
    add_system_messages(context, transaction, &given, &line);
    Ok(given)
}
