//! How an import begins, and its undoing.

use futures_util::future::try_join;
use shared::{
    error::{FieldProblem, refuse},
    files::{FileStatus, QUARANTINED},
    prelude::*,
    progress::{self, JobProgress},
};

use super::{
    FileFault,
    kept::{ImportRow, TableImport},
    run::{ImportJob, Incoming},
    table::LARGEST,
};

const FILE: &str = "select name, mime_type, size, status from files where id = $1 and status in ('quarantined', 'ready')";

#[derive(FromRow)]
struct File {
    name: String,
    mime_type: String,
    size: i64,
    status: FileStatus,
}

/// What tables are declared as. Which of them a file is, its content says.
const TYPES: [&str; 4] =
    ["text/csv", "text/plain", "application/vnd.ms-excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"];

/// The name of an uploaded file that may be a table.
///
/// # Errors
/// `QUARANTINED`, and 422 of `file_id` where it is none.
pub async fn offered(transaction: &Transaction, file_id: Uuid) -> Result<String, Error> {
    let file: Option<File> = transaction.first(FILE, &[&file_id]).await?;
    let problem = |code, (portuguese, english)| FieldProblem::new("file_id", code, portuguese, english);
    let unknown = ("Este arquivo não existe ou ainda não foi concluído.", "There is no such file, or it is not completed.");
    let problem = match file {
        None => problem("unknown_file", unknown),
        Some(file) if file.status == FileStatus::Quarantined => return Err(QUARANTINED.into()),
        Some(file) if !TYPES.contains(&file.mime_type.as_str()) => problem("not_a_table", FileFault::NotATable.texts()),
        Some(file) if file.size.unsigned_abs() > LARGEST => problem("too_large", FileFault::TooLarge.texts()),
        Some(file) => return Ok(file.name),
    };
    refuse([problem]).map(|()| String::new())
}

/// Begins to take back what an import did.
///
/// # Errors
/// 404, 409 with the import where it cannot be, and those of the database.
pub async fn undo<I: Incoming>(
    context: &Context,
    caller: &Supervisor,
    id: Uuid,
    (queue, kind, lane): (Queue, &'static str, &str),
) -> Result<Accepted<JobProgress>, Error> {
    let transaction = context.begin(caller).await?;
    let row: ImportRow = transaction.one(I::STATEMENTS.held, &[&id]).await?;
    let refusal = row.listed.refuses_undo(context.now());
    let total = i64::from(row.listed.made) + i64::from(row.listed.updated);
    let import = TableImport::from(row);
    if let Some(problem) = refusal {
        return Err(problem.with_current(&import));
    }
    let payload = json!(ImportJob { import_id: id });
    let job = Job::new(context, queue, kind, format!("{lane}:{}", caller.company_id), payload);
    let job_id = job.id;
    let key = id.to_string();
    let (_, progress) =
        try_join(transaction.execute(I::STATEMENTS.undo, &[&id, &job_id]), progress::start(&transaction, job, &key, Some(total)))
            .await?;
    transaction.audit(id, &import, &json!({"undo_job_id": job_id}));
    transaction.commit(Accepted(progress)).await
}
