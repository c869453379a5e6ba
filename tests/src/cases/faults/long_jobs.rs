//! Long jobs whose worker dies.

use std::sync::Arc;

use serde_json::json;
use tests::{Stack, company::text, eventually};

use super::{kill, let_leases_pass};
use crate::cases::jobs::{company, failed_jobs, progress_when};

/// What a killed worker had counted it had done, and whoever comes after it does the rest.
pub async fn a_long_job_whose_worker_is_killed_goes_on_where_it_was(stack: Arc<Stack>) {
    let company = company(&stack).await;
    failed_jobs(&stack, &company, 6_000).await;
    let database = stack.database().await;
    let started = company.admin.api.post("/jobs/retry", json!({"kind": "deliver_message"})).await.expect(202);
    let done = "select done from job_progress where company_id = $1 and done > 0 and finished_at is null";
    eventually("a first page", || async { database.query_opt(done, &[&company.id]).await.expect("an answer") }).await;
    kill(&stack, "RunRepair").await;
    let_leases_pass(&stack, &company, "RepairQueue").await;
    let progress = progress_when(&company, text(&started["id"]), "done").await;
    assert_eq!((&progress["done"], &progress["total"]), (&json!(6_000), &json!(6_000)));
    let counts =
        "select count(*) filter (where failed), max(retries) from jobs where company_id = $1 and kind = 'deliver_message'";
    let row = database.query_one(counts, &[&company.id]).await.expect("counts");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i32>(1)), (0, 1));
    database
        .execute("delete from jobs where company_id = $1 and kind = 'deliver_message'", &[&company.id])
        .await
        .expect("out of the way");
}
