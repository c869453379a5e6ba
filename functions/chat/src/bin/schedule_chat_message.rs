//! POST /chat/scheduled — plans a message of the caller's. It is judged now, and again when its time has come.

use channels::{ARCHIVED, NOT_MANAGER, NOT_MEMBER};
use chat::{
    ChatScheduledUpdated, MANY_MENTIONED, NewChatMessage, ScheduledChatMessage, TOO_MANY_SCHEDULED, enqueue_scheduled, judge,
    scheduled_chat_columns,
};
use shared::{
    error::{FieldProblem, NOT_FOUND, refuse},
    prelude::*,
    time_to_come,
};

const ROUTE: Route =
    Route::post("/chat/scheduled").fails(&[NOT_FOUND, NOT_MEMBER, NOT_MANAGER, ARCHIVED, MANY_MENTIONED, TOO_MANY_SCHEDULED]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChatPlan {
    #[garde(skip)]
    channel_id: Uuid,
    /// Nothing is forwarded later.
    #[garde(dive)]
    message: NewChatMessage,
    /// To come, within a year.
    #[garde(skip)]
    due_at: Timestamp,
}

const PLAN: &str = concat!(
    "with scheduled_chat_messages as (
        insert into scheduled_chat_messages (id, channel_id, asked, due_at) values ($1, $2, $3, $4) returning *
    ) select ",
    scheduled_chat_columns!(),
    " from scheduled_chat_messages"
);

const WAITING: &str =
    "select count(*) as count from scheduled_chat_messages where author_id = app.user_id() and state = 'waiting'";

pub fn main() {
    serve(&ROUTE, schedule_chat_message);
}

async fn schedule_chat_message(
    context: Context,
    caller: Staff,
    _: IdempotencyKey,
    Json(ChatPlan { channel_id, message, due_at }): Json<ChatPlan>,
) -> Result<Created<ScheduledChatMessage>, Error> {
    let forwards = message.forward_id.map(|_| {
        let (portuguese, english) = ("Não se encaminha mais tarde.", "Nothing is forwarded later.");
        FieldProblem::new("message.forward_id", "not_allowed", portuguese, english)
    });
    refuse([time_to_come("due_at", context.now(), due_at), forwards].into_iter().flatten())?;
    let transaction = context.begin(&caller).await?;
    judge(&transaction, channel_id, &message).await?;
    let waiting: i64 = transaction.query(WAITING, &[]).await?.first().map_or(0, |row| row.get("count"));
    if waiting >= 100 {
        return Err(TOO_MANY_SCHEDULED.into());
    }
    let id = context.new_id();
    let scheduled_message: ScheduledChatMessage = transaction.one(PLAN, &[&id, &channel_id, &json!(message), &due_at]).await?;
    enqueue_scheduled(&context, &transaction, id);
    transaction.tell_person(caller.user_id, &ChatScheduledUpdated { scheduled_message: scheduled_message.clone() });
    transaction.audit(id, &Value::Null, &json!({"channel_id": channel_id, "due_at": due_at}));
    transaction.commit(Created(scheduled_message)).await
}
