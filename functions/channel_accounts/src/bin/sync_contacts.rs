//! Worker of the contacts queue — gives people on a channel their names, page by page.

use channel_accounts::contacts::run;
use shared::prelude::*;

reads!(REACHABLE_INSIDE);

pub fn main() {
    serve_worker(Queue::Contacts, Privilege::Standard, sync_contacts, give_up);
}

async fn sync_contacts(context: Context, job: Claimed) -> Result<Outcome, Error> {
    run::run(context, job).await
}

/// Whoever watches it is told by the shell.
async fn give_up(_: Claimed, transaction: Transaction) -> Result<(), Error> {
    transaction.commit_quietly().await
}
