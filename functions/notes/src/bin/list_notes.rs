//! GET /notes — notes that the caller sees: of a client, of a conversation, or all.

use notes::{Note, PlacedNote, note_columns, note_joins};
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

macro_rules! notes_where {
    ($condition:literal) => {
        TimeList {
            rows: concat!(
                "select * from notes where deleted_at is null and ",
                $condition,
                " and ($3::boolean is null or is_pinned = $3)
                  and ($4::text is null or app.searchable(text) like
                       '%' || regexp_replace(app.searchable($4), '([\\\\%_])', '\\\\\\1', 'g') || '%')"
            ),
            at: "notes.created_at",
            id: "notes.id",
            shown: concat!("select ", note_columns!(), " from page notes ", note_joins!()),
        }
    };
}

const OF_CONVERSATION: TimeList = notes_where!("conversation_id = $2 and ($1::uuid is null or client_id = $1)");
const OF_CLIENT: TimeList = notes_where!("client_id = $1 and $2::uuid is null");
const ALL: TimeList = notes_where!("$1::uuid is null and $2::uuid is null");

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
