//! GET /storage/download/{id} — redirects to a URL that works for five minutes.

use files::{File, FileUser, MOST_PIXELS, NO_PREVIEW, NOT_READY, REFUSED};
use shared::{
    closed_set,
    files::{FileStatus, FileType, QUARANTINED, accepted, presigned_download},
    prelude::*,
};

const ROUTE: Route =
    Route::get("/storage/download/{id}").fails(&[NOT_READY, QUARANTINED, REFUSED, NO_PREVIEW]).needs(Privilege::Files);

const FIND: &str = "select * from files where id = $1";

#[derive(Deserialize, Validate, JsonSchema)]
struct Wish {
    /// To be shown in place rather than saved: pictures, audio, video and PDF only.
    #[serde(default)]
    #[garde(skip)]
    inline: bool,
    /// A smaller picture of a picture: of at most 320 or 1024 pixels. The picture itself where that is no larger, or nothing was made of it yet.
    #[garde(skip)]
    size: Option<PreviewSize>,
}

closed_set! {
    PreviewSize { Thumb = "thumb", Poster = "poster" }
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
        FileStatus::Quarantined => return Err(QUARANTINED.into()),
        FileStatus::Failed => return Err(REFUSED.into()),
    }
    let (key, name, mime_type) = shown(&file, wish.size)?;
    let inline = wish.inline && accepted(mime_type).is_some_and(FileType::is_shown_inline);
    let url = presigned_download(&context, key, &name, mime_type, inline).await?;
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

/// The object that is meant, its name and its type.
fn shown(file: &File, size: Option<PreviewSize>) -> Result<(&str, String, &str), Problem> {
    let smaller = match size {
        Some(PreviewSize::Thumb) => file.thumb_key.as_ref(),
        Some(PreviewSize::Poster) => file.poster_key.as_ref(),
        None => None,
    };
    if let (Some(key), Some(mime_type)) = (smaller, &file.preview_type) {
        let ending = if mime_type == "image/png" { "png" } else { "jpg" };
        let stem = file.name.rsplit_once('.').map_or(file.name.as_str(), |(stem, _)| stem);
        return Ok((key, format!("{stem}.{ending}"), mime_type));
    }
    let pixels = |(width, height): (i32, i32)| u64::from(width.unsigned_abs()) * u64::from(height.unsigned_abs());
    let is_picture = file.mime_type.starts_with("image/");
    let is_fit = is_picture && file.width.zip(file.height).is_some_and(|size| pixels(size) <= MOST_PIXELS);
    if size.is_some() && !is_fit { Err(NO_PREVIEW) } else { Ok((&file.storage_key, file.name.clone(), &file.mime_type)) }
}
