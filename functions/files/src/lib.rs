//! Uploads and downloads: a row that says what was announced, an object in the bucket, and the proof that they agree.

mod client_files;
mod completion;
mod pictures;
mod scanning;
mod sound;
mod telling;

use shared::{
    closed_set,
    error::{FieldProblem, UNAVAILABLE},
    files::{FileStatus, FileType, accepted},
    prelude::*,
    text::has_hidden_characters,
};

pub use client_files::{ClientFile, ClientFileAdded};
pub use completion::{ANNOUNCE, Checked, FIND_OWN, check_copy, judge, record, voice_note};
pub use pictures::{MOST_PIXELS, Pictures, pictures};
pub use scanning::{FileChecked, scan_file};
pub use sound::waveform;
pub use telling::tell_messages;

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
pub const NO_VOICE_NOTE: Problem = Problem::new(
    422,
    "no_voice_note",
    "Esta gravação não pode ser enviada: grave em Opus.",
    "This recording cannot be sent: record in Opus.",
);
pub const INFECTED: Problem =
    Problem::new(422, "infected", "O arquivo contém um vírus e foi removido.", "The file contains a virus and was removed.");
pub const NO_PREVIEW: Problem =
    Problem::new(409, "no_preview", "Este arquivo não tem miniatura.", "This file has no smaller picture.");
pub const NOT_UPLOADED: Problem =
    Problem::new(409, "not_uploaded", "O arquivo ainda não foi enviado.", "The file has not been uploaded yet.");
pub const NOT_READY: Problem =
    Problem::new(409, "not_ready", "O envio do arquivo ainda não foi concluído.", "The upload has not been completed yet.");
pub const REFUSED: Problem =
    Problem::new(410, "file_refused", "O arquivo foi recusado e removido.", "The file was refused and removed.");

pub const FILE_IN_USE: Problem =
    Problem::new(409, "file_in_use", "Este arquivo já foi usado.", "This file has been used already.");
pub const FILE_IN_FLOW: Problem = Problem::new(
    409,
    "file_in_flow",
    "Um fluxo publicado do robô envia este arquivo. Publique o fluxo sem ele primeiro.",
    "A published flow of the bot sends this file. Publish the flow without it first.",
)
.showing::<FlowOfFile>();

/// A published flow that sends a file.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct FlowOfFile {
    pub key: String,
    pub name: String,
}

pub const TYPE_NOT_ACCEPTED: Problem =
    Problem::new(415, "unsupported_media_type", "Este tipo de arquivo não é aceito.", "This type of file is not accepted.");

closed_set! {
    /// What a file is for: to be sent, a picture of somebody, a document of a client.
    #[derive(Default)]
    pub Purpose { #[default] Message = "message", Avatar = "avatar", Document = "document" }
}

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
    pub purpose: Purpose,
    /// Pixels, of pictures and videos.
    pub width: Option<i32>,
    pub height: Option<i32>,
    /// Milliseconds, of recordings and videos.
    pub duration_ms: Option<i32>,
    /// 64 peaks from 0 to 100 for the loudest, of voice notes that were prepared.
    pub waveform: Option<Vec<i16>>,
    /// Why there is none, of a `failed` one: `infected`, or another code.
    pub failure: Option<String>,
    pub created_at: Timestamp,
    #[serde(skip)]
    pub storage_key: String,
    #[serde(skip)]
    pub thumb_key: Option<String>,
    #[serde(skip)]
    pub poster_key: Option<String>,
    #[serde(skip)]
    pub preview_type: Option<String>,
}

impl File {
    /// What its completed upload answers, now and ever after.
    ///
    /// # Errors
    /// Why it was refused; 503 when it still waits to be checked.
    pub fn outcome(self) -> Result<Self, Error> {
        match self.status {
            FileStatus::Quarantined | FileStatus::Ready => Ok(self),
            FileStatus::Failed => Err(self.refusal().into()),
            FileStatus::Pending => Err(UNAVAILABLE.caused_by("the copy was removed while it was checked")),
        }
    }

    fn refusal(&self) -> Problem {
        let code = self.failure.as_deref();
        [INFECTED, SIZE_MISMATCH, UNSAFE_CONTENT, NO_VOICE_NOTE]
            .into_iter()
            .find(|problem| code == Some(problem.code))
            .unwrap_or(TYPE_MISMATCH)
    }
}

/// What speaks against a name that was given for a file of this type, which is `clean` by now.
#[must_use]
pub fn name_problems(known: &FileType, given: &str, clean: &str) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    if !known.takes_name(clean) {
        let endings = known.extensions().join(", ");
        let portuguese = format!("O nome de um arquivo deste tipo termina em: {endings}.");
        let english = format!("The name of a file of this type ends in: {endings}.");
        problems.push(FieldProblem::new("name", "not_allowed", &portuguese, &english));
    }
    if has_hidden_characters(given) {
        let (portuguese, english) = ("Contém caracteres invisíveis.", "Contains invisible characters.");
        problems.push(FieldProblem::new("name", "hidden_characters", portuguese, english));
    }
    problems
}

/// A picture of somebody is a picture.
#[must_use]
pub fn purpose_problem(purpose: Purpose, known: &FileType) -> Option<FieldProblem> {
    let is_fine = purpose != Purpose::Avatar || known.is_picture();
    (!is_fine).then(|| FieldProblem::new("purpose", "no_picture", "O arquivo não é uma imagem.", "The file is not a picture."))
}

/// The type that a file is taken for: as it was declared, or by its name where nothing says more than that there are bytes.
///
/// # Errors
/// When it is none that is accepted.
pub fn declared_type(mime_type: Option<&str>, name: &str, content: &[u8]) -> Result<&'static FileType, Problem> {
    let bare = mime_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if bare.is_empty() || bare.eq_ignore_ascii_case("application/octet-stream") {
        return FileType::of_name(name).or_else(|| FileType::of_start(content)).ok_or(TYPE_MISMATCH);
    }
    accepted(bare).ok_or(TYPE_NOT_ACCEPTED)
}
