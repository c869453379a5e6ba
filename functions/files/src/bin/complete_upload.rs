//! POST /storage/{id}/complete — checks what was uploaded against what was announced. Doing it again answers the same.
//!
//! Where the stage has a virus scanner, the file is `quarantined` until that has judged it: `file.checked` tells, and so does doing this again.

use files::{
    FIND_OWN, File, FileUser, INFECTED, NO_VOICE_NOTE, NOT_UPLOADED, SIZE_MISMATCH, TYPE_MISMATCH, UNSAFE_CONTENT, check_copy,
    record,
};
use shared::{
    files::{FileStatus, REMOVE_UNLESS_KEPT, keep, kept_key, put},
    parameters,
    prelude::*,
};

const ROUTE: Route = Route::post("/storage/{id}/complete")
    .fails(&[INFECTED, NOT_UPLOADED, SIZE_MISMATCH, TYPE_MISMATCH, UNSAFE_CONTENT, NO_VOICE_NOTE])
    .needs(Privilege::Files);

reads!(VIRUS_SCAN_URL);

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
    // Where it is kept, and where what is made of a browser's recording is kept in its place.
    let [copy, instead] = [(); 2].map(|()| kept_key(caller.company_id, id, context.new_id()));
    lookup.defer(REMOVE_UNLESS_KEPT, parameters![copy.clone()]);
    if file.mime_type == "audio/webm" {
        lookup.defer(REMOVE_UNLESS_KEPT, parameters![instead.clone()]);
    }
    lookup.commit_unaudited().await?;
    if !keep(&context, &file.storage_key, &copy).await? {
        return Err(NOT_UPLOADED.into());
    }
    let mut checked = check_copy(&context, &file, &copy).await?;
    let made = checked.as_mut().ok().and_then(|checked| checked.instead.take());
    let kept = if made.is_some() { &instead } else { &copy };
    if let Some(made) = made {
        put(&context, kept, "application/octet-stream", made).await?;
    }
    record(&context, &caller, id, kept, checked).await?.outcome().map(Json)
}
