//! POST /chat/messages/{id}/reactions — the caller reacts with an emoji. Reacting twice is reacting once.

use chat::{ChatMessage, MESSAGE, MESSAGE_DELETED, TOO_MANY_REACTIONS, one_emoji, own_name, unknown_emoji};
use shared::{
    error::{NOT_FOUND, refuse},
    prelude::*,
};

const ROUTE: Route = Route::post("/chat/messages/{id}/reactions").fails(&[NOT_FOUND, MESSAGE_DELETED, TOO_MANY_REACTIONS]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReactionToAdd {
    /// One emoji, whatever its tone of skin, or one of the company's between colons.
    #[garde(length(chars, min = 1, max = 40), custom(one_emoji))]
    emoji: String,
}

/// The message, and whether the emoji is one more on it, and the company's.
const ROOM: &str = "
    select deleted_at is not null as is_deleted, $2::text is null or exists (select from company_emoji where name = $2) as is_known,
           (select count(distinct emoji) from chat_reactions where message_id = messages.id and emoji <> $3) as others
      from chat_messages messages
     where id = $1";

#[derive(FromRow)]
struct Room {
    is_deleted: bool,
    is_known: bool,
    others: i64,
}

const REACT: &str = "insert into chat_reactions (message_id, emoji) values ($1, $2) on conflict do nothing";

pub fn main() {
    serve(&ROUTE, add_chat_reaction);
}

async fn add_chat_reaction(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    Json(ReactionToAdd { emoji }): Json<ReactionToAdd>,
) -> Result<Json<ChatMessage>, Error> {
    let transaction = context.begin(&caller).await?;
    let room: Room = transaction.one(ROOM, &[&id, &own_name(&emoji), &emoji]).await?;
    if room.is_deleted {
        return Err(MESSAGE_DELETED.into());
    }
    refuse((!room.is_known).then(unknown_emoji))?;
    if room.others >= 50 {
        return Err(TOO_MANY_REACTIONS.into());
    }
    let is_new = transaction.execute(REACT, &[&id, &emoji]).await? > 0;
    let message: ChatMessage = transaction.one(MESSAGE, &[&id]).await?;
    if is_new {
        message.tell_updated(&transaction, caller.company_id);
    }
    transaction.audit(id, &Value::Null, &json!({"emoji": emoji}));
    transaction.commit(Json(message)).await
}
