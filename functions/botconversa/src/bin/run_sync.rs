//! Worker of the sync queue — keeps subscribers of BotConversa and clients alike, and shows there how conversations stand.

use botconversa::{shown, sync};
use shared::prelude::*;

reads!(BOTCONVERSA_URL, LIMITS_TABLE);

pub fn main() {
    serve_worker(Queue::Sync, Privilege::Standard, run_sync, give_up);
}

async fn run_sync(context: Context, job: Claimed) -> Result<Outcome, Error> {
    match job.kind.as_str() {
        "sync_botconversa" => sync::run(context, job).await,
        "show_conversation" => shown::show(&context, &job).await,
        kind => Ok(Outcome::Failed { reason: format!("no kind of this worker: {kind}") }),
    }
}

/// Whoever watches it is told by the shell.
async fn give_up(_: Claimed, transaction: Transaction) -> Result<(), Error> {
    transaction.commit_quietly().await
}
