//! Two clients who turn out to be one, and one who turns out to be two.

use futures_util::future::try_join;
use shared::prelude::*;

use crate::{
    Conversation, ConversationClosed, ConversationUpdated, Mode, SystemMessage, TAKEN_BACK, add_system_message,
    conversation_columns, conversation_joins, emit_conversation, enqueue_bot_turn, preview,
};

const JOIN: &str = "select winner, loser, kept, closed from app.join_clients($1, $2, $3, $4)";

/// As `JOIN`, because a supervisor says so: the first stays.
const MERGE: &str = "select winner, loser, kept, closed from app.merge_clients($1, $2, $3, $4)";

/// What is open of a client, and what has just been closed for it.
const CONCERNED: &str = concat!(
    "select ",
    conversation_columns!(),
    " from conversations ",
    conversation_joins!(),
    " where conversations.client_id = $1 and (conversations.ended_at is null or conversations.id = any ($2))
      order by conversations.id"
);

/// Who signs in as one of these clients.
const STUDENTS: &str = "select user_id from memberships where client_id = any ($1)";

const PART: &str = "select app.part_clients($1, $2) as conversation_ids";

const CHANGED: &str = concat!(
    "select ",
    conversation_columns!(),
    " from conversations ",
    conversation_joins!(),
    " where conversations.id = any ($1) order by conversations.id"
);

/// Kinds of messages that may have no text.
const WORDLESS: [&str; 10] =
    ["image", "audio", "video", "document", "sticker", "location", "contacts", "order", "template", "unsupported"];

#[derive(FromRow)]
struct Parted {
    conversation_ids: Option<Vec<Uuid>>,
}

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
    /// For undoing it.
    pub merge_id: Uuid,
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

/// Two clients who had been made one are two again.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClientUnmerged {
    pub merge_id: Uuid,
    pub client_id: Uuid,
    /// Names somebody again.
    pub parted_client_id: Uuid,
}

event!(ClientUnmerged = "client.unmerged");

/// What lists show of messages without a text, for statements that choose the last one.
#[must_use]
pub fn words_of_kinds() -> Value {
    let taken_back = ("taken_back".to_owned(), json!(TAKEN_BACK));
    Value::Object(WORDLESS.iter().map(|kind| ((*kind).to_owned(), json!(preview(kind, "")))).chain([taken_back]).collect())
}

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
    let merge_id = context.new_id();
    let joined = transaction.all(JOIN, &[&merge_id, &one, &other, proof]).await?;
    Ok(tell_joined(context, transaction, company_id, merge_id, joined).await?.unwrap_or(one))
}

/// As `join_clients`, because a supervisor says so: `stays` does. `false` when one of them is nobody by now.
pub async fn merge_clients(
    context: &Context,
    transaction: &Transaction,
    company_id: Uuid,
    merge_id: Uuid,
    (stays, goes): (Uuid, Uuid),
    proof: &Value,
) -> Result<bool, Error> {
    let joined = transaction.all(MERGE, &[&merge_id, &stays, &goes, proof]).await?;
    Ok(tell_joined(context, transaction, company_id, merge_id, joined).await?.is_some())
}

/// Makes two clients of one again and tells of it; `false` when it cannot be undone any more. Whoever calls holds the merge.
pub async fn part_clients(
    context: &Context,
    transaction: &Transaction,
    company_id: Uuid,
    merge_id: Uuid,
    (client_id, parted_client_id): (Uuid, Uuid),
) -> Result<bool, Error> {
    let parted: Parted = transaction.one(PART, &[&merge_id, &words_of_kinds()]).await?;
    let Some(ids) = parted.conversation_ids else { return Ok(false) };
    let both = [client_id, parted_client_id];
    let (changed, students): (Vec<Conversation>, Vec<Student>) =
        try_join(transaction.all(CHANGED, &[&ids]), transaction.all(STUDENTS, &[&&both[..]])).await?;
    for conversation in &changed {
        emit_conversation::<ConversationUpdated>(transaction, company_id, conversation, None, None);
        if conversation.mode == Mode::Bot && conversation.ended_at.is_none() {
            enqueue_bot_turn(context, transaction, conversation.id);
        }
    }
    for Student { user_id } in students {
        transaction.look_anew(user_id);
    }
    transaction.tell_staff(&ClientUnmerged { merge_id, client_id, parted_client_id });
    Ok(true)
}

/// Answers who stays.
async fn tell_joined(
    context: &Context,
    transaction: &Transaction,
    company_id: Uuid,
    merge_id: Uuid,
    joined: Vec<Joined>,
) -> Result<Option<Uuid>, Error> {
    let Some(Joined { winner, loser, .. }) = joined.first() else { return Ok(None) };
    let (client_id, merged_client_id) = (*winner, *loser);
    let pairs = joined.iter().filter_map(|row| row.kept.zip(row.closed));
    let conversations: Vec<MergedConversation> =
        pairs.map(|(merged_into_id, id)| MergedConversation { id, merged_into_id }).collect();
    let closed: Vec<Uuid> = conversations.iter().map(|merged| merged.id).collect();
    let of_client = [client_id];
    let (concerned, students): (Vec<Conversation>, Vec<Student>) =
        try_join(transaction.all(CONCERNED, &[&client_id, &closed]), transaction.all(STUDENTS, &[&&of_client[..]])).await?;
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
    for Student { user_id } in students {
        transaction.look_anew(user_id);
    }
    transaction.tell_staff(&ClientMerged { merge_id, client_id, merged_client_id, conversations });
    Ok(Some(client_id))
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
