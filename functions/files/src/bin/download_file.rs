//! GET /storage/download/{id} — redirects to a URL that works for five minutes.

use files::{File, FileUser, NOT_READY, REFUSED};
use shared::{
    files::{FileStatus, FileType, accepted, presigned_download},
    prelude::*,
};

const ROUTE: Route = Route::get("/storage/download/{id}").fails(&[NOT_READY, REFUSED]).needs(Privilege::Files);

const FIND: &str = "select * from files where id = $1";

#[derive(Deserialize, Validate, JsonSchema)]
struct Wish {
    /// To be shown in place rather than saved: pictures, audio, video and PDF only.
    #[serde(default)]
    #[garde(skip)]
    inline: bool,
}

pub fn main() {
    serve(&ROUTE, download_file);
}

async fn download_file(
    context: Context,
    caller: FileUser,
    Path(id): Path<Uuid>,
    Query(wish): Query<Wish>,
) -> Result<Redirect, Error> {
    let transaction = context.begin(&caller).await?;
    let file: File = transaction.one(FIND, &[&id]).await?;
    match file.status {
        FileStatus::Ready => {}
        FileStatus::Pending => return Err(NOT_READY.into()),
        FileStatus::Failed => return Err(REFUSED.into()),
    }
    let inline = wish.inline && accepted(&file.mime_type).is_some_and(FileType::is_shown_inline);
    let url = presigned_download(&context, &file.storage_key, &file.name, &file.mime_type, inline).await?;
    match caller {
        Either::First(_) => transaction.note_access(format!("file:{id}")),
        // What is their own, nobody has looked at.
        Either::Second(_) => {
            transaction.commit_unaudited().await?;
            return Ok(Redirect(url));
        }
    }
    transaction.commit(Redirect(url)).await
}
