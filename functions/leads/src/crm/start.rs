//! The jobs by which leads and the CRM are kept alike: one at a time for a company.

use shared::{
    prelude::*,
    progress::{self, JobProgress},
};

/// The kind of job that keeps them alike, which people watch.
pub const SYNC: &str = "sync_crm";

/// The kind of job that begins the next one.
pub const POLL: &str = "poll_crm";

const KEY: &str = "crm";

/// What the job says.
#[derive(Debug, Serialize, Deserialize)]
pub struct SyncCrm {
    /// Somebody wants it, so that what was refused before is tried once more.
    pub is_asked_for: bool,
}

/// Begins one, or answers the one that goes on.
///
/// # Errors
/// Those of the database.
pub async fn begin(
    context: &Context,
    transaction: &Transaction,
    company_id: Uuid,
    is_asked_for: bool,
) -> Result<JobProgress, Error> {
    let job = Job::new(context, Queue::Crm, SYNC, format!("crm:{company_id}"), json!(SyncCrm { is_asked_for }));
    progress::start(transaction, job, KEY, None).await
}

/// Has one begun at that time; `None` is as soon as the one before has ended.
pub fn begin_later(context: &Context, transaction: &Transaction, company_id: Uuid, at: Option<Timestamp>) {
    let job = Job::new(context, Queue::Crm, POLL, format!("crm:next:{company_id}"), json!({}));
    transaction.enqueue(match at {
        Some(time) => job.at(time).unless_waiting(KEY),
        None => job.unless_waiting("now"),
    });
}
