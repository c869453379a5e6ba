//! POST /scheduled-messages — plans a text to be sent later. The window is judged again when it is due.

use conversations::{
    BOT_MODE, CLIENT_BLOCKED, CONVERSATION_CLOSED, NOT_HOLDER, NOT_TAKEN, ScheduledMessage, enqueue_scheduled, lock, may_write,
    scheduled_columns, tell_scheduled, time_to_come,
};
use shared::{
    error::{NOT_FOUND, refuse},
    prelude::*,
};

const ROUTE: Route =
    Route::post("/scheduled-messages").fails(&[BOT_MODE, CLIENT_BLOCKED, CONVERSATION_CLOSED, NOT_FOUND, NOT_HOLDER, NOT_TAKEN]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewScheduledMessage {
    #[garde(skip)]
    conversation_id: Uuid,
    #[garde(length(chars, min = 1, max = 4096))]
    body: String,
    /// To come, within a year.
    #[garde(skip)]
    due_at: Timestamp,
}

const SCHEDULE: &str = concat!(
    "with scheduled_messages as (
        insert into scheduled_messages (id, conversation_id, body, due_at) values ($1, $2, $3, $4) returning *
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
    Json(input): Json<NewScheduledMessage>,
) -> Result<Created<ScheduledMessage>, Error> {
    let NewScheduledMessage { conversation_id, body, due_at } = input;
    refuse(time_to_come("due_at", context.now(), due_at))?;
    let transaction = context.begin(&agent).await?;
    let held = lock(&transaction, conversation_id).await?;
    // The window is judged when it is due.
    if let Err(problem) = may_write(&agent, &held) {
        return Err(held.refuse(&transaction, problem).await);
    }
    let id = context.new_id();
    let scheduled: ScheduledMessage = transaction.one(SCHEDULE, &[&id, &conversation_id, &body, &due_at]).await?;
    enqueue_scheduled(&context, &transaction, id);
    tell_scheduled(&transaction, &held, &scheduled);
    transaction.audit(id, &Value::Null, &json!({"conversation_id": conversation_id, "due_at": due_at}));
    transaction.commit(Created(scheduled)).await
}
