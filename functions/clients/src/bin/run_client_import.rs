//! Worker of the export queue — makes clients of a table's rows, page by page, and takes back what an import did.

use clients::import::{page::Clients, run};
use shared::prelude::*;

pub fn main() {
    serve_worker(Queue::Export, Privilege::Files, run_client_import, give_up);
}

async fn run_client_import(context: Context, job: Claimed) -> Result<Outcome, Error> {
    match job.kind.as_str() {
        "import_clients" => run::import::<Clients>(context, job).await,
        "undo_client_import" => run::undo::<Clients>(context, job).await,
        kind => Ok(Outcome::Failed { reason: format!("no kind of this worker: {kind}") }),
    }
}

/// Whoever watches it is told by the shell.
async fn give_up(job: Claimed, transaction: Transaction) -> Result<(), Error> {
    match job.kind.as_str() {
        "import_clients" => run::give_up::<Clients>(&job, &transaction).await?,
        _ => run::give_up_undo::<Clients>(&job, &transaction).await?,
    }
    transaction.commit_quietly().await
}
