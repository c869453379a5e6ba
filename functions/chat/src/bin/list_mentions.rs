//! GET /chat/mentions — messages that mention the caller, the latest mention first.

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
    rows: "select * from chat_mentions where user_id = (select app.user_id()) and ($1::uuid is null or channel_id = $1)",
    at: "chat_mentions.at",
    id: "chat_mentions.message_id",
    shown: concat!(
        "select ",
        chat_message_columns!(),
        ", chat_mentions.at as mentioned_at
           from page chat_mentions
           join chat_messages messages on messages.company_id = chat_mentions.company_id and messages.id = chat_mentions.message_id ",
        chat_message_joins!()
    ),
};

/// A message, and since when it mentions the caller.
#[derive(Serialize, FromRow)]
struct Mention {
    #[from_row(flatten)]
    message: ChatMessage,
    mentioned_at: Timestamp,
}

pub fn main() {
    serve(&ROUTE, list_mentions);
}

async fn list_mentions(context: Context, caller: Staff, asked: List<Filters>) -> Result<Page<ShownChatMessage>, Error> {
    let transaction = context.begin(&caller).await?;
    let rows: Vec<Mention> = transaction.list(&MENTIONS, &asked, &[&asked.filters.channel_id]).await?;
    let Page { data, next_cursor } = asked.page(rows, |mention: &Mention| (mention.mentioned_at, mention.message.id));
    let messages = data.into_iter().map(|mention| mention.message).collect();
    Ok(Page { data: with_cards(&transaction, messages).await?, next_cursor })
}
