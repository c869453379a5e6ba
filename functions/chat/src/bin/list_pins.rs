//! GET /channels/{id}/pins — what is pinned in a channel, the latest pin first.

use channels::IS_SEEN;
use chat::{ChatMessage, ShownChatMessage, chat_message_columns, chat_message_joins, with_cards};
use futures_util::future::join;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/channels/{id}/pins").fails(&[NOT_FOUND]);

const PINS: &str = concat!(
    "select ",
    chat_message_columns!(),
    " from chat_messages messages ",
    chat_message_joins!(),
    " where messages.id in (select message_id from chat_pins where channel_id = $1)
     order by chat_pins.pinned_at desc, messages.id desc"
);

pub fn main() {
    serve(&ROUTE, list_pins);
}

async fn list_pins(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Page<ShownChatMessage>, Error> {
    let transaction = context.begin(&caller).await?;
    let (seen, pins) = join(transaction.query(IS_SEEN, &[&id]), transaction.all::<ChatMessage>(PINS, &[&id])).await;
    if seen?.is_empty() {
        return Err(NOT_FOUND.into());
    }
    Ok(Page::whole(with_cards(&transaction, pins?).await?))
}
