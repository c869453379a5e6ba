//! POST /conversations/{id}/takeover — the caller becomes the conversation's agent and the bot stops.

use conversations::{
    ALREADY_TAKEN, Author, CLIENT_BLOCKED, CONVERSATION, CONVERSATION_CLOSED, Content, Conversation, ConversationAssigned,
    IS_SEEN, MessageKind, NewMessage, SystemMessage, WINDOW_CLOSED, add_outgoing, add_system_message, conversation_columns,
    conversation_joins, emit_conversation, out_of_window, takeover_text,
};
use futures_util::future::join;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/conversations/{id}/takeover").or(&["/chats/{id}/start"]).fails(&[
    ALREADY_TAKEN,
    CLIENT_BLOCKED,
    CONVERSATION_CLOSED,
    WINDOW_CLOSED,
]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TakeOver {
    /// Sent to the client instead of the company's own text. While the client's 24 hours are over it cannot be, and nothing is taken
    /// over; the company's text is left out then.
    #[garde(length(chars, min = 1, max = 4096))]
    greeting: Option<String>,
}

/// One statement decides the winner: whoever comes second finds an assignee.
const TAKE_OVER: &str = concat!(
    "with updated as (
        update conversations
           set assignee_id = app.user_id(),
               mode = 'human',
               version = version + 1,
               first_human_at = coalesce(first_human_at, now()),
               bot_node = null
         where id = $1
           and ended_at is null
           and assignee_id is null
        returning *
    )
    select ",
    conversation_columns!(),
    ", (select takeover_text from companies where companies.id = conversations.company_id) as takeover_text, clients.blocked_at is not null as is_client_blocked
      from updated as conversations ",
    conversation_joins!()
);

#[derive(FromRow)]
struct Taken {
    #[from_row(flatten)]
    conversation: Conversation,
    takeover_text: Option<String>,
    is_client_blocked: bool,
}

pub fn main() {
    serve(&ROUTE, take_over_conversation);
}

async fn take_over_conversation(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    Json(input): Json<TakeOver>,
) -> Result<Json<Conversation>, Error> {
    let transaction = context.begin(&agent).await?;
    let (seen, taken) = join(transaction.query(IS_SEEN, &[&id]), transaction.first::<Taken>(TAKE_OVER, &[&id])).await;
    let was_seen = !seen?.is_empty();
    let Some(Taken { mut conversation, takeover_text: of_company, is_client_blocked }) = taken? else {
        let Some(current) = transaction.first::<Conversation>(CONVERSATION, &[&id]).await? else {
            // Who sees only what waits or is their own loses sight of it with the race.
            return Err(if was_seen { ALREADY_TAKEN } else { NOT_FOUND }.into());
        };
        return match current.assignee_id {
            _ if current.ended_at.is_some() => Err(CONVERSATION_CLOSED.with_current(&current)),
            Some(holder) if holder == agent.user_id => Ok(Json(current)),
            _ => Err(ALREADY_TAKEN.with_current(&current)),
        };
    };
    let waiting = Audience::conversation(conversation.department_id, None);
    emit_conversation::<ConversationAssigned>(&transaction, agent.company_id, &conversation, Some(agent.user_id), Some(waiting));
    let name = conversation.assignee_name.clone().unwrap_or_default();
    let line = SystemMessage {
        text: format!("{name} assumiu a conversa."),
        payload: json!({"act": "taken_over", "user_id": agent.user_id}),
    };
    add_system_message(&context, &transaction, &conversation, line);
    let is_window_open = conversation.window_expires_at.is_some_and(|end| end > context.now());
    if input.greeting.is_some() && !is_window_open {
        return Err(WINDOW_CLOSED.with_current(&out_of_window(&transaction, conversation).await?));
    }
    if input.greeting.is_some() && is_client_blocked {
        return Err(CLIENT_BLOCKED.with_current(&conversation));
    }
    let is_reply = input.greeting.is_some();
    let text = input.greeting.or_else(|| takeover_text(of_company.as_deref(), &name, &conversation.protocol));
    if let Some(body) = text.filter(|_| is_window_open && !is_client_blocked) {
        let payload = if is_reply { json!({}) } else { json!({"automatic": true}) };
        let new = NewMessage {
            id: context.new_id(),
            conversation_id: id,
            sender_type: Author::Agent,
            sender_id: Some(agent.user_id),
            content: Content { kind: MessageKind::Text, body, payload, file_id: None },
            reply_to_id: None,
            client_message_id: None,
            is_reply,
        };
        if let Some((updated, _)) = add_outgoing(&context, &transaction, agent.company_id, new).await? {
            conversation = updated;
        }
    }
    transaction.audit(id, &Value::Null, &json!({"assignee_id": agent.user_id}));
    transaction.commit(Json(conversation)).await
}
