//! POST /conversations/{id}/close — ends the conversation.

use conversations::{
    CONVERSATION_CLOSED, Conversation, ConversationClosed, NOT_HOLDER, SystemMessage, add_system_message, emit_conversation,
    lock, updated_conversation,
};
use shared::prelude::*;

const ROUTE: Route = Route::post("/conversations/{id}/close").or(&["/chats/{id}/end"]).fails(&[CONVERSATION_CLOSED, NOT_HOLDER]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Close {
    /// Why, in the company's own words.
    #[garde(length(chars, max = 200))]
    reason: Option<String>,
}

const CLOSE: &str = updated_conversation!(
    "
        update conversations
           set ended_at = now(),
               close_reason = $2,
               read_count = inbound_count,
               version = version + 1
         where id = $1
        returning *"
);

pub fn main() {
    serve(&ROUTE, close_conversation);
}

async fn close_conversation(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    Json(input): Json<Close>,
) -> Result<Json<Conversation>, Error> {
    let transaction = context.begin(&agent).await?;
    let held = lock(&transaction, id).await?;
    if held.is_closed() {
        return Err(held.refuse(&transaction, CONVERSATION_CLOSED).await);
    }
    if !held.may_be_moved_by(&agent) {
        return Err(held.refuse(&transaction, NOT_HOLDER).await);
    }
    let conversation: Conversation = transaction.one(CLOSE, &[&id, &input.reason]).await?;
    emit_conversation::<ConversationClosed>(&transaction, agent.company_id, &conversation, Some(agent.user_id), None);
    let reason = input.reason.as_deref().map(|reason| format!(" Motivo: {reason}")).unwrap_or_default();
    let line = SystemMessage {
        text: format!("Conversa encerrada.{reason}"),
        payload: json!({"act": "closed", "by_user_id": agent.user_id, "reason": input.reason}),
    };
    add_system_message(&context, &transaction, &conversation, line);
    transaction.audit(id, &json!({"status": held.status}), &json!({"status": "closed", "reason": input.reason}));
    transaction.commit(Json(conversation)).await
}
