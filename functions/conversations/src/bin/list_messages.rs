//! GET /messages — a conversation's messages, the newest first, or a window around one of them.

use conversations::{IS_SEEN, Message, message_columns, message_joins};
use futures_util::future::join;
use shared::{cursor, cursor::TimeCursor, error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/messages").fails(&[NOT_FOUND]);

#[derive(Deserialize, Validate, JsonSchema)]
struct Window {
    #[garde(skip)]
    conversation_id: Uuid,
    /// Older than this place.
    #[garde(skip)]
    cursor: Option<String>,
    /// A message to show with what came before and after it. Not together with `cursor`.
    #[garde(skip)]
    around: Option<Uuid>,
    #[garde(range(min = 1, max = 100))]
    limit: Option<u32>,
}

/// Reactions are shown on the messages they are to.
const LIST: &str = concat!(
    "select ",
    message_columns!(),
    " from messages ",
    message_joins!(),
    " where messages.conversation_id = $1
        and messages.kind <> 'reaction'
        and ($2::timestamptz is null or (messages.sent_at, messages.id) < ($2, $3::uuid))
      order by messages.sent_at desc, messages.id desc
      limit $4"
);

/// At most half a page newer than the message, and the rest from it on downward.
const AROUND: &str = concat!(
    "with middle as (
        select sent_at, id from messages where conversation_id = $1 and id = $2
    ), newer as (
        select messages.id
          from messages
          join middle on (messages.sent_at, messages.id) > (middle.sent_at, middle.id)
         where messages.conversation_id = $1 and messages.kind <> 'reaction'
         order by messages.sent_at, messages.id
         limit $3::bigint / 2
    ), older as (
        select messages.id
          from messages
          join middle on (messages.sent_at, messages.id) <= (middle.sent_at, middle.id)
         where messages.conversation_id = $1 and messages.kind <> 'reaction'
         order by messages.sent_at desc, messages.id desc
         limit $3::bigint - (select count(*) from newer)
    )
    select ",
    message_columns!(),
    " from messages ",
    message_joins!(),
    " where messages.id in (select id from newer union all select id from older)
      order by messages.sent_at desc, messages.id desc"
);

fn main() {
    serve(&ROUTE, list_messages);
}

async fn list_messages(context: Context, agent: Staff, Query(window): Query<Window>) -> Result<Page<Message>, Error> {
    let limit = window.limit.unwrap_or(50);
    let wanted = i64::from(limit) + 1;
    let place = window.cursor.as_deref().map(TimeCursor::decode).transpose()?;
    let (at, id) = (place.map(|place| place.at), place.map(|place| place.id));
    let transaction = context.begin(&agent).await?;
    let conversation = window.conversation_id;
    let seen = async { transaction.query(IS_SEEN, &[&conversation]).await };
    let messages = async {
        match window.around {
            Some(middle) => transaction.all(AROUND, &[&conversation, &middle, &wanted]).await,
            None => transaction.all(LIST, &[&conversation, &at, &id, &wanted]).await,
        }
    };
    let (seen, messages) = join(seen, messages).await;
    if seen?.is_empty() {
        return Err(NOT_FOUND.into());
    }
    let (data, next_cursor) =
        cursor::page(messages?, limit as usize, |message: &Message| TimeCursor { at: message.sent_at, id: message.id });
    Ok(Page { data, next_cursor })
}
