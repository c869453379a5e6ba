//! POST /conversations/{id}/snooze — puts it off until a time, or until its client writes, which ends it in any case.

use conversations::{
    CONVERSATION, CONVERSATION_CLOSED, Conversation, ConversationUpdated, NOT_HOLDER, SystemMessage, add_system_message,
    emit_conversation, enqueue_timer, lock, unsnooze, updated_conversation,
};
use futures_util::future::try_join;
use shared::{error::refuse, prelude::*, rule};

const ROUTE: Route = Route::post("/conversations/{id}/snooze").fails(&[CONVERSATION_CLOSED, NOT_HOLDER]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("not" = {
    "required": ["until", "is_over"],
    "properties": {"until": {"type": "string"}, "is_over": {"const": true}},
}))]
struct Snooze {
    /// To come, within a year; until the client writes when not given.
    #[garde(skip)]
    until: Option<Timestamp>,
    /// Ends it now; not with a time.
    #[garde(custom(without_time(self.until)))]
    #[serde(default)]
    is_over: bool,
}

fn without_time(until: Option<Timestamp>) -> impl FnOnce(&bool, &()) -> garde::Result {
    move |is_over, ()| {
        if *is_over && until.is_some() {
            return Err(rule("exclusive", "Não combine com until.", "This does not go together with until."));
        }
        Ok(())
    }
}

/// No row when it is put off until then already.
const SNOOZE: &str = updated_conversation!(
    "
        update conversations
           set snoozed_at = now(), snoozed_until = $2
         where id = $1 and (snoozed_at is null or snoozed_until is distinct from $2)
        returning *"
);

pub fn main() {
    serve(&ROUTE, snooze_conversation);
}

async fn snooze_conversation(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    Json(input): Json<Snooze>,
) -> Result<Json<Conversation>, Error> {
    let Snooze { until, is_over } = input;
    refuse(until.and_then(|until| shared::time_to_come("until", context.now(), until)))?;
    let transaction = context.begin(&agent).await?;
    let (held, current): (_, Conversation) = try_join(lock(&transaction, id), transaction.one(CONVERSATION, &[&id])).await?;
    if held.is_closed() {
        return Err(CONVERSATION_CLOSED.with_current(&current));
    }
    if !held.may_be_moved_by(&agent) {
        return Err(NOT_HOLDER.with_current(&current));
    }
    let by = Some(agent.user_id);
    let changed = if is_over {
        unsnooze(&context, &transaction, agent.company_id, id, by).await?
    } else {
        transaction.first(SNOOZE, &[&id, &until]).await?
    };
    let Some(conversation) = changed else { return transaction.commit(Json(current)).await };
    if !is_over {
        enqueue_timer(&context, &transaction, id, conversation.snoozed_until);
        emit_conversation::<ConversationUpdated>(&transaction, agent.company_id, &conversation, by, None);
        let line = SystemMessage {
            text: "Conversa adiada.".to_owned(),
            payload: json!({"act": "snoozed", "by_user_id": by, "until": conversation.snoozed_until}),
        };
        add_system_message(&context, &transaction, &conversation, line);
    }
    let shown = |row: &Conversation| json!({"snoozed_at": row.snoozed_at, "snoozed_until": row.snoozed_until});
    transaction.audit(id, &shown(&current), &shown(&conversation));
    transaction.commit(Json(conversation)).await
}
