//! GET /messages/search — messages with all these words, without accents and by their stems, among what the caller sees.

use conversations::{Author, Message, MessageKind, message_columns, message_joins, places_of};
use shared::prelude::*;

const ROUTE: Route = Route::get("/messages/search");

#[derive(Deserialize, Validate, JsonSchema)]
struct Sought {
    /// Words that the message has, all of them, in any form and order.
    #[garde(length(chars, min = 1, max = 100))]
    search: String,
    #[garde(skip)]
    conversation_id: Option<Uuid>,
    #[garde(skip)]
    client_id: Option<Uuid>,
    /// Whose words.
    #[garde(skip)]
    sender_type: Option<Author>,
    /// The agent who wrote it.
    #[garde(skip)]
    sender_id: Option<Uuid>,
    #[garde(skip)]
    kind: Option<MessageKind>,
    /// Where its conversation is now.
    #[garde(skip)]
    department_id: Option<Uuid>,
    #[garde(skip)]
    channel_account_id: Option<Uuid>,
    /// Sent at or after.
    #[garde(skip)]
    from: Option<Timestamp>,
    /// Sent before.
    #[garde(skip)]
    to: Option<Timestamp>,
}

/// A message with these words. `GET /messages` shows what stands `around` it.
#[derive(Serialize, JsonSchema)]
struct FoundMessage {
    #[serde(flatten)]
    message: Message,
    client_id: Uuid,
    client_name: String,
    /// Where the words stand in `body`.
    highlights: Vec<Place>,
}

/// A part of a text, counted in characters.
#[derive(Serialize, JsonSchema)]
struct Place {
    start: usize,
    length: usize,
}

/// Which words of the body are meant by what was asked for is the index's to say.
macro_rules! found_messages {
    ($order:literal) => {
        concat!(
            "select ",
            message_columns!(),
            ", clients.id as client_id, clients.name as client_name,
               array(select distinct word
                       from regexp_split_to_table(messages.body, '[^[:alnum:]]+') word
                      where word <> ''
                        and app.stems(messages.company_id, app.spaced(word)) && app.stems(messages.company_id, app.spaced($1))) as words
               from messages
               join conversations on conversations.company_id = messages.company_id and conversations.id = messages.conversation_id
               join clients on clients.company_id = conversations.company_id and clients.id = conversations.client_id ",
            message_joins!(),
            " where messages.id = any ((select app.find_messages($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14))::uuid[])
              order by messages.sent_at ",
            $order,
            ", messages.id ",
            $order
        )
    };
}

const NEWEST_FIRST: &str = found_messages!("desc");
const OLDEST_FIRST: &str = found_messages!("asc");

#[derive(FromRow)]
struct Row {
    #[from_row(flatten)]
    message: Message,
    client_id: Uuid,
    client_name: String,
    words: Vec<String>,
}

pub fn main() {
    serve(&ROUTE, search_messages);
}

async fn search_messages(context: Context, agent: Staff, asked: List<Sought>) -> Result<Page<FoundMessage>, Error> {
    let Sought { search, conversation_id, client_id, sender_id, department_id, channel_account_id, from, to, .. } =
        &asked.filters;
    let (sender, kind) = (asked.filters.sender_type.map(Author::as_str), asked.filters.kind.map(MessageKind::as_str));
    let is_oldest_first = asked.order == Order::Asc;
    let statement = if is_oldest_first { OLDEST_FIRST } else { NEWEST_FIRST };
    let transaction = context.begin(&agent).await?;
    let rows: Vec<Row> = transaction
        .all(
            statement,
            &[
                search,
                conversation_id,
                client_id,
                &sender,
                sender_id,
                &kind,
                department_id,
                channel_account_id,
                from,
                to,
                &asked.at,
                &asked.id,
                &is_oldest_first,
                &asked.wanted,
            ],
        )
        .await?;
    let found = rows.into_iter().map(found).collect();
    Ok(asked.page(found, |found: &FoundMessage| (found.message.sent_at, found.message.id)))
}

fn found(row: Row) -> FoundMessage {
    let Row { message, client_id, client_name, words } = row;
    let places = places_of(&words, &message.body);
    let highlights = places.into_iter().map(|(start, length)| Place { start, length }).collect();
    FoundMessage { message, client_id, client_name, highlights }
}
