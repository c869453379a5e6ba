//! GET /notes — notes that the caller sees: of a client, of a conversation, or all.

use notes::{ALL, Note, OF_CLIENT, OF_CONVERSATION, PlacedNote};
use shared::prelude::*;

const ROUTE: Route = Route::get("/notes");

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    #[garde(skip)]
    client_id: Option<Uuid>,
    #[garde(skip)]
    conversation_id: Option<Uuid>,
    #[garde(skip)]
    pinned: Option<bool>,
    /// A part of the text, whatever the accents.
    #[garde(length(chars, max = 200))]
    search: Option<String>,
}

pub fn main() {
    serve(&ROUTE, list_notes);
}

async fn list_notes(context: Context, agent: Staff, asked: List<Filters>) -> Result<Page<Note>, Error> {
    let Filters { client_id, conversation_id, pinned, search } = &asked.filters;
    let list = match (client_id, conversation_id) {
        (_, Some(_)) => &OF_CONVERSATION,
        (Some(_), None) => &OF_CLIENT,
        (None, None) => &ALL,
    };
    let search = search.as_ref().filter(|text| !text.trim().is_empty());
    let transaction = context.begin(&agent).await?;
    let rows: Vec<PlacedNote> = transaction.list(list, &asked, &[client_id, conversation_id, pinned, &search]).await?;
    let rows = rows.into_iter().map(|row| row.note).collect();
    Ok(asked.page(rows, |note: &Note| (note.created_at, note.id)))
}
