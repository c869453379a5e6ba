//! Imports as they are kept: what each is, how far it came, and what it did to whom.

use jiff::SignedDuration;
use shared::{closed_set, prelude::*};

use super::{FileFault, RowError, mapping::Mapping};

/// How long an import may be undone.
pub const UNDOABLE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Errors of rows that are kept; all are counted.
pub const MOST_ERRORS: usize = 1_000;

pub const IMPORT_GOING: Problem =
    Problem::new(409, "import_going", "Esta importação ainda não terminou.", "This import has not ended yet.")
        .showing::<ClientImport>();
pub const IMPORT_UNDONE: Problem =
    Problem::new(409, "import_undone", "Esta importação já foi desfeita.", "This import has been undone already.")
        .showing::<ClientImport>();
pub const IMPORT_TOO_OLD: Problem =
    Problem::new(409, "import_too_old", "Uma importação pode ser desfeita por 30 dias.", "An import can be undone for 30 days.")
        .showing::<ClientImport>();
pub const NOTHING_TO_UNDO: Problem = Problem::new(
    409,
    "nothing_to_undo",
    "Uma simulação não muda nada que se possa desfazer.",
    "A dry run changes nothing that could be undone.",
)
.showing::<ClientImport>();

closed_set! {
    /// What becomes of a row whose client is there already.
    pub OnExisting { Skip = "skip", Update = "update" }
}

closed_set! {
    /// How far an import is.
    pub ImportState { Going = "going", Done = "done", Cancelled = "cancelled", Failed = "failed" }
}

/// An import as it is stored, without what its file and its rows say.
#[derive(Clone, Debug, FromRow)]
pub struct ListedRow {
    pub id: Uuid,
    pub file_id: Uuid,
    pub file_name: String,
    pub started_by: Option<Uuid>,
    pub on_existing: OnExisting,
    pub is_dry_run: bool,
    pub state: ImportState,
    pub fault: Option<FileFault>,
    pub made: i32,
    pub updated: i32,
    pub skipped: i32,
    pub failed: i32,
    pub error_count: i32,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub undo_job_id: Option<Uuid>,
    pub undone_at: Option<Timestamp>,
    pub removed: i32,
    pub restored: i32,
    pub kept: i32,
}

/// An import as it is stored.
#[derive(Clone, Debug, FromRow)]
pub struct ImportRow {
    #[from_row(flatten)]
    pub listed: ListedRow,
    pub mapping: Option<Value>,
    pub headers: Option<Vec<String>>,
    pub errors: Value,
}

/// The columns of `ListedRow`.
#[macro_export]
macro_rules! listed_import_columns {
    () => {
        "client_imports.id, client_imports.file_id, client_imports.file_name, client_imports.started_by, client_imports.on_existing,
         client_imports.is_dry_run, client_imports.state, client_imports.fault, client_imports.made, client_imports.updated,
         client_imports.skipped, client_imports.failed, client_imports.error_count, client_imports.created_at, client_imports.finished_at,
         client_imports.undo_job_id, client_imports.undone_at, client_imports.removed, client_imports.restored, client_imports.kept"
    };
}

/// The columns of `ImportRow`.
#[macro_export]
macro_rules! import_columns {
    () => {
        concat!($crate::listed_import_columns!(), ", client_imports.mapping, client_imports.headers, client_imports.errors")
    };
}

pub const IMPORT: &str = concat!("select ", import_columns!(), " from client_imports where client_imports.id = $1");

impl ImportRow {
    /// What columns are, as it was said or guessed.
    #[must_use]
    pub fn mapping(&self) -> Option<Mapping> {
        self.mapping.as_ref().and_then(|mapping| serde_json::from_value(mapping.clone()).ok())
    }
}

/// Why nothing of a file could be read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ImportProblem {
    pub code: FileFault,
    /// In Portuguese, as `message_en` is in English.
    pub message: String,
    pub message_en: String,
}

/// What became of clients when an import was undone.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ImportUndo {
    /// `GET /jobs/{id}` says how far it is.
    pub job_id: Uuid,
    pub undone_at: Option<Timestamp>,
    /// Clients it had made who are gone again.
    pub removed: i32,
    /// Clients it had changed who are as they were before.
    pub restored: i32,
    /// Clients who stay, wholly or in part, since somebody has changed or used them since.
    pub kept: i32,
}

/// Clients that came in as a table, without what its file and its rows say.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ListedImport {
    /// Its job's, too.
    pub id: Uuid,
    pub file_id: Uuid,
    pub file_name: String,
    pub started_by: Option<Uuid>,
    pub on_existing: OnExisting,
    /// Nothing was written: the counts say what would have been.
    pub dry_run: bool,
    pub state: ImportState,
    /// Why nothing of the file could be read.
    pub problem: Option<ImportProblem>,
    /// Clients that are new.
    pub made: i32,
    /// Clients that were there and have other values.
    pub updated: i32,
    /// Rows whose clients stayed as they were.
    pub skipped: i32,
    /// Rows that came to nothing.
    pub failed: i32,
    pub error_count: i32,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// Null where there is nothing to undo, or not any more.
    pub undoable_until: Option<Timestamp>,
    pub undo: Option<ImportUndo>,
}

/// Clients that came in as a table.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ClientImport {
    #[serde(flatten)]
    pub import: ListedImport,
    /// The file's columns; null until it was read.
    pub headers: Option<Vec<String>>,
    /// Of headers, what they are; guessed where nobody said it.
    pub mapping: Option<Mapping>,
    /// The first 1,000.
    #[schemars(with = "Vec<RowError>")]
    pub errors: Value,
}

impl From<ListedRow> for ListedImport {
    fn from(row: ListedRow) -> Self {
        let problem = row.fault.map(|code| {
            let (portuguese, english) = code.texts();
            ImportProblem { code, message: portuguese.to_owned(), message_en: english.to_owned() }
        });
        let has_changes = !row.is_dry_run && row.made + row.updated > 0 && row.undo_job_id.is_none();
        let undoable_until = row.finished_at.filter(|_| has_changes).and_then(|at| at.checked_add(UNDOABLE).ok());
        let undo = row.undo_job_id.map(|job_id| ImportUndo {
            job_id,
            undone_at: row.undone_at,
            removed: row.removed,
            restored: row.restored,
            kept: row.kept,
        });
        Self {
            id: row.id,
            file_id: row.file_id,
            file_name: row.file_name,
            started_by: row.started_by,
            on_existing: row.on_existing,
            dry_run: row.is_dry_run,
            state: row.state,
            problem,
            made: row.made,
            updated: row.updated,
            skipped: row.skipped,
            failed: row.failed,
            error_count: row.error_count,
            created_at: row.created_at,
            finished_at: row.finished_at,
            undoable_until,
            undo,
        }
    }
}

impl From<ImportRow> for ClientImport {
    fn from(row: ImportRow) -> Self {
        let mapping = row.mapping();
        Self { import: row.listed.into(), headers: row.headers, mapping, errors: row.errors }
    }
}

/// Clients have come in as a table, or gone again: lists are read anew.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClientsImported {
    pub import_id: Uuid,
    /// Clients that are new.
    pub made: i32,
    /// Clients with other values.
    pub updated: i32,
    /// Clients who are gone, since it was undone.
    pub removed: i32,
    /// Clients who are as they were before it.
    pub restored: i32,
}

event!(ClientsImported = "clients.imported");

impl From<&ImportRow> for ClientsImported {
    fn from(row: &ImportRow) -> Self {
        let ListedRow { id, made, updated, removed, restored, .. } = &row.listed;
        Self { import_id: *id, made: *made, updated: *updated, removed: *removed, restored: *restored }
    }
}
