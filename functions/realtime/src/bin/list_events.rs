//! GET /events — the events after a cursor that the caller may see, in order; without a cursor, where the feed stands.

use realtime::{
    RESYNC,
    feed::{self, FeedEvent},
};
use shared::{events::FeedCursor, fitting, prelude::*};

const ROUTE: Route = Route::get("/events").fails(&[RESYNC]);

#[derive(Deserialize, Validate, JsonSchema)]
struct Wish {
    /// A `head`, `next_cursor` or `Balcao-Cursor` given before.
    #[garde(length(max = 100))]
    #[schemars(with = "Option<FeedCursor>")]
    after: Option<String>,
    /// Only these topics; all without it.
    #[garde(skip)]
    topics: Option<CommaSeparated<String>>,
    #[serde(default = "most_events")]
    #[garde(range(min = 1, max = 500))]
    limit: u32,
}

fn most_events() -> u32 {
    500
}

#[derive(Serialize, JsonSchema)]
struct EventList {
    data: Vec<FeedEvent>,
    /// What to pass as `after` for the rest; null when this reaches the head.
    #[schemars(with = "Option<FeedCursor>")]
    next_cursor: Option<String>,
    /// What to continue from once everything was read.
    #[schemars(with = "FeedCursor")]
    head: String,
}

pub fn main() {
    serve(&ROUTE, list_events);
}

async fn list_events(context: Context, caller: Member, Query(wish): Query<Wish>) -> Result<Json<EventList>, Error> {
    let topics = wish.topics.map(|CommaSeparated(topics)| topics);
    let transaction = context.begin(&caller).await?;
    let mut stretch = feed::read(&transaction, wish.after.as_deref(), topics, wish.limit).await?.ok_or(RESYNC)?;
    let room = fitting(&stretch.events);
    stretch.more |= room < stretch.events.len();
    stretch.events.truncate(room);
    let last = stretch.events.last().filter(|_| stretch.more);
    let next_cursor = last.map(|event| event.cursor.clone());
    Ok(Json(EventList { next_cursor, data: stretch.events, head: stretch.head }))
}
