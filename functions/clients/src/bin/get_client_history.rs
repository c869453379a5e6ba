//! GET /clients/{id}/history — all that happened with a client, as far as the caller sees it, the newest first.

use futures_util::future::try_join;
use shared::{closed_set, error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/clients/{id}/history").fails(&[NOT_FOUND]);

closed_set! {
    /// More kinds may come.
    HistoryKind {
        Conversation = "conversation",
        Transfer = "transfer",
        Consent = "consent",
        Merge = "merge",
        Note = "note",
        File = "file",
    }
}

/// Something that happened with a client.
#[derive(Serialize, JsonSchema, FromRow)]
struct HistoryEntry {
    id: Uuid,
    kind: HistoryKind,
    at: Timestamp,
    /// What depends on the kind: the conversation that began then as it is now, the transfer, the consent, the
    /// merge, the note, or the document.
    #[schemars(with = "Map<String, Value>")]
    data: Value,
}

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    /// Of this kind alone.
    #[garde(skip)]
    kind: Option<HistoryKind>,
}

const IS_KNOWN: &str = "select from clients where id = $1";

/// Who became another client has that one's history.
const HISTORY: TimeList = TimeList {
    rows: "select * from client_history entries
            where client_id = (select coalesce(merged_into_id, id) from clients where id = $1) and ($2::text is null or kind = $2)",
    at: "entries.at",
    id: "entries.id",
    shown: "select entries.id, entries.kind, entries.at, app.history_entry(entries.kind, entries.id) as data from page entries",
};

pub fn main() {
    serve(&ROUTE, get_client_history);
}

async fn get_client_history(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    asked: List<Filters>,
) -> Result<Page<HistoryEntry>, Error> {
    let transaction = context.begin(&caller).await?;
    let kind = asked.filters.kind.map(HistoryKind::as_str);
    let (known, entries) =
        try_join(transaction.query(IS_KNOWN, &[&id]), transaction.list(&HISTORY, &asked, &[&id, &kind])).await?;
    if known.is_empty() {
        return Err(NOT_FOUND.into());
    }
    Ok(asked.page(entries, |entry: &HistoryEntry| (entry.at, entry.id)))
}
