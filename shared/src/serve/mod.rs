//! `main` of every function: start the process once, then answer events one at a time.

mod http;
mod messages;
mod schedule;
mod socket;
mod worker;

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

pub use http::serve;
pub use messages::serve_messages;
pub use schedule::serve_schedule;
pub use socket::{ConnectRequest, serve_action, serve_connect, serve_disconnect};
pub use worker::{Claimed, Outcome, serve_worker};

use crate::{
    aws::Aws,
    context::{Context, Origin, Process},
    log,
    settings::{Secrets, variable},
};

pub(crate) type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Whether this process has answered before.
static WARM: AtomicBool = AtomicBool::new(false);

fn is_cold() -> bool {
    !WARM.swap(true, Ordering::Relaxed)
}

/// Runs `work` on this process's single-threaded runtime until Lambda ends it.
fn run<W: Future<Output = Result<(), lambda_runtime::Error>>>(work: impl FnOnce(Arc<Process>) -> W) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let outcome = runtime.block_on(async {
        let process = start().await?;
        work(process).await
    });
    if let Err(error) = outcome {
        log::error("the function stopped", &error.to_string());
        std::process::exit(1);
    }
}

/// Reads the secrets and connects to Postgres, while Lambda gives the start its full processor.
async fn start() -> Result<Arc<Process>, lambda_runtime::Error> {
    let aws = Aws::from_environment();
    let secrets = Secrets::parse(&aws.parameter(&variable("SETTINGS_PARAM")).await?)?;
    let process = Arc::new(Process::new(secrets, aws));
    let context = Context::new(Arc::clone(&process), Origin::default());
    // A database that cannot be reached now may be when the first request comes.
    if let Err(error) = process.database.hold(&context).await {
        log::warn("not connected at start", error.cause().unwrap_or_default());
    }
    Ok(process)
}

/// The text of a panic's payload.
fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".to_owned())
}
