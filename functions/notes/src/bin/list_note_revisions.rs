//! GET /notes/{id}/revisions — what a note said before it was changed, the oldest first.

use futures_util::future::join;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/notes/{id}/revisions").fails(&[NOT_FOUND]);

const IS_SEEN: &str = "select from notes where id = $1 and deleted_at is null";

const REVISIONS: &str = "
    select revisions.version, revisions.text, revisions.replaced_at, revisions.replaced_by_id, users.name as replaced_by_name
      from note_revisions revisions
      join users on users.id = revisions.replaced_by_id
     where revisions.note_id = $1
     order by revisions.version";

/// Words that a note once had.
#[derive(Serialize, JsonSchema, FromRow)]
struct NoteRevision {
    version: i32,
    text: String,
    /// When other words took their place, and who wrote these.
    replaced_at: Timestamp,
    replaced_by_id: Uuid,
    replaced_by_name: String,
}

pub fn main() {
    serve(&ROUTE, list_note_revisions);
}

async fn list_note_revisions(context: Context, agent: Staff, Path(id): Path<Uuid>) -> Result<Page<NoteRevision>, Error> {
    let transaction = context.begin(&agent).await?;
    let (seen, revisions) = join(transaction.query(IS_SEEN, &[&id]), transaction.all(REVISIONS, &[&id])).await;
    if seen?.is_empty() {
        return Err(NOT_FOUND.into());
    }
    Ok(Page::whole(revisions?))
}
