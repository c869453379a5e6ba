//! Worker of the follow-up queue — runs one step of an execution, its window checked again, and takes leads into sequences.

use followups::{
    enrol::ENROLL_LEADS,
    running::{give_up as give_up_execution, run},
    taking_in::take_in,
};
use shared::prelude::*;

pub fn main() {
    serve_worker(Queue::Followup, Privilege::Standard, run_sequence_step, give_up);
}

async fn run_sequence_step(context: Context, job: Claimed) -> Result<Outcome, Error> {
    match job.kind.as_str() {
        ENROLL_LEADS => take_in(&context, &job).await,
        _ => run(&context, &job).await,
    }
}

/// Who could not be taken in is found by the next look; what could not be done is said to have failed.
async fn give_up(job: Claimed, transaction: Transaction) -> Result<(), Error> {
    if job.kind != ENROLL_LEADS {
        give_up_execution(&job, &transaction).await?;
    }
    transaction.commit_quietly().await
}
