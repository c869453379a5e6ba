//! DELETE /chat/scheduled/{id} — a planned message is not posted.

use chat::{ChatScheduledUpdated, NOT_WAITING, ScheduledChatMessage, ScheduledChatState, scheduled_chat_columns};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/chat/scheduled/{id}").fails(&[NOT_FOUND, NOT_WAITING]);

const CANCEL: &str = concat!(
    "with scheduled_chat_messages as (
        update scheduled_chat_messages set state = 'cancelled' where id = $1 and state = 'waiting' returning *
    ) select ",
    scheduled_chat_columns!(),
    " from scheduled_chat_messages"
);

const SCHEDULED: &str = concat!("select ", scheduled_chat_columns!(), " from scheduled_chat_messages where id = $1");

pub fn main() {
    serve(&ROUTE, cancel_scheduled_chat_message);
}

async fn cancel_scheduled_chat_message(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let Some(scheduled_message): Option<ScheduledChatMessage> = transaction.first(CANCEL, &[&id]).await? else {
        let current: ScheduledChatMessage = transaction.one(SCHEDULED, &[&id]).await?;
        return Err(match current.state {
            ScheduledChatState::Cancelled => NOT_FOUND.into(),
            _ => NOT_WAITING.with_current(&current),
        });
    };
    let channel_id = scheduled_message.channel_id;
    transaction.tell_person(caller.user_id, &ChatScheduledUpdated { scheduled_message });
    transaction.audit(id, &json!({"channel_id": channel_id}), &Value::Null);
    transaction.commit(NoContent).await
}
