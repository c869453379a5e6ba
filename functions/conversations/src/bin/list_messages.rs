//! GET /messages — a conversation's messages, the newest first, or a window around one of them.

use conversations::{Message, message_columns, message_joins};
use futures_util::future::join;
use shared::{
    cursor::TimeCursor,
    error::{FieldProblem, NOT_FOUND, refuse},
    prelude::*,
};

const ROUTE: Route = Route::get("/messages").fails(&[NOT_FOUND]);

#[derive(Deserialize, Validate, JsonSchema)]
struct Window {
    #[garde(skip)]
    conversation_id: Uuid,
    /// A message of this conversation to show with what came before and after it. Not together with `cursor`.
    #[garde(skip)]
    around: Option<Uuid>,
}

/// One page of messages.
#[derive(Serialize, JsonSchema)]
struct MessageList {
    data: Vec<Message>,
    /// What to pass as `cursor` for the next page; null on the last.
    #[schemars(with = "Option<TimeCursor>")]
    next_cursor: Option<String>,
    /// The place of the first message: what to pass as `cursor` with the other `order` for what lies before it, or is yet to come.
    #[schemars(with = "Option<TimeCursor>")]
    previous_cursor: Option<String>,
}

/// The conversation when the caller sees it, and the message around which they ask when it is one of its own.
const IS_SEEN: &str = "
    select id
      from conversations
     where id = $1
       and ($2::uuid is null
            or exists (select from messages where conversation_id = $1 and id = $2 and kind <> 'reaction'))";

/// Reactions are shown on the messages they are to.
const MESSAGES: TimeList = TimeList {
    rows: "select * from messages where conversation_id = $1 and kind <> 'reaction'",
    at: "messages.sent_at",
    id: "messages.id",
    shown: concat!("select ", message_columns!(), " from page messages ", message_joins!()),
};

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
            " limit ($3::bigint - 1) / 2
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

const AROUND_NEWEST_FIRST: &str = around!(">", "asc", "<=", "desc");
const AROUND_OLDEST_FIRST: &str = around!("<", "desc", ">=", "asc");

pub fn main() {
    serve(&ROUTE, list_messages);
}

async fn list_messages(context: Context, agent: Staff, asked: List<Window>) -> Result<Json<MessageList>, Error> {
    let Window { conversation_id, around } = &asked.filters;
    refuse((around.is_some() && asked.at.is_some()).then(not_together))?;
    let transaction = context.begin(&agent).await?;
    let seen = async { transaction.query(IS_SEEN, &[conversation_id, around]).await };
    let messages = async {
        let Some(middle) = around else { return transaction.list(&MESSAGES, &asked, &[conversation_id]).await };
        let statement = match asked.order {
            Order::Desc => AROUND_NEWEST_FIRST,
            Order::Asc => AROUND_OLDEST_FIRST,
        };
        transaction.all(statement, &[conversation_id, middle, &asked.wanted]).await
    };
    let (seen, messages) = join(seen, messages).await;
    if seen?.is_empty() {
        return Err(NOT_FOUND.into());
    }
    let Page { data, next_cursor } = asked.page(messages?, |message: &Message| (message.sent_at, message.id));
    let first = data.first().map(|message| TimeCursor { at: message.sent_at, id: message.id });
    Ok(Json(MessageList { previous_cursor: first.map(|first| first.encode()), data, next_cursor }))
}

fn not_together() -> FieldProblem {
    let english = "Give either a cursor or a message, not both.";
    FieldProblem::new("around", "not_together", "Informe um cursor ou uma mensagem, não os dois.", english)
}
