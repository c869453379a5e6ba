//! PUT /chat/messages/{id} — other words for a message of one's own; what it said before is kept. Only who is newly mentioned is told.

use chat::{
    ChatMessage, LONGEST, MANY_MENTIONED, MESSAGE, MESSAGE_DELETED, Mentions, NOT_AUTHOR, PostedChatMessage, judge_mentions,
};
use futures_util::future::try_join;
use shared::{
    error::{FieldProblem, NOT_FOUND, refuse},
    prelude::*,
};

const ROUTE: Route = Route::put("/chat/messages/{id}").or(&["PATCH /chat/messages/{id}"]).fails(&[
    NOT_FOUND,
    NOT_AUTHOR,
    MESSAGE_DELETED,
    MANY_MENTIONED,
]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChatWords {
    #[garde(length(chars, max = LONGEST))]
    body: String,
    /// Whom the new words mention; who was mentioned before, without it.
    #[garde(dive)]
    mentions: Option<Mentions>,
    #[garde(skip)]
    #[serde(default)]
    confirmed: bool,
}

/// No row where it is not the caller's to change.
const HOLD: &str = "select from chat_messages where id = $1 and author_id = app.user_id() for no key update";

const EDIT: &str = "
    update chat_messages set body = $2, mentions = $3, edited_at = now()
     where id = $1 and deleted_at is null and (body, mentions) is distinct from ($2, $3::jsonb)
    returning id";

pub fn main() {
    serve(&ROUTE, edit_chat_message);
}

async fn edit_chat_message(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    Json(ChatWords { body, mentions, confirmed }): Json<ChatWords>,
) -> Result<Json<PostedChatMessage>, Error> {
    let transaction = context.begin(&caller).await?;
    let (held, current): (_, ChatMessage) = try_join(transaction.query(HOLD, &[&id]), transaction.one(MESSAGE, &[&id])).await?;
    if held.is_empty() {
        return Err(NOT_AUTHOR.into());
    }
    if current.deleted_at.is_some() {
        return Err(MESSAGE_DELETED.into());
    }
    let is_empty = body.trim().is_empty() && current.files == json!([]) && current.cards == json!([]);
    refuse(is_empty.then(|| FieldProblem::new("body", "required", "Escreva algo.", "Write something.")))?;
    let (mentions, not_told_ids) = match mentions {
        Some(mentions) => {
            let mentions = mentions.sorted();
            let not_told_ids = judge_mentions(&transaction, current.channel_id, &mentions, confirmed).await?;
            (json!(mentions), not_told_ids)
        }
        None => (json!(Mentions::deserialize(&current.mentions).unwrap_or_default()), Vec::new()),
    };
    if transaction.query(EDIT, &[&id, &body, &mentions]).await?.is_empty() {
        return transaction.commit(Json(PostedChatMessage { message: current, not_told_ids })).await;
    }
    let message: ChatMessage = transaction.one(MESSAGE, &[&id]).await?;
    message.tell_updated(&transaction, caller.company_id);
    transaction.audit(id, &Value::Null, &json!({"channel_id": message.channel_id}));
    transaction.commit(Json(PostedChatMessage { message, not_told_ids })).await
}
