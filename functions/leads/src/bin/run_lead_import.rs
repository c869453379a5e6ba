//! Worker of the queue of leads that come in — makes leads of a table's rows, page by page, and takes back what an import did.

use clients::import::run;
use leads::import::ImportedLeads;
use shared::prelude::*;

pub fn main() {
    serve_worker(Queue::Leads, Privilege::Files, run_lead_import, give_up);
}

async fn run_lead_import(context: Context, job: Claimed) -> Result<Outcome, Error> {
    match job.kind.as_str() {
        "import_leads" => run::import::<ImportedLeads>(context, job).await,
        "undo_lead_import" => run::undo::<ImportedLeads>(context, job).await,
        kind => Ok(Outcome::Failed { reason: format!("no kind of this worker: {kind}") }),
    }
}

/// Whoever watches it is told by the shell.
async fn give_up(job: Claimed, transaction: Transaction) -> Result<(), Error> {
    match job.kind.as_str() {
        "import_leads" => run::give_up::<ImportedLeads>(&job, &transaction).await?,
        _ => run::give_up_undo::<ImportedLeads>(&job, &transaction).await?,
    }
    transaction.commit_quietly().await
}
