//! GET /messages — a conversation's messages, the newest first, or a window around one of them.

use conversations::{Message, Order, message_columns, message_joins};
use futures_util::future::join;
use shared::{cursor, cursor::TimeCursor, error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/messages").fails(&[NOT_FOUND]);

#[derive(Deserialize, Validate, JsonSchema)]
struct Window {
    #[garde(skip)]
    conversation_id: Uuid,
    /// Beyond this place, in the order asked for.
    #[garde(skip)]
    cursor: Option<String>,
    /// A message of this conversation to show with what came before and after it. Not together with `cursor`.
    #[garde(custom(alone(self.cursor.is_some())))]
    around: Option<Uuid>,
    #[garde(skip)]
    #[serde(default)]
    order: Order,
    #[garde(range(min = 1, max = 100))]
    limit: Option<u32>,
}

/// One page of messages.
#[derive(Serialize, JsonSchema)]
struct MessageList {
    data: Vec<Message>,
    /// What to pass as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
    /// The place of the first message: what to pass as `cursor` with the other `order` for what lies before it, or is yet to come.
    previous_cursor: Option<String>,
}

/// The conversation when the caller sees it, and the message around which they ask when it is one of its own.
const IS_SEEN: &str = "
    select id
      from conversations
     where id = $1
       and ($2::uuid is null
            or exists (select from messages where conversation_id = $1 and id = $2 and kind <> 'reaction'))";

/// Reactions are shown on the messages they are to. Where the page begins is one comparison, and how few rows are wanted is said: both
/// let one plan serve all requests.
macro_rules! list {
    ($beyond:literal, $from:literal, $order:literal) => {
        concat!(
            "select ",
            message_columns!(),
            " from (
                select *
                  from (
                    select *
                      from messages
                     where conversation_id = $1
                       and kind <> 'reaction'
                       and (sent_at, id) ",
            $beyond,
            " (coalesce($2::timestamptz, ",
            $from,
            "), coalesce($3::uuid, '00000000-0000-0000-0000-000000000000'))
                     order by sent_at ",
            $order,
            ", id ",
            $order,
            " limit 101) page
                 limit $4::bigint) messages ",
            message_joins!(),
            " order by messages.sent_at ",
            $order,
            ", messages.id ",
            $order
        )
    };
}

/// At most half a page of what comes before the message in the order asked for, and the rest from it on.
macro_rules! around {
    ($before:literal, $order_before:literal, $from:literal, $order:literal) => {
        concat!(
            "with middle as (
                select sent_at, id from messages where conversation_id = $1 and id = $2
            ), before as (
                select messages.id
                  from messages
                  join middle on (messages.sent_at, messages.id) ",
            $before,
            " (middle.sent_at, middle.id)
                 where messages.conversation_id = $1 and messages.kind <> 'reaction'
                 order by messages.sent_at ",
            $order_before,
            ", messages.id ",
            $order_before,
            " limit $3::bigint / 2
            ), after as (
                select messages.id
                  from messages
                  join middle on (messages.sent_at, messages.id) ",
            $from,
            " (middle.sent_at, middle.id)
                 where messages.conversation_id = $1 and messages.kind <> 'reaction'
                 order by messages.sent_at ",
            $order,
            ", messages.id ",
            $order,
            " limit $3::bigint - (select count(*) from before)
            )
            select ",
            message_columns!(),
            " from messages ",
            message_joins!(),
            " where messages.id in (select id from before union all select id from after)
              order by messages.sent_at ",
            $order,
            ", messages.id ",
            $order
        )
    };
}

const NEWEST_FIRST: &str = list!("<", "'infinity'", "desc");
const OLDEST_FIRST: &str = list!(">", "'-infinity'", "asc");
const AROUND_NEWEST_FIRST: &str = around!(">", "asc", "<=", "desc");
const AROUND_OLDEST_FIRST: &str = around!("<", "desc", ">=", "asc");

pub fn main() {
    serve(&ROUTE, list_messages);
}

async fn list_messages(context: Context, agent: Staff, Query(window): Query<Window>) -> Result<Json<MessageList>, Error> {
    let limit = window.limit.unwrap_or(50);
    let wanted = i64::from(limit) + 1;
    let place = window.cursor.as_deref().map(TimeCursor::decode).transpose()?;
    let (at, id) = (place.map(|place| place.at), place.map(|place| place.id));
    let transaction = context.begin(&agent).await?;
    let conversation = window.conversation_id;
    let (list, around) = match window.order {
        Order::Desc => (NEWEST_FIRST, AROUND_NEWEST_FIRST),
        Order::Asc => (OLDEST_FIRST, AROUND_OLDEST_FIRST),
    };
    let seen = async { transaction.query(IS_SEEN, &[&conversation, &window.around]).await };
    let messages = async {
        match window.around {
            Some(middle) => transaction.all(around, &[&conversation, &middle, &wanted]).await,
            None => transaction.all(list, &[&conversation, &at, &id, &wanted]).await,
        }
    };
    let (seen, messages) = join(seen, messages).await;
    if seen?.is_empty() {
        return Err(NOT_FOUND.into());
    }
    let place = |message: &Message| TimeCursor { at: message.sent_at, id: message.id };
    let (data, next_cursor) = cursor::page(messages?, limit as usize, place);
    let previous_cursor = data.first().map(|message| place(message).encode());
    Ok(Json(MessageList { data, next_cursor, previous_cursor }))
}

fn alone(has_cursor: bool) -> impl FnOnce(&Option<Uuid>, &()) -> garde::Result {
    move |around, ()| {
        if around.is_some() && has_cursor {
            let english = "Give either a cursor or a message, not both.";
            return Err(shared::rule("not_together", "Informe um cursor ou uma mensagem, não os dois.", english));
        }
        Ok(())
    }
}
