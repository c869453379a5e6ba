//! GET /channels/{id}/messages — what was said in a channel, the newest first, or around a place. Answers that are in threads only are there.

use channels::NOT_MEMBER;
use chat::{ChatMessage, PlacePage, PlaceQuery, ShownChatMessage, chat_message_columns, chat_message_joins, with_cards};
use futures_util::future::join;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/channels/{id}/messages").fails(&[NOT_FOUND, NOT_MEMBER]);

macro_rules! messages {
    ($places:literal, $order:literal) => {
        concat!(
            "select ",
            chat_message_columns!(),
            " from (select * from chat_messages where channel_id = $1 and ",
            $places,
            " order by place ",
            $order,
            " limit $3) messages ",
            chat_message_joins!(),
            " order by messages.place ",
            $order
        )
    };
}

const BEFORE: &str = messages!("place < coalesce($2::bigint, 9223372036854775807)", "desc");
const AFTER: &str = messages!("place > coalesce($2::bigint, 0)", "asc");

const MEMBERSHIP: &str = "
    select exists (select from channel_members members
                    where members.channel_id = channels.id and members.user_id = app.user_id()) as is_member
      from channels
     where id = $1";

#[derive(FromRow)]
struct Membership {
    is_member: bool,
}

pub fn main() {
    serve(&ROUTE, list_chat_messages);
}

async fn list_chat_messages(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    Query(asked): Query<PlaceQuery>,
) -> Result<Json<PlacePage<ShownChatMessage>>, Error> {
    let transaction = context.begin(&caller).await?;
    let reading = async {
        let Some(around) = asked.around else {
            let (sql, place) = if asked.after.is_some() { (AFTER, asked.after) } else { (BEFORE, asked.before) };
            return transaction.all::<ChatMessage>(sql, &[&id, &place, &asked.wanted()]).await;
        };
        // The page with the place in its middle, the newest first.
        let half = asked.wanted() / 2;
        let (newer, older) = (around - 1, around);
        let (newer, older) =
            join(transaction.all(AFTER, &[&id, &newer, &(half + 1)]), transaction.all(BEFORE, &[&id, &older, &(half + 1)])).await;
        let (mut newer, older): (Vec<ChatMessage>, Vec<ChatMessage>) = (newer?, older?);
        newer.reverse();
        Ok([newer, older].concat())
    };
    let (membership, messages) = join(transaction.one::<Membership>(MEMBERSHIP, &[&id]), reading).await;
    if !membership?.is_member {
        return Err(NOT_MEMBER.into());
    }
    let page = asked.page(messages?);
    let shown = with_cards(&transaction, page.data).await?;
    Ok(Json(PlacePage { data: shown, has_more: page.has_more }))
}
