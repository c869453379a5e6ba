//! GET /clients/{id}/notes — the notes on a client and on the client's conversations that the caller sees.

use futures_util::future::join;
use notes::{Note, OF_CLIENT, PlacedNote};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/clients/{id}/notes").fails(&[NOT_FOUND]);

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    #[garde(skip)]
    pinned: Option<bool>,
    /// A part of the text, whatever the accents.
    #[garde(length(chars, max = 200))]
    search: Option<String>,
}

const IS_SEEN: &str = "select from clients where id = $1";

pub fn main() {
    serve(&ROUTE, list_client_notes);
}

async fn list_client_notes(
    context: Context,
    agent: Staff,
    Path(client): Path<Uuid>,
    asked: List<Filters>,
) -> Result<Page<Note>, Error> {
    let Filters { pinned, search } = &asked.filters;
    let conversation: Option<Uuid> = None;
    let transaction = context.begin(&agent).await?;
    let (seen, rows) = join(
        transaction.query(IS_SEEN, &[&client]),
        transaction.list::<PlacedNote, _>(&OF_CLIENT, &asked, &[&client, &conversation, pinned, search]),
    )
    .await;
    if seen?.is_empty() {
        return Err(NOT_FOUND.into());
    }
    let rows = rows?.into_iter().map(|row| row.note).collect();
    Ok(asked.page(rows, |note: &Note| (note.created_at, note.id)))
}
