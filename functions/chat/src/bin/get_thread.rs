//! GET /chat/messages/{id}/thread — what a thread is about, and its answers, the oldest first.

use chat::{
    ChatMessage, FOLLOWING, MESSAGE, PlacePage, PlaceQuery, ShownChatMessage, ThreadFollowing, chat_message_columns,
    chat_message_joins, with_cards,
};
use futures_util::future::try_join3;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/chat/messages/{id}/thread").fails(&[NOT_FOUND]);

macro_rules! answers {
    ($places:literal, $order:literal) => {
        concat!(
            "select ",
            chat_message_columns!(),
            " from (select * from chat_messages where root_id = $1 and ",
            $places,
            " order by thread_place ",
            $order,
            " limit $3) messages ",
            chat_message_joins!(),
            " order by messages.thread_place ",
            $order
        )
    };
}

const AFTER: &str = answers!("thread_place > coalesce($2::bigint, 0)", "asc");
const BEFORE: &str = answers!("thread_place < coalesce($2::bigint, 9223372036854775807)", "desc");

/// A thread for one who reads it.
#[derive(Serialize, JsonSchema)]
struct Thread {
    /// What it is about.
    root: ShownChatMessage,
    following: ThreadFollowing,
    #[serde(flatten)]
    answers: PlacePage<ShownChatMessage>,
}

pub fn main() {
    serve(&ROUTE, get_thread);
}

async fn get_thread(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    Query(asked): Query<PlaceQuery>,
) -> Result<Json<Thread>, Error> {
    // The page that begins with a place is the one behind the place before it.
    let after = asked.after.or(asked.around.map(|around| around - 1));
    let (sql, place) = if asked.before.is_some() { (BEFORE, asked.before) } else { (AFTER, after) };
    let transaction = context.begin(&caller).await?;
    let (root, following, answers): (ChatMessage, ThreadFollowing, Vec<ChatMessage>) = try_join3(
        transaction.one(MESSAGE, &[&id]),
        transaction.one(FOLLOWING, &[&id]),
        transaction.all(sql, &[&id, &place, &asked.wanted()]),
    )
    .await?;
    let page = asked.page(answers);
    let mut shown = with_cards(&transaction, [vec![root], page.data].concat()).await?;
    let root = shown.remove(0);
    Ok(Json(Thread { root, following, answers: PlacePage { data: shown, has_more: page.has_more } }))
}
