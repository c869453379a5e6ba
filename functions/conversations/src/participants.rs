//! Staff who follow a conversation.

use shared::prelude::*;

use crate::{Conversation, ConversationUpdated, HeldConversation, emit_conversation, updated_conversation};

/// No row when they follow it already, or are no active staff.
const ADD: &str = updated_conversation!(
    "
        update conversations
           set participant_ids = participant_ids || $2::uuid
         where id = $1 and $2 <> all (participant_ids)
           and exists (select from memberships where user_id = $2 and status = 'active' and role <> 'student')
        returning *"
);

/// No row when they do not follow it.
const REMOVE: &str = updated_conversation!(
    "
        update conversations
           set participant_ids = array_remove(participant_ids, $2)
         where id = $1 and $2 = any (participant_ids)
        returning *"
);

/// Those who follow it, in the order in which they were added, or one of them.
pub const PARTICIPANTS: &str = "
    select users.id as user_id, users.name
      from conversations
     cross join lateral unnest(participant_ids) with ordinality follower (id, place)
      join users on users.id = follower.id
     where conversations.id = $1 and ($2::uuid is null or follower.id = $2)
     order by follower.place";

/// Somebody who follows a conversation.
#[derive(Debug, Serialize, JsonSchema, FromRow)]
pub struct Participant {
    pub user_id: Uuid,
    pub name: String,
}

/// Lets somebody follow a locked conversation, or not any more; `None` when that changes nothing.
///
/// # Errors
/// Those of the database.
pub async fn follow(
    transaction: &Transaction,
    by: &Identity,
    held: &HeldConversation,
    person: Uuid,
    is_to: bool,
) -> Result<Option<Conversation>, Error> {
    let statement = if is_to { ADD } else { REMOVE };
    let Some(conversation): Option<Conversation> = transaction.first(statement, &[&held.id, &person]).await? else {
        return Ok(None);
    };
    let before = Some(held.audience());
    emit_conversation::<ConversationUpdated>(transaction, by.company_id, &conversation, Some(by.user_id), before);
    transaction.audit(
        held.id,
        &json!({"participant_ids": held.participant_ids}),
        &json!({"participant_ids": conversation.participant_ids}),
    );
    Ok(Some(conversation))
}
