//! Scores of all leads, made anew as a long job.

use shared::{
    prelude::*,
    progress::{self, JobProgress},
};

pub const RECOMPUTE_SCORES: &str = "recompute_scores";

/// By which rules, at least.
#[derive(Serialize, Deserialize)]
pub struct RecomputeScores {
    pub version: i32,
}

/// Has all open leads scored by these rules or newer ones. While that goes on for a version, it is that one.
///
/// # Errors
/// Those of the database.
pub async fn recompute(context: &Context, transaction: &Transaction, company_id: Uuid, version: i32) -> Result<JobProgress, Error> {
    let payload = json!(RecomputeScores { version });
    let job = Job::new(context, Queue::Scores, RECOMPUTE_SCORES, format!("scores:{company_id}"), payload);
    progress::start(transaction, job, &version.to_string(), None).await
}
