//! POST /scheduled-messages — plans a message of any kind to be sent later. All but the window is judged now, and all of it again when it is due.

use conversations::{
    Addressed, BOT_MODE, CHANNEL_REMOVED, CLIENT_BLOCKED, CONVERSATION_CLOSED, FILE_NOT_READY, NOT_HOLDER, NOT_TAKEN, Planned,
    ScheduledMessage, enqueue_scheduled, lock, may_write, scheduled_columns, tell_scheduled,
};
use shared::{
    error::{NOT_FOUND, refuse},
    files::QUARANTINED,
    prelude::*,
};

const ROUTE: Route = Route::post("/scheduled-messages").fails(&[
    BOT_MODE,
    CHANNEL_REMOVED,
    CLIENT_BLOCKED,
    CONVERSATION_CLOSED,
    FILE_NOT_READY,
    NOT_FOUND,
    NOT_HOLDER,
    NOT_TAKEN,
    QUARANTINED,
]);

/// Where and when it is sent.
#[derive(Debug, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewScheduledMessage")]
struct AtATime {
    #[garde(skip)]
    conversation_id: Uuid,
    /// To come, within a year.
    #[garde(skip)]
    due_at: Timestamp,
}

const SCHEDULE: &str = concat!(
    "with scheduled_messages as (
        insert into scheduled_messages (id, conversation_id, due_at, kind, body, payload, file_id, asked)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        returning *
    ) select ",
    scheduled_columns!(),
    " from scheduled_messages"
);

pub fn main() {
    serve(&ROUTE, schedule_message);
}

async fn schedule_message(
    context: Context,
    agent: Staff,
    _: IdempotencyKey,
    Json(Addressed { to, message: input }): Json<Addressed<AtATime>>,
) -> Result<Created<ScheduledMessage>, Error> {
    let AtATime { conversation_id, due_at } = to;
    refuse(shared::time_to_come("due_at", context.now(), due_at))?;
    let transaction = context.begin(&agent).await?;
    let held = lock(&transaction, conversation_id).await?;
    if let Err(problem) = may_write(&agent, &held) {
        return Err(held.refuse(&transaction, problem).await);
    }
    let Planned { content, asked } = Planned::judge(&transaction, conversation_id, &input).await?;
    let id = context.new_id();
    let kind = content.kind.as_str();
    let scheduled: ScheduledMessage = transaction
        .one(SCHEDULE, &[&id, &conversation_id, &due_at, &kind, &content.body, &content.payload, &content.file_id, &asked])
        .await?;
    enqueue_scheduled(&context, &transaction, id);
    tell_scheduled(&transaction, &held, &scheduled);
    transaction.audit(id, &Value::Null, &json!({"conversation_id": conversation_id, "due_at": due_at}));
    transaction.commit(Created(scheduled)).await
}
