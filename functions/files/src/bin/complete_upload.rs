//! POST /storage/{id}/complete — checks what was uploaded against what was announced. Doing it again answers the same.

use files::{FIND_OWN, File, FileUser, NOT_UPLOADED, SIZE_MISMATCH, TYPE_MISMATCH, UNSAFE_CONTENT, check_copy, record};
use shared::{
    files::{FileStatus, REMOVE_UNLESS_KEPT, keep, kept_key},
    parameters,
    prelude::*,
};

const ROUTE: Route = Route::post("/storage/{id}/complete")
    .fails(&[NOT_UPLOADED, SIZE_MISMATCH, TYPE_MISMATCH, UNSAFE_CONTENT])
    .needs(Privilege::Files);

pub fn main() {
    serve(&ROUTE, complete_upload);
}

async fn complete_upload(context: Context, caller: FileUser, Path(id): Path<Uuid>) -> Result<Json<File>, Error> {
    let lookup = context.begin(&caller).await?;
    let file: File = lookup.one(FIND_OWN, &[&id]).await?;
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
