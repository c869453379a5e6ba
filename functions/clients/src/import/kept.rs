//! Imports as they are kept: what each is, how far it came, and what it did to whom. Clients and leads have a table of them each, with the same
//! columns.

use jiff::SignedDuration;
use shared::{closed_set, prelude::*};

use super::{FileFault, RowError, mapping::Mapping};

/// How long an import may be undone.
pub const UNDOABLE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Errors of rows that are kept; all are counted.
pub const MOST_ERRORS: usize = 1_000;

pub const IMPORT_GOING: Problem =
    Problem::new(409, "import_going", "Esta importação ainda não terminou.", "This import has not ended yet.")
        .showing::<TableImport>();
pub const IMPORT_UNDONE: Problem =
    Problem::new(409, "import_undone", "Esta importação já foi desfeita.", "This import has been undone already.")
        .showing::<TableImport>();
pub const IMPORT_TOO_OLD: Problem =
    Problem::new(409, "import_too_old", "Uma importação pode ser desfeita por 30 dias.", "An import can be undone for 30 days.")
        .showing::<TableImport>();
pub const NOTHING_TO_UNDO: Problem = Problem::new(
    409,
    "nothing_to_undo",
    "Uma simulação não muda nada que se possa desfazer.",
    "A dry run changes nothing that could be undone.",
)
.showing::<TableImport>();

closed_set! {
    /// What becomes of a row of somebody who is there already.
    pub OnExisting { Skip = "skip", Update = "update", Create = "create" }
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

/// The columns of `ListedRow`, from a table of imports named `imports`.
#[macro_export]
macro_rules! listed_import_columns {
    () => {
        "imports.id, imports.file_id, imports.file_name, imports.started_by, imports.on_existing, imports.is_dry_run, imports.state, imports.fault,
         imports.made, imports.updated, imports.skipped, imports.failed, imports.error_count, imports.created_at, imports.finished_at,
         imports.undo_job_id, imports.undone_at, imports.removed, imports.restored, imports.kept"
    };
}

/// The columns of `ImportRow`, from a table of imports named `imports`.
#[macro_export]
macro_rules! import_columns {
    () => {
        concat!($crate::listed_import_columns!(), ", imports.mapping, imports.headers, imports.errors")
    };
}

/// What is said to one of the tables of imports.
#[derive(Debug)]
pub struct Statements {
    /// One of them.
    pub one: &'static str,
    /// The same, held: of two who undo it at once one does.
    pub held: &'static str,
    pub undo: &'static str,
    /// What the columns were said to be the last time that a file had these.
    pub mapped_before: &'static str,
    pub goes_on: &'static str,
    /// What its columns are.
    pub read_as: &'static str,
    /// What came of a page. Errors are kept as long as there are few.
    pub count: &'static str,
    pub end: &'static str,
    pub give_up: &'static str,
    /// Its undoing may be gone on with.
    pub stop_undo: &'static str,
    pub undone: &'static str,
}

/// The statements of the table of imports that is named.
#[macro_export]
macro_rules! import_statements {
    ($table:literal) => {
        $crate::import::kept::Statements {
            one: concat!("select ", $crate::import_columns!(), " from ", $table, " imports where id = $1"),
            held: concat!("select ", $crate::import_columns!(), " from ", $table, " imports where id = $1 for update"),
            undo: concat!("update ", $table, " set undo_job_id = $2, undone_by = app.user_id() where id = $1"),
            mapped_before: concat!(
                "select mapping from ",
                $table,
                " where headers = $1 and id <> $2 and mapping is not null and state = 'done' order by created_at desc, id desc limit 1"
            ),
            goes_on: concat!(
                "update ",
                $table,
                " set state = 'going', finished_at = null where id = $1 and state = 'failed' and undo_job_id is null"
            ),
            read_as: concat!("update ", $table, " set headers = $2, mapping = $3 where id = $1"),
            count: concat!(
                "update ",
                $table,
                " set made = made + $2, updated = updated + $3, skipped = skipped + $4, failed = failed + $5, errors = errors || $6::jsonb,
                      error_count = error_count + $7
                  where id = $1"
            ),
            end: concat!(
                "update ",
                $table,
                " imports set state = $2, fault = $3, finished_at = now() where id = $1 and finished_at is null returning ",
                $crate::import_columns!()
            ),
            give_up: concat!("update ", $table, " set state = 'failed', finished_at = now() where id = $1 and finished_at is null"),
            stop_undo: concat!("update ", $table, " imports set undo_job_id = null where id = $1 returning ", $crate::import_columns!()),
            undone: concat!("update ", $table, " imports set undone_at = now() where id = $1 returning ", $crate::import_columns!()),
        }
    };
}

impl ImportRow {
    /// What columns are, as it was said or guessed.
    #[must_use]
    pub fn mapping(&self) -> Option<Mapping> {
        self.mapping.as_ref().and_then(|mapping| serde_json::from_value(mapping.clone()).ok())
    }
}

impl ListedRow {
    /// Why it cannot be undone.
    #[must_use]
    pub fn refuses_undo(&self, now: Timestamp) -> Option<Problem> {
        let is_too_old = self.finished_at.is_some_and(|at| now.duration_since(at) >= UNDOABLE);
        match (self.state, self.undo_job_id) {
            _ if self.is_dry_run => Some(NOTHING_TO_UNDO),
            (ImportState::Going, _) => Some(IMPORT_GOING),
            (_, Some(_)) => Some(IMPORT_UNDONE),
            _ if is_too_old => Some(IMPORT_TOO_OLD),
            _ => None,
        }
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

/// What became of whom an import had to do with when it was undone.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ImportUndo {
    /// `GET /jobs/{id}` says how far it is.
    pub job_id: Uuid,
    pub undone_at: Option<Timestamp>,
    /// Whom it had made and who are gone again.
    pub removed: i32,
    /// Whom it had changed and who are as they were before.
    pub restored: i32,
    /// Who stay, wholly or in part, since somebody has changed or used them since.
    pub kept: i32,
}

/// Clients or leads that came in as a table, without what its file and its rows say.
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
    /// Who are new.
    pub made: i32,
    /// Who were there and have other values.
    pub updated: i32,
    /// Rows of those who stayed as they were.
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

/// Clients or leads that came in as a table.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TableImport {
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

impl From<ImportRow> for TableImport {
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
