//! GET /messages/{id}/revisions — what a message said before it was edited, the oldest first.

use futures_util::future::join;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/messages/{id}/revisions").fails(&[NOT_FOUND]);

const IS_SEEN: &str = "select id from messages where id = $1 and kind <> 'reaction'";

/// Of a message taken back nobody reads any.
const REVISIONS: &str = "
    select revision ->> 'body' as body, (revision ->> 'until')::timestamptz as until
      from messages
     cross join jsonb_array_elements(revisions) with ordinality revision_list (revision, place)
     where id = $1 and deleted_at is null
     order by place";

/// Words that a message once had.
#[derive(Serialize, JsonSchema, FromRow)]
struct Revision {
    body: String,
    /// When other words took their place.
    until: Timestamp,
}

pub fn main() {
    serve(&ROUTE, list_message_revisions);
}

async fn list_message_revisions(context: Context, agent: Staff, Path(id): Path<Uuid>) -> Result<Page<Revision>, Error> {
    let transaction = context.begin(&agent).await?;
    let (seen, revisions) = join(transaction.query(IS_SEEN, &[&id]), transaction.all(REVISIONS, &[&id])).await;
    if seen?.is_empty() {
        return Err(NOT_FOUND.into());
    }
    Ok(Page::whole(revisions?))
}
