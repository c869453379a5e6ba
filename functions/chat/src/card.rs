//! What is shared in a message: a reference, shown to each reader as they may see it, and else as nothing.

use shared::{closed_set, prelude::*};

use crate::ChatMessage;

closed_set! {
    /// What may be shared.
    pub CardKind { Conversation = "conversation", Client = "client", Note = "note" }
}

/// What a message shares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardReference {
    #[garde(skip)]
    pub kind: CardKind,
    #[garde(skip)]
    pub id: Uuid,
}

/// What the caller may see of what is shared, now.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct ShownCard {
    pub kind: CardKind,
    pub id: Uuid,
    /// Not: it is out of the caller's sight, or is not there any more; then nothing else is said of it.
    pub is_visible: bool,
    /// The client's name.
    pub title: Option<String>,
    /// Of a conversation its number, of a client their phone, of a note its beginning.
    pub detail: Option<String>,
    /// Of a conversation.
    pub status: Option<String>,
    /// Who has the conversation, or has written the note.
    pub person_name: Option<String>,
}

/// A message with what the caller may see of its cards.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ShownChatMessage {
    #[serde(flatten)]
    pub message: ChatMessage,
    pub shown_cards: Vec<ShownCard>,
}

/// Of these kinds `$1` and ids `$2`: policies decide what is there.
const CARDS: &str = "
    select asked.kind, asked.id, shown.title is not null as is_visible, shown.title, shown.detail, shown.status, shown.person_name
      from unnest($1::text[], $2::uuid[]) with ordinality asked (kind, id, position)
      left join lateral (
           select clients.name as title, conversations.protocol as detail, conversations.status, users.name as person_name
             from conversations
             join clients on clients.company_id = conversations.company_id and clients.id = conversations.client_id
             left join users on users.id = conversations.assignee_id
            where asked.kind = 'conversation' and conversations.id = asked.id
           union all
           select clients.name, (select '+' || value from client_identities
                                  where client_identities.company_id = clients.company_id and client_identities.client_id = clients.id
                                    and client_identities.kind = 'phone'
                                  order by created_at limit 1), null, null
             from clients
            where asked.kind = 'client' and clients.id = asked.id
           union all
           select clients.name, left(notes.text, 200), null, users.name
             from notes
             join clients on clients.company_id = notes.company_id and clients.id = notes.client_id
             join users on users.id = notes.author_id
            where asked.kind = 'note' and notes.id = asked.id and notes.deleted_at is null
      ) shown on true
     order by asked.position";

/// What the caller may see of these.
///
/// # Errors
/// Those of the database.
pub async fn shown(transaction: &Transaction, cards: &[CardReference]) -> Result<Vec<ShownCard>, Error> {
    if cards.is_empty() {
        return Ok(Vec::new());
    }
    let kinds: Vec<&str> = cards.iter().map(|card| card.kind.as_str()).collect();
    let ids: Vec<Uuid> = cards.iter().map(|card| card.id).collect();
    transaction.all(CARDS, &[&kinds, &ids]).await
}

/// Messages with what the caller may see of their cards.
///
/// # Errors
/// Those of the database.
pub async fn with_cards(transaction: &Transaction, messages: Vec<ChatMessage>) -> Result<Vec<ShownChatMessage>, Error> {
    let of = |message: &ChatMessage| Vec::<CardReference>::deserialize(&message.cards).unwrap_or_default();
    let all: Vec<CardReference> = messages.iter().flat_map(of).collect();
    let mut cards = shown(transaction, &all).await?.into_iter();
    let with = |message: ChatMessage| {
        let shown_cards = cards.by_ref().take(of(&message).len()).collect();
        ShownChatMessage { message, shown_cards }
    };
    Ok(messages.into_iter().map(with).collect())
}
