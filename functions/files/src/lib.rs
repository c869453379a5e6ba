//! Uploads and downloads: a row that says what was announced, an object in the bucket, and the proof that they agree.

use std::io::{Read, Seek};

use shared::{
    error::UNAVAILABLE,
    files::{self, Facts, FileStatus, Refusal},
    prelude::*,
};

pub const TYPE_MISMATCH: Problem = Problem::new(
    422,
    "type_mismatch",
    "O conteúdo do arquivo não é do tipo informado.",
    "The file's content is not of the type that was declared.",
);
pub const UNSAFE_CONTENT: Problem = Problem::new(
    422,
    "unsafe_content",
    "O arquivo contém macros ou programas, que não são aceitos.",
    "The file contains macros or programs, which are not accepted.",
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

pub const FILE_IN_USE: Problem =
    Problem::new(409, "file_in_use", "Este arquivo já foi usado.", "This file has been used already.");

/// Who files are for: the company's staff, who read those of its clients, and clients who sign in, who have their own.
pub type FileUser = Either<Staff, Student>;

/// A file as its readers see it.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct File {
    pub id: Uuid,
    pub conversation_id: Option<Uuid>,
    pub name: String,
    pub mime_type: String,
    /// Bytes.
    pub size: i64,
    pub status: FileStatus,
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
    /// What its completed upload answers, now and ever after.
    ///
    /// # Errors
    /// Why it was refused; 503 when it still waits to be checked.
    pub fn outcome(self) -> Result<Self, Error> {
        match self.status {
            FileStatus::Ready => Ok(self),
            FileStatus::Failed => Err(self.refusal().into()),
            FileStatus::Pending => Err(UNAVAILABLE.caused_by("the copy was removed while it was checked")),
        }
    }

    fn refusal(&self) -> Problem {
        let code = self.failure.as_deref();
        [SIZE_MISMATCH, UNSAFE_CONTENT].into_iter().find(|problem| code == Some(problem.code)).unwrap_or(TYPE_MISMATCH)
    }
}

/// A copy that is what was announced.
#[derive(Debug)]
pub struct Checked {
    pub facts: Facts,
    pub sha256: Vec<u8>,
}

/// Looks at the copy of a pending file: what it is, or why it is refused.
///
/// # Errors
/// 503 when S3 does not answer.
pub async fn check_copy(context: &Context, file: &File, kept_key: &str) -> Result<Result<Checked, Problem>, Error> {
    let announced = file.size.unsigned_abs();
    let mut copy = files::fetch(context, kept_key, announced).await?.ok_or(UNAVAILABLE)?;
    if copy.size != announced {
        return Ok(Err(SIZE_MISMATCH));
    }
    let facts = judge(&mut copy.content, copy.size, &file.mime_type);
    Ok(facts.map(|facts| Checked { facts, sha256: copy.sha256 }))
}

/// What a file of `size` bytes is, given what was declared.
fn judge<R: Read + Seek>(content: &mut R, size: u64, declared: &str) -> Result<Facts, Problem> {
    let facts = files::examine(content, declared).map_err(|refusal| match refusal {
        Refusal::OtherType => TYPE_MISMATCH,
        Refusal::Programs => UNSAFE_CONTENT,
    })?;
    if size > facts.file_type.kind.largest() { Err(TYPE_MISMATCH) } else { Ok(facts) }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn judged(bytes: &[u8], size: u64, declared: &str) -> Result<Facts, Problem> {
        judge(&mut Cursor::new(bytes), size, declared)
    }

    #[test]
    fn a_picture_is_measured_and_its_own_type_kept() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\0\x80\x08\x06\0\0\0";
        let facts = judged(png, 29, "image/jpeg").unwrap();
        assert_eq!((facts.file_type.mime_type, facts.size), ("image/png", Some((256, 128))));
    }

    #[test]
    fn a_sticker_is_not_let_in_as_a_larger_picture() {
        let webp = b"RIFF\0\0\0\0WEBPVP8 ";
        assert_eq!(judged(webp, 500 * 1024, "image/png").unwrap().file_type.mime_type, "image/webp");
        assert_eq!(judged(webp, 4_000_000, "image/png").unwrap_err(), TYPE_MISMATCH);
    }

    #[test]
    fn a_program_named_as_a_picture_is_refused() {
        assert_eq!(judged(b"MZ\x90\0\x03\0\0\0", 8, "image/png").unwrap_err(), TYPE_MISMATCH);
    }
}
