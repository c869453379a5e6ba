//! What the socket functions and the feed share: reading the feed, presence, and the frames that are not stored.

pub mod feed;
pub mod presence;
pub mod told;

use shared::{
    prelude::*,
    realtime::{self, Connection},
};

pub const RESYNC: Problem = Problem::new(
    410,
    "resync",
    "Este ponto dos eventos não está mais disponível. Recarregue os dados.",
    "This place in the events is no longer available. Load your data again.",
);
pub const TICKET_INVALID: Problem =
    Problem::new(401, "ticket_invalid", "O bilhete de conexão não é válido.", "The connection ticket is not valid.");
pub const TOPIC_REFUSED: Problem =
    Problem::new(403, "topic_refused", "Você não pode acompanhar este tópico.", "You may not follow this topic.");
pub const UNKNOWN_ACTION: Problem = Problem::new(404, "unknown_action", "Ação desconhecida.", "Unknown action.");

/// Topics that are followed by asking.
const TOPIC: &str = "^(conversation|dashboard):[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

/// A topic a client asks for by name.
#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// `conversation:<id>` or `dashboard:<company id>`.
    #[garde(length(max = 60))]
    #[schemars(regex(pattern = TOPIC))]
    pub topic: String,
}

/// Somebody is typing in a conversation, or has stopped. Not stored: it has no cursor and is not sent again.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Typing {
    pub conversation_id: Uuid,
    pub user_id: Uuid,
    pub name: String,
    /// Whether they type now. A client drops it by itself after 6 seconds.
    pub state: bool,
}

event!(Typing = "conversation.typing");

/// Answers a message on the connection it came from. One that is gone needs no answer.
pub async fn reply(context: &Context, connection: &Connection, frame: &Value) {
    realtime::post(context, &connection.id, &frame.to_string()).await;
}
