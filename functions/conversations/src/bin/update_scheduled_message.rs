//! PUT /scheduled-messages/{id} — other words or another time for a message that is not sent yet; what is not given stays.

use conversations::{
    LockedSchedule, NOT_AUTHOR, NOT_WAITING, ScheduledMessage, ScheduledState, enqueue_scheduled, lock_scheduled,
    scheduled_columns, tell_scheduled, time_to_come,
};
use shared::{
    error::{NOT_FOUND, STALE, refuse},
    prelude::*,
};

const ROUTE: Route = Route::put("/scheduled-messages/{id}").or(&["PATCH /scheduled-messages/{id}"]).fails(&[
    NOT_AUTHOR,
    NOT_FOUND,
    NOT_WAITING,
    STALE.showing::<ScheduledMessage>(),
]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ScheduleChanges {
    #[garde(length(chars, min = 1, max = 4096))]
    body: Option<String>,
    /// To come, within a year.
    #[garde(skip)]
    due_at: Option<Timestamp>,
}

/// No row when it stays as it is.
const UPDATE: &str = concat!(
    "with scheduled_messages as (
        update scheduled_messages
           set body = coalesce($2, body), due_at = coalesce($3, due_at), version = version + 1
         where id = $1 and state = 'waiting' and (body, due_at) is distinct from (coalesce($2, body), coalesce($3, due_at))
        returning *
    ) select ",
    scheduled_columns!(),
    " from scheduled_messages"
);

pub fn main() {
    serve(&ROUTE, update_scheduled_message);
}

async fn update_scheduled_message(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<ScheduleChanges>,
) -> Result<Json<ScheduledMessage>, Error> {
    let ScheduleChanges { body, due_at } = input;
    let transaction = context.begin(&agent).await?;
    let LockedSchedule { held, scheduled: current } = lock_scheduled(&transaction, id).await?;
    if !current.is_in_reach_of(&agent) {
        return Err(NOT_AUTHOR.into());
    }
    if_match.check(&current)?;
    if current.state != ScheduledState::Waiting {
        return Err(NOT_WAITING.with_current(&current));
    }
    refuse(due_at.filter(|due_at| *due_at != current.due_at).and_then(|due_at| time_to_come("due_at", context.now(), due_at)))?;
    let Some(scheduled): Option<ScheduledMessage> = transaction.first(UPDATE, &[&id, &body, &due_at]).await? else {
        return transaction.commit(Json(current)).await;
    };
    enqueue_scheduled(&context, &transaction, id);
    tell_scheduled(&transaction, &held, &scheduled);
    transaction.audit(id, &json!({"due_at": current.due_at}), &json!({"due_at": scheduled.due_at}));
    transaction.commit(Json(scheduled)).await
}
