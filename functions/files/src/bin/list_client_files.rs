//! GET /clients/{id}/files — a client's documents and the files of their conversations that the caller sees, the newest first.

use files::ClientFile;
use futures_util::future::join;
use shared::{closed_set, error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/clients/{id}/files").fails(&[NOT_FOUND]);

closed_set! {
    FileKind { Image = "image", Audio = "audio", Video = "video", Document = "document" }
}

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    /// Of this kind alone; a `document` is what is none of the others.
    #[garde(skip)]
    kind: Option<FileKind>,
}

const IS_KNOWN: &str = "select from clients where id = $1";

/// Who became another client has that one's files.
const FILES: TimeList = TimeList {
    rows: "select entries.* from (
               select client_files.file_id, client_files.file_id as entry_id, client_files.added_at as at,
                      client_files.added_by as added_by_id, null::uuid as message_id
                 from client_files
                where client_files.client_id = (select coalesce(merged_into_id, id) from clients where id = $1)
                union all
               select messages.file_id, messages.id, messages.sent_at, messages.sender_id, messages.id
                 from conversations
                 join messages on messages.company_id = conversations.company_id and messages.conversation_id = conversations.id
                where conversations.client_id = (select coalesce(merged_into_id, id) from clients where id = $1)
                  and messages.file_id is not null and messages.deleted_at is null) entries
             join files on files.id = entries.file_id
            where ($2::text is null
                   or $2 = case split_part(files.mime_type, '/', 1) when 'image' then 'image' when 'audio' then 'audio' when 'video' then 'video'
                                else 'document' end)",
    at: "entries.at",
    id: "entries.entry_id",
    shown: "select files.*, entries.at, entries.added_by_id, entries.message_id, entries.entry_id
              from page entries
              join files on files.id = entries.file_id",
};

pub fn main() {
    serve(&ROUTE, list_client_files);
}

async fn list_client_files(
    context: Context,
    agent: Staff,
    Path(client): Path<Uuid>,
    asked: List<Filters>,
) -> Result<Page<ClientFile>, Error> {
    let kind = asked.filters.kind.map(FileKind::as_str);
    let transaction = context.begin(&agent).await?;
    let (known, rows) = join(transaction.query(IS_KNOWN, &[&client]), transaction.list(&FILES, &asked, &[&client, &kind])).await;
    if known?.is_empty() {
        return Err(NOT_FOUND.into());
    }
    Ok(asked.page(rows?, |row: &ClientFile| (row.at, row.entry_id)))
}
