//! Uploads and downloads: a row that says what was announced, an object in the bucket, and the proof that they agree.

use shared::{
    files::{self, Kind},
    prelude::*,
};

pub const TYPE_MISMATCH: Problem = Problem::new(
    422,
    "type_mismatch",
    "O conteúdo do arquivo não é do tipo informado.",
    "The file's content is not of the type that was declared.",
);
pub const SIZE_MISMATCH: Problem = Problem::new(
    422,
    "size_mismatch",
    "O arquivo enviado não tem o tamanho informado.",
    "The file that was uploaded is not of the size that was declared.",
);
pub const NOT_UPLOADED: Problem =
    Problem::new(409, "not_uploaded", "O arquivo ainda não foi enviado.", "The file has not been uploaded yet.");
pub const NOT_READY: Problem =
    Problem::new(409, "not_ready", "O envio do arquivo ainda não foi concluído.", "The upload has not been completed yet.");
pub const REFUSED: Problem =
    Problem::new(410, "file_refused", "O arquivo foi recusado e removido.", "The file was refused and removed.");

/// A file as its readers see it.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct File {
    pub id: Uuid,
    pub conversation_id: Option<Uuid>,
    pub name: String,
    pub mime_type: String,
    /// Bytes.
    pub size: i64,
    /// `pending`, `ready` or `failed`.
    pub status: String,
    /// Pixels, of pictures.
    pub width: Option<i32>,
    pub height: Option<i32>,
    /// Milliseconds, of recordings.
    pub duration_ms: Option<i32>,
    pub created_at: Timestamp,
    #[serde(skip)]
    pub storage_key: String,
    #[serde(skip)]
    pub failure: Option<String>,
}

impl File {
    /// Why it was refused.
    pub fn refusal(&self) -> Problem {
        if self.failure.as_deref() == Some(SIZE_MISMATCH.code) { SIZE_MISMATCH } else { TYPE_MISMATCH }
    }
}

/// What an uploaded object turned out to be.
#[derive(Debug)]
pub struct Facts {
    pub mime_type: &'static str,
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub duration_ms: Option<i32>,
}

/// Looks at the object of a pending file: what it is, or why it is refused. Recordings are read whole, for their duration.
///
/// # Errors
/// `not_uploaded` without an object; 503 when S3 does not answer.
pub async fn inspect(context: &Context, file: &File) -> Result<Result<Facts, Problem>, Error> {
    let head = files::head(context, &file.storage_key).await?.ok_or(NOT_UPLOADED)?;
    if i64::try_from(head.size) != Ok(file.size) {
        return Ok(Err(SIZE_MISMATCH));
    }
    let is_audio = files::accepted(&file.mime_type).is_some_and(|known| known.kind == Kind::Audio);
    let bytes = if is_audio {
        files::get(context, &file.storage_key).await?
    } else {
        files::get_prefix(context, &file.storage_key, files::PREFIX).await?
    };
    Ok(judge(&bytes.ok_or(NOT_UPLOADED)?, head.size, &file.mime_type))
}

/// What a file of `size` bytes that begins with these is, given what was declared.
pub fn judge(bytes: &[u8], size: u64, declared: &str) -> Result<Facts, Problem> {
    let found = files::sniff(bytes, declared).ok_or(TYPE_MISMATCH)?;
    if size > found.kind.largest() {
        return Err(TYPE_MISMATCH);
    }
    let is_image = matches!(found.kind, Kind::Image | Kind::Sticker);
    let (width, height) = files::image_size(bytes).filter(|_| is_image).unzip();
    let duration = files::audio_duration(bytes).filter(|_| found.kind == Kind::Audio);
    let duration_ms = duration.and_then(|duration| i32::try_from(duration.as_millis()).ok());
    Ok(Facts { mime_type: found.mime_type, width, height, duration_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_measured_and_its_own_type_kept() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\0\x80\x08\x06\0\0\0";
        let facts = judge(png, 29, "image/jpeg").unwrap();
        assert_eq!((facts.mime_type, facts.width, facts.height), ("image/png", Some(256), Some(128)));
    }

    #[test]
    fn a_sticker_is_not_let_in_as_a_larger_picture() {
        let webp = b"RIFF\0\0\0\0WEBPVP8 ";
        assert_eq!(judge(webp, 500 * 1024, "image/png").unwrap().mime_type, "image/webp");
        assert_eq!(judge(webp, 4_000_000, "image/png").unwrap_err(), TYPE_MISMATCH);
    }

    #[test]
    fn a_program_named_as_a_picture_is_refused() {
        assert_eq!(judge(b"MZ\x90\0\x03\0\0\0", 8, "image/png").unwrap_err(), TYPE_MISMATCH);
    }
}
