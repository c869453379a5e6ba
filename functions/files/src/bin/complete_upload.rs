//! POST /storage/{id}/complete — checks what was uploaded against what was announced. Doing it again answers the same.

use files::{Checked, File, FileUser, NOT_UPLOADED, SIZE_MISMATCH, TYPE_MISMATCH, UNSAFE_CONTENT, check_copy};
use shared::{
    files::{FileStatus, REMOVE_UNLESS_KEPT, keep, kept_key},
    kept_copy, parameters,
    prelude::*,
};

const ROUTE: Route = Route::post("/storage/{id}/complete")
    .fails(&[NOT_UPLOADED, SIZE_MISMATCH, TYPE_MISMATCH, UNSAFE_CONTENT])
    .needs(Privilege::Files);

/// Only whoever uploads a file completes it: one that WhatsApp sends is completed by its own worker.
const FIND: &str = "select * from files where id = $1 and uploaded_by = app.user_id()";

/// What was uploaded goes when its form can write it no more.
const COMPLETE: &str = concat!(
    "with ",
    kept_copy!("$1", "$2"),
    ", upload as (
        insert into object_removals (storage_key, due_at)
        select incoming_key, now() + interval '15 minutes' from kept
        on conflict do nothing
    )
    update files
       set status = 'ready', storage_key = kept.storage_key, mime_type = $3, sha256 = $4, width = $5, height = $6,
           duration_ms = $7, completed_at = now()
      from kept
     where files.id = kept.id
    returning files.*"
);

/// The copy goes as every copy that is not kept.
const REFUSE: &str = "
    with refused as (
        update files
           set status = 'failed', failure = $2, completed_at = now()
         where id = $1 and status = 'pending'
        returning *
    ), upload as (
        insert into object_removals (storage_key, due_at)
        select storage_key, now() + interval '15 minutes' from refused
        on conflict do nothing
    )
    select * from refused";

pub fn main() {
    serve(&ROUTE, complete_upload);
}

async fn complete_upload(context: Context, caller: FileUser, Path(id): Path<Uuid>) -> Result<Json<File>, Error> {
    let lookup = context.begin(&caller).await?;
    let file: File = lookup.one(FIND, &[&id]).await?;
    if file.status != FileStatus::Pending {
        lookup.commit_unaudited().await?;
        return file.outcome().map(Json);
    }
    let copy = kept_key(caller.company_id, id, context.new_id());
    lookup.defer(REMOVE_UNLESS_KEPT, parameters![copy.clone()]);
    lookup.commit_unaudited().await?;
    if !keep(&context, &file.storage_key, &copy).await? {
        return Err(NOT_UPLOADED.into());
    }
    let checked = check_copy(&context, &file, &copy).await?;
    record(&context, &caller, id, &copy, checked).await?.outcome().map(Json)
}

/// Writes the outcome, unless another request has meanwhile.
async fn record(
    context: &Context,
    caller: &Identity,
    id: Uuid,
    copy: &str,
    checked: Result<Checked, Problem>,
) -> Result<File, Error> {
    let transaction = context.begin(caller).await?;
    let recorded: Option<File> = match &checked {
        Ok(Checked { facts, sha256 }) => {
            let (width, height) = facts.size.unzip();
            let mime_type = facts.file_type.mime_type;
            transaction.first(COMPLETE, &[&id, &copy, &mime_type, sha256, &width, &height, &facts.duration_ms]).await?
        }
        Err(problem) => transaction.first(REFUSE, &[&id, &problem.code]).await?,
    };
    let file = match recorded {
        Some(file) => file,
        None => transaction.one(FIND, &[&id]).await?,
    };
    transaction.audit(format!("file:{id}"), &Value::Null, &json!({"status": file.status, "failure": file.failure}));
    transaction.commit_quietly().await?;
    Ok(file)
}
