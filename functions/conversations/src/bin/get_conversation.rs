//! GET /conversations/{id} — one conversation with its client.

use conversations::{CONVERSATION, ClientIdentity, Conversation, ConversationPreferences, PREFERENCES, accepts_marketing};
use futures_util::future::join3;
use shared::prelude::*;

const ROUTE: Route = Route::get("/conversations/{id}").or(&["/chats/{id}"]);

const CLIENT: &str = concat!(
    "
    select clients.id, clients.name, clients.email, clients.tags, clients.custom_fields, clients.metadata, clients.created_at,
           ",
    accepts_marketing!(),
    ",
           (select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'value', value) order by created_at), '[]')
              from client_identities
             where client_identities.company_id = clients.company_id and client_identities.client_id = clients.id) as identities,
           (select count(*) from conversations others where others.client_id = clients.id) as conversation_count
      from clients
      join conversations on conversations.company_id = clients.company_id and conversations.client_id = clients.id
     where conversations.id = $1"
);

#[derive(Serialize, JsonSchema)]
struct ConversationDetail {
    #[serde(flatten)]
    conversation: Conversation,
    client: Client,
    /// The caller's own.
    preferences: ConversationPreferences,
}

#[derive(Serialize, JsonSchema, FromRow)]
struct Client {
    id: Uuid,
    name: String,
    email: Option<String>,
    tags: Vec<String>,
    #[schemars(with = "Map<String, Value>")]
    custom_fields: Value,
    /// An object of the front ends' own, at most 16 KB.
    #[schemars(with = "Map<String, Value>")]
    metadata: Value,
    /// What providers know them by.
    #[schemars(with = "Vec<ClientIdentity>")]
    identities: Value,
    /// Whether they take marketing on WhatsApp; null when they never said.
    accepts_marketing: Option<bool>,
    /// Conversations of this client that the caller sees.
    conversation_count: i64,
    created_at: Timestamp,
}

pub fn main() {
    serve(&ROUTE, get_conversation);
}

async fn get_conversation(context: Context, agent: Staff, Path(id): Path<Uuid>) -> Result<Json<ConversationDetail>, Error> {
    let transaction = context.begin(&agent).await?;
    let (conversation, client, preferences) =
        join3(transaction.one(CONVERSATION, &[&id]), transaction.one(CLIENT, &[&id]), transaction.first(PREFERENCES, &[&id]))
            .await;
    let preferences = preferences?.unwrap_or_else(|| ConversationPreferences::none(id));
    let detail = ConversationDetail { conversation: conversation?, client: client?, preferences };
    transaction.note_access(detail.client.id);
    transaction.commit(Json(detail)).await
}
