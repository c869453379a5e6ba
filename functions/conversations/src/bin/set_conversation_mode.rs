//! POST /conversations/{id}/mode — gives the conversation to the bot, or stops the bot, for good or until a time.

use conversations::{
    CONVERSATION, CONVERSATION_CLOSED, Conversation, ConversationUpdated, Mode, NO_BOT, NOT_HOLDER, SystemMessage,
    add_system_message, emit_conversation, enqueue_timer, lock, return_to_bot, updated_conversation,
};
use futures_util::future::try_join;
use shared::{error::refuse, prelude::*};

const ROUTE: Route = Route::post("/conversations/{id}/mode").fails(&[CONVERSATION_CLOSED, NO_BOT, NOT_HOLDER]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = return_of_people_only)]
struct NewMode {
    #[garde(skip)]
    mode: Mode,
    /// With `human`: when the bot takes it again, unless somebody else was given it meanwhile. To come, within a year.
    #[garde(custom(no_return_with_bot(&self.mode)))]
    return_to_bot_at: Option<Timestamp>,
}

/// The bot stops. No row when it has, until the same time.
const STOP_BOT: &str = updated_conversation!(
    "
        update conversations
           set mode = 'human', return_to_bot_at = $2, version = version + 1, bot_node = null
         where id = $1 and (mode, return_to_bot_at) is distinct from ('human', $2)
        returning *"
);

pub fn main() {
    serve(&ROUTE, set_conversation_mode);
}

async fn set_conversation_mode(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    Json(input): Json<NewMode>,
) -> Result<Json<Conversation>, Error> {
    let NewMode { mode, return_to_bot_at } = input;
    refuse(return_to_bot_at.and_then(|at| shared::time_to_come("return_to_bot_at", context.now(), at)))?;
    let transaction = context.begin(&agent).await?;
    let (held, current): (_, Conversation) = try_join(lock(&transaction, id), transaction.one(CONVERSATION, &[&id])).await?;
    if held.is_closed() {
        return Err(CONVERSATION_CLOSED.with_current(&current));
    }
    if !held.may_be_moved_by(&agent) {
        return Err(NOT_HOLDER.with_current(&current));
    }
    let by = Some(agent.user_id);
    let changed = match mode {
        Mode::Bot if held.mode == Mode::Bot => None,
        Mode::Bot => {
            let returned = return_to_bot(&context, &transaction, agent.company_id, &held, by).await?;
            Some(returned.ok_or_else(|| NO_BOT.with_current(&current))?)
        }
        Mode::Human => {
            let stopped: Option<Conversation> = transaction.first(STOP_BOT, &[&id, &return_to_bot_at]).await?;
            if let Some(conversation) = &stopped {
                enqueue_timer(&context, &transaction, id, conversation.return_to_bot_at);
                emit_conversation::<ConversationUpdated>(&transaction, agent.company_id, conversation, by, Some(held.audience()));
                if held.mode == Mode::Bot {
                    let payload =
                        json!({"act": "bot_stopped", "by_user_id": by, "return_to_bot_at": conversation.return_to_bot_at});
                    let line = SystemMessage { text: "Robô pausado.".to_owned(), payload };
                    add_system_message(&context, &transaction, conversation, line);
                }
            }
            stopped
        }
    };
    let Some(conversation) = changed else { return transaction.commit(Json(current)).await };
    let shown = |row: &Conversation| json!({"mode": row.mode, "return_to_bot_at": row.return_to_bot_at});
    transaction.audit(id, &shown(&current), &shown(&conversation));
    transaction.commit(Json(conversation)).await
}

fn no_return_with_bot(mode: &Mode) -> impl FnOnce(&Option<Timestamp>, &()) -> garde::Result {
    move |at, ()| {
        if at.is_some() && *mode == Mode::Bot {
            return Err(shared::rule("not_together", "O robô já fica com a conversa.", "The bot has the conversation already."));
        }
        Ok(())
    }
}

/// As `no_return_with_bot` says it, for the description.
fn return_of_people_only(schema: &mut schemars::Schema) {
    let of = |mode: &str, at: Value| json!({"title": mode, "type": "object", "properties": {"mode": {"const": mode}, "return_to_bot_at": at}});
    schema.insert("oneOf".into(), json!([of("bot", json!({"type": "null"})), of("human", json!({}))]));
}
