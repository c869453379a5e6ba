//! GET /jobs/{id} — how far a long job has come, for who started it, for supervisors who may start another of its kind, and for admins.

use shared::{error::NOT_FOUND, job_progress_columns, prelude::*, progress::JobProgress};

const ROUTE: Route = Route::get("/jobs/{id}").fails(&[NOT_FOUND]);

const PROGRESS: &str = concat!("select ", job_progress_columns!(), " from job_progress where id = $1");

pub fn main() {
    serve(&ROUTE, get_job_progress);
}

async fn get_job_progress(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<JobProgress>, Error> {
    let transaction = context.begin(&caller).await?;
    transaction.one(PROGRESS, &[&id]).await.map(Json)
}
