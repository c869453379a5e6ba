//! GET /chat/mentions — messages that mention the caller, the newest first.

use chat::{ChatMessage, ShownChatMessage, chat_message_columns, chat_message_joins, with_cards};
use shared::prelude::*;

const ROUTE: Route = Route::get("/chat/mentions");

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    /// In this channel.
    #[garde(skip)]
    channel_id: Option<Uuid>,
}

const MENTIONS: TimeList = TimeList {
    rows: "select messages.* from chat_mentions mentions
             join chat_messages messages on messages.company_id = mentions.company_id and messages.id = mentions.message_id
            where mentions.user_id = (select app.user_id()) and ($1::uuid is null or mentions.channel_id = $1)",
    at: "messages.created_at",
    id: "messages.id",
    shown: concat!("select ", chat_message_columns!(), " from page messages ", chat_message_joins!()),
};

pub fn main() {
    serve(&ROUTE, list_mentions);
}

async fn list_mentions(context: Context, caller: Staff, asked: List<Filters>) -> Result<Page<ShownChatMessage>, Error> {
    let transaction = context.begin(&caller).await?;
    let rows: Vec<ChatMessage> = transaction.list(&MENTIONS, &asked, &[&asked.filters.channel_id]).await?;
    let Page { data, next_cursor } = asked.page(rows, |message: &ChatMessage| (message.created_at, message.id));
    Ok(Page { data: with_cards(&transaction, data).await?, next_cursor })
}
