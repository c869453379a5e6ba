//! DELETE /scheduled-messages/{id} — a message is not sent after all.

use conversations::{
    LockedSchedule, NOT_AUTHOR, NOT_WAITING, ScheduledMessage, ScheduledState, lock_scheduled, scheduled_columns, tell_scheduled,
};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/scheduled-messages/{id}").fails(&[NOT_AUTHOR, NOT_FOUND, NOT_WAITING]);

const CANCEL: &str = concat!(
    "with scheduled_messages as (
        update scheduled_messages set state = 'cancelled', version = version + 1 where id = $1 and state = 'waiting' returning *
    ) select ",
    scheduled_columns!(),
    " from scheduled_messages"
);

pub fn main() {
    serve(&ROUTE, cancel_scheduled_message);
}

async fn cancel_scheduled_message(context: Context, agent: Staff, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&agent).await?;
    let LockedSchedule { held, scheduled: current } = lock_scheduled(&transaction, id).await?;
    if !current.is_in_reach_of(&agent) {
        return Err(NOT_AUTHOR.into());
    }
    match current.state {
        ScheduledState::Waiting => {}
        ScheduledState::Cancelled => return Err(NOT_FOUND.into()),
        _ => return Err(NOT_WAITING.with_current(&current)),
    }
    let cancelled: ScheduledMessage = transaction.one(CANCEL, &[&id]).await?;
    tell_scheduled(&transaction, &held, &cancelled);
    transaction.audit(id, &json!({"state": current.state}), &json!({"state": cancelled.state}));
    transaction.commit(NoContent).await
}
