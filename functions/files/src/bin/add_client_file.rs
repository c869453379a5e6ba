//! POST /clients/{id}/files — puts a document of the caller's with a client, for all staff.

use files::{ClientFile, ClientFileAdded, FILE_IN_USE, FIND_OWN, File, NOT_READY, Purpose};
use futures_util::future::join;
use shared::{
    error::{FieldProblem, NOT_FOUND, refuse},
    files::{FileStatus, QUARANTINED},
    prelude::*,
};

const ROUTE: Route = Route::post("/clients/{id}/files").fails(&[FILE_IN_USE, NOT_FOUND, NOT_READY, QUARANTINED]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewClientFile {
    /// A completed upload of one's own, with the purpose `document`.
    #[garde(skip)]
    file_id: Uuid,
}

/// Nobody else becomes of them meanwhile.
const HOLD: &str = "select from clients where id = $1 and merged_into_id is null for share";

/// No row when it is somebody's already.
const ADD: &str = "
    with added as (
        insert into client_files (client_id, file_id) values ($1, $2) on conflict do nothing returning *
    )
    select files.*, added.added_at as at, added.added_by as added_by_id, null::uuid as message_id, added.file_id as entry_id
      from added
      join files on files.id = added.file_id";

const ADDED_BEFORE: &str = "
    select files.*, client_files.added_at as at, client_files.added_by as added_by_id, null::uuid as message_id, files.id as entry_id
      from client_files
      join files on files.id = client_files.file_id
     where client_files.client_id = $1 and client_files.file_id = $2";

pub fn main() {
    serve(&ROUTE, add_client_file);
}

async fn add_client_file(
    context: Context,
    agent: Staff,
    Path(client_id): Path<Uuid>,
    _: IdempotencyKey,
    Json(NewClientFile { file_id }): Json<NewClientFile>,
) -> Result<Created<ClientFile>, Error> {
    let transaction = context.begin(&agent).await?;
    let (client, file) = join(transaction.query(HOLD, &[&client_id]), transaction.first::<File>(FIND_OWN, &[&file_id])).await;
    if client?.is_empty() {
        return Err(NOT_FOUND.into());
    }
    let file = file?;
    refuse(unknown(file.as_ref()))?;
    match file.map(|file| file.status) {
        Some(FileStatus::Ready) => {}
        Some(FileStatus::Quarantined) => return Err(QUARANTINED.into()),
        _ => return Err(NOT_READY.into()),
    }
    let Some(client_file): Option<ClientFile> = transaction.first(ADD, &[&client_id, &file_id]).await? else {
        let before: Option<ClientFile> = transaction.first(ADDED_BEFORE, &[&client_id, &file_id]).await?;
        return before.map(Created).ok_or_else(|| FILE_IN_USE.into());
    };
    transaction.tell_staff(&ClientFileAdded { client_id, client_file: client_file.clone() });
    transaction.audit(client_id, &Value::Null, &json!({"file_id": file_id, "name": client_file.file.name}));
    transaction.commit(Created(client_file)).await
}

fn unknown(file: Option<&File>) -> Option<FieldProblem> {
    match file {
        None => Some(FieldProblem::new("file_id", "unknown_file", "Arquivo não encontrado.", "File not found.")),
        Some(file) if file.purpose != Purpose::Document => {
            let portuguese = "Envie o arquivo com a finalidade `document`.";
            Some(FieldProblem::new("file_id", "wrong_kind", portuguese, "Upload the file with the purpose `document`."))
        }
        Some(_) => None,
    }
}
