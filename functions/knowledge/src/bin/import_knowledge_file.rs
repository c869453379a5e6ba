//! Worker of the knowledge queue — makes articles of files and pages, takes that back, and looks for what could be better about those that there are.

use knowledge::{
    import::{run, undo},
    optimise::optimise,
};
use shared::prelude::*;

reads!(REACHABLE_INSIDE);

pub fn main() {
    serve_worker(Queue::Knowledge, Privilege::Files, import_knowledge_file, give_up);
}

async fn import_knowledge_file(context: Context, job: Claimed) -> Result<Outcome, Error> {
    match job.kind.as_str() {
        "import_knowledge" => run::import(context, job).await,
        "undo_knowledge_import" => undo::undo(context, job).await,
        "optimize_knowledge" => optimise(context, job).await,
        kind => Ok(Outcome::Failed { reason: format!("no kind of this worker: {kind}") }),
    }
}

/// Whoever watches it is told by the shell.
async fn give_up(_: Claimed, transaction: Transaction) -> Result<(), Error> {
    transaction.commit_quietly().await
}
