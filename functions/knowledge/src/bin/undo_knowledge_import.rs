//! POST /knowledge/imports/{id}/undo — takes back what an import did, by its job's id, as a long job: what it made and nobody has changed since goes,
//! what it changed says again what it said before. What has been changed since stays as it is. While one of this import goes on, it is that one.

use futures_util::future::try_join;
use knowledge::import::undo::{IMPORT_GOING, IMPORT_UNDONE, NOTHING_TO_UNDO, UndoJob};
use shared::{
    error::NOT_FOUND,
    job_progress_columns,
    prelude::*,
    progress::{self, JobProgress},
};

const ROUTE: Route =
    Route::post("/knowledge/imports/{id}/undo").fails(&[NOT_FOUND, IMPORT_GOING, IMPORT_UNDONE, NOTHING_TO_UNDO]);

const IMPORT: &str =
    concat!("select ", job_progress_columns!(), " from job_progress where id = $1 and job_progress.kind = 'import_knowledge'");

const ROWS: &str = "
    select count(*) as written, count(*) filter (where not is_undone) as left_over from knowledge_import_rows where import_id = $1";

#[derive(FromRow)]
struct Rows {
    written: i64,
    left_over: i64,
}

pub fn main() {
    serve(&ROUTE, undo_knowledge_import);
}

async fn undo_knowledge_import(
    context: Context,
    caller: Supervisor,
    Path(id): Path<Uuid>,
) -> Result<Accepted<JobProgress>, Error> {
    let transaction = context.begin(&caller).await?;
    let (import, rows): (JobProgress, Rows) = try_join(transaction.one(IMPORT, &[&id]), transaction.one(ROWS, &[&id])).await?;
    let refusal = match rows {
        _ if import.finished_at.is_none() => Some(IMPORT_GOING),
        Rows { written: 0, .. } => Some(NOTHING_TO_UNDO),
        Rows { left_over: 0, .. } => Some(IMPORT_UNDONE),
        Rows { .. } => None,
    };
    if let Some(problem) = refusal {
        return Err(problem.with_current(&import));
    }
    let lane = format!("knowledge:{}", caller.company_id);
    let job = Job::new(&context, Queue::Knowledge, "undo_knowledge_import", lane, json!(UndoJob { import_id: id }));
    let progress = progress::start(&transaction, job, &id.to_string(), Some(rows.left_over)).await?;
    transaction.audit(id, &import, &json!({"undo_job_id": progress.id}));
    transaction.commit(Accepted(progress)).await
}
