//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/cancel_job.rs"]
mod cancel_job;
#[path = "bin/get_inbound_webhook.rs"]
mod get_inbound_webhook;
#[path = "bin/get_job_progress.rs"]
mod get_job_progress;
#[path = "bin/list_failed_jobs.rs"]
mod list_failed_jobs;
#[path = "bin/list_inbound_webhooks.rs"]
mod list_inbound_webhooks;
#[path = "bin/replay_inbound_webhook.rs"]
mod replay_inbound_webhook;
#[path = "bin/retry_failed_jobs.rs"]
mod retry_failed_jobs;
#[path = "bin/retry_job.rs"]
mod retry_job;
#[path = "bin/run_repair.rs"]
mod run_repair;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("cancel_job", cancel_job::main),
        ("get_inbound_webhook", get_inbound_webhook::main),
        ("get_job_progress", get_job_progress::main),
        ("list_failed_jobs", list_failed_jobs::main),
        ("list_inbound_webhooks", list_inbound_webhooks::main),
        ("replay_inbound_webhook", replay_inbound_webhook::main),
        ("retry_failed_jobs", retry_failed_jobs::main),
        ("retry_job", retry_job::main),
        ("run_repair", run_repair::main),
    ]);
}
