//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/dispatch_due_jobs.rs"]
mod dispatch_due_jobs;
#[path = "bin/get_openapi.rs"]
mod get_openapi;
#[path = "bin/health.rs"]
mod health;
#[path = "bin/reseal_secrets.rs"]
mod reseal_secrets;
#[path = "bin/send_email.rs"]
mod send_email;
#[path = "bin/start_timed_jobs.rs"]
mod start_timed_jobs;
#[path = "bin/sweep_expired.rs"]
mod sweep_expired;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("dispatch_due_jobs", dispatch_due_jobs::main),
        ("get_openapi", get_openapi::main),
        ("health", health::main),
        ("reseal_secrets", reseal_secrets::main),
        ("send_email", send_email::main),
        ("start_timed_jobs", start_timed_jobs::main),
        ("sweep_expired", sweep_expired::main),
    ]);
}
