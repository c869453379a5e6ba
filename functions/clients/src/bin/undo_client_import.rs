//! POST /clients/imports/{id}/undo — takes back what an import did, as a long job: who was made by it and is nobody's since goes, who was changed by
//! it is as before where nobody has changed them since.

use clients::import::{
    kept::{
        ClientImport, IMPORT_GOING, IMPORT_TOO_OLD, IMPORT_UNDONE, ImportRow, ImportState, ListedRow, NOTHING_TO_UNDO, UNDOABLE,
    },
    run::ImportJob,
};
use clients::import_columns;
use futures_util::future::try_join;
use shared::{
    error::NOT_FOUND,
    prelude::*,
    progress::{self, JobProgress},
};

const ROUTE: Route = Route::post("/clients/imports/{id}/undo").or(&["/client-imports/{id}/undo"]).fails(&[
    NOT_FOUND,
    IMPORT_GOING,
    IMPORT_TOO_OLD,
    IMPORT_UNDONE,
    NOTHING_TO_UNDO,
]);

/// Of two who undo it at once one does.
const LOCKED: &str = concat!("select ", import_columns!(), " from client_imports where client_imports.id = $1 for update");

const UNDO: &str = "update client_imports set undo_job_id = $2, undone_by = app.user_id() where id = $1";

pub fn main() {
    serve(&ROUTE, undo_client_import);
}

async fn undo_client_import(context: Context, caller: Supervisor, Path(id): Path<Uuid>) -> Result<Accepted<JobProgress>, Error> {
    let transaction = context.begin(&caller).await?;
    let import: ImportRow = transaction.one(LOCKED, &[&id]).await?;
    let ListedRow { is_dry_run, state, finished_at, undo_job_id, made, updated, .. } = import.listed;
    let is_too_old = finished_at.is_some_and(|at| context.now().duration_since(at) >= UNDOABLE);
    let refusal = match (state, undo_job_id) {
        _ if is_dry_run => Some(NOTHING_TO_UNDO),
        (ImportState::Going, _) => Some(IMPORT_GOING),
        (_, Some(_)) => Some(IMPORT_UNDONE),
        _ if is_too_old => Some(IMPORT_TOO_OLD),
        _ => None,
    };
    let total = i64::from(made) + i64::from(updated);
    let import = ClientImport::from(import);
    if let Some(problem) = refusal {
        return Err(problem.with_current(&import));
    }
    let payload = json!(ImportJob { import_id: id });
    let job = Job::new(&context, Queue::Export, "undo_client_import", format!("clients:{}", caller.company_id), payload);
    let job_id = job.id;
    let key = id.to_string();
    let (_, progress) =
        try_join(transaction.execute(UNDO, &[&id, &job_id]), progress::start(&transaction, job, &key, Some(total))).await?;
    transaction.audit(id, &import, &json!({"undo_job_id": job_id}));
    transaction.commit(Accepted(progress)).await
}
