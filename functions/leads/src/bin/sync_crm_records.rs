//! Worker of the CRM queue — keeps leads alike with records of HubSpot, Pipedrive or a REST CRM, a page at a time.

use leads::crm::{
    start::{POLL, SYNC},
    sync,
};
use shared::prelude::*;

reads!(HUBSPOT_URL, PIPEDRIVE_URL, REACHABLE_INSIDE);

pub fn main() {
    serve_worker(Queue::Crm, Privilege::Standard, sync_crm_records, give_up);
}

async fn sync_crm_records(context: Context, job: Claimed) -> Result<Outcome, Error> {
    match job.kind.as_str() {
        SYNC => sync::run(context, job).await,
        POLL => sync::poll(&context, &job).await,
        kind => Ok(Outcome::Failed { reason: format!("no kind of this worker: {kind}") }),
    }
}

/// Whoever watches it is told by the shell.
async fn give_up(job: Claimed, transaction: Transaction) -> Result<(), Error> {
    sync::given_up(&job, &transaction);
    transaction.commit_quietly().await
}
