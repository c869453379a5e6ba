//! Worker of the stages queue — does what a lead sets off that has entered a stage.

use pipelines::{give_up_entry, run_entry};
use shared::prelude::*;

pub fn main() {
    serve_worker(Queue::Stages, Privilege::Standard, run_stage_automation, give_up);
}

async fn run_stage_automation(context: Context, job: Claimed) -> Result<Outcome, Error> {
    run_entry(&context, &job).await
}

/// What was not done says so in the lead's history.
async fn give_up(job: Claimed, transaction: Transaction) -> Result<(), Error> {
    give_up_entry(&job, &transaction).await?;
    transaction.commit_quietly().await
}
