//! Worker of the repair queue — has failed jobs done again, page by page, until there are no more or nobody wants it.

use std::time::Duration;

use jobs::repair::{RetryFailedJobs, retry_page, send};
use shared::{
    prelude::*,
    progress::{Ending, Progress, Step},
};

pub fn main() {
    serve_worker(Queue::Repair, Privilege::Standard, run_repair, give_up);
}

async fn run_repair(context: Context, job: Claimed) -> Result<Outcome, Error> {
    let RetryFailedJobs { kind } = job.read()?;
    let Some(mut progress) = Progress::begin(&context, job.company_id, job.id).await? else {
        return Ok(Outcome::Failed { reason: "nobody watches it".to_owned() });
    };
    loop {
        let transaction = context.begin_system(job.company_id).await?;
        let is_cancelled = progress.is_cancelled();
        let page = if is_cancelled { Vec::new() } else { retry_page(&transaction, &kind, progress.row.created_at).await? };
        if page.is_empty() {
            let ending = if is_cancelled { Ending::Cancelled } else { Ending::Done };
            let result = json!({"retried": progress.row.done});
            progress.finish(&transaction, ending, &result).await?;
            job.finish(&transaction);
            transaction.commit_quietly().await?;
            return Ok(Outcome::Done);
        }
        let step = progress.advance(&transaction, page.len(), 0, ()).await?;
        transaction.commit_quietly().await?;
        send(&context, &page).await?;
        if step == Step::Pause {
            return Ok(Outcome::Hold { after: Duration::from_secs(1) });
        }
    }
}

/// Whoever watches it is told by the shell.
async fn give_up(_: Claimed, transaction: Transaction) -> Result<(), Error> {
    transaction.commit_quietly().await
}
