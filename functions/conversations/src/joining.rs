//! Two clients who turn out to be one.

use shared::prelude::*;

use crate::{
    Conversation, ConversationClosed, ConversationUpdated, Mode, SystemMessage, add_system_message, conversation_columns,
    conversation_joins, emit_conversation, enqueue_bot_turn,
};

const JOIN: &str = "select winner, loser, kept, closed from app.join_clients($1, $2, $3, $4)";

/// What is open of a client, and what has just been closed for it.
const CONCERNED: &str = concat!(
    "select ",
    conversation_columns!(),
    " from conversations ",
    conversation_joins!(),
    " where conversations.client_id = $1 and (conversations.ended_at is null or conversations.id = any ($2))
      order by conversations.id"
);

/// Who signs in as this client.
const STUDENTS: &str = "select user_id from memberships where client_id = $1";

#[derive(FromRow)]
struct Student {
    user_id: Uuid,
}

#[derive(FromRow)]
struct Joined {
    winner: Uuid,
    loser: Uuid,
    kept: Option<Uuid>,
    closed: Option<Uuid>,
}

/// Two clients were found to be one. The other's conversations, files and identities are this client's now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClientMerged {
    pub client_id: Uuid,
    /// Names nobody any more.
    pub merged_client_id: Uuid,
    /// Conversations that became part of another.
    pub conversations: Vec<MergedConversation>,
}

/// A conversation whose messages are another's now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MergedConversation {
    pub id: Uuid,
    pub merged_into_id: Uuid,
}

event!(ClientMerged = "client.merged");

/// Makes two clients one and tells of it; `proof` is kept with what it takes to undo it. Answers the one who stays.
/// Whoever calls has taken the locks of both: their keys, then their rows.
pub async fn join_clients(
    context: &Context,
    transaction: &Transaction,
    company_id: Uuid,
    one: Uuid,
    other: Uuid,
    proof: &Value,
) -> Result<Uuid, Error> {
    let joined: Vec<Joined> = transaction.all(JOIN, &[&context.new_id(), &one, &other, proof]).await?;
    let Some(Joined { winner, loser, .. }) = joined.first() else { return Ok(one) };
    let (client_id, merged_client_id) = (*winner, *loser);
    let pairs = joined.iter().filter_map(|row| row.kept.zip(row.closed));
    let conversations: Vec<MergedConversation> =
        pairs.map(|(merged_into_id, id)| MergedConversation { id, merged_into_id }).collect();
    let closed: Vec<Uuid> = conversations.iter().map(|merged| merged.id).collect();
    let concerned: Vec<Conversation> = transaction.all(CONCERNED, &[&client_id, &closed]).await?;
    for conversation in &concerned {
        if conversation.merged_into_id.is_some() {
            emit_conversation::<ConversationClosed>(transaction, company_id, conversation, None, None);
        } else {
            emit_conversation::<ConversationUpdated>(transaction, company_id, conversation, None, None);
        }
        if conversations.iter().any(|merged| merged.merged_into_id == conversation.id) {
            go_on(context, transaction, conversation);
        }
    }
    for Student { user_id } in transaction.all(STUDENTS, &[&client_id]).await? {
        transaction.look_anew(user_id);
    }
    transaction.tell_staff(&ClientMerged { client_id, merged_client_id, conversations });
    Ok(client_id)
}

/// The thread says where its other messages come from, and the bot answers what has come with them.
fn go_on(context: &Context, transaction: &Transaction, conversation: &Conversation) {
    let line =
        SystemMessage { text: "Outra conversa do mesmo cliente foi unida a esta.".into(), payload: json!({"act": "merged"}) };
    add_system_message(context, transaction, conversation, line);
    if conversation.mode == Mode::Bot {
        enqueue_bot_turn(context, transaction, conversation.id);
    }
}
