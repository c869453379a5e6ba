//! `main` of every function: start the process once, then answer events one at a time.

mod http;
mod messages;
mod queue;
mod report;
mod schedule;
mod socket;
mod worker;

use std::{
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

pub use http::serve;
pub use messages::serve_messages;
pub use schedule::serve_schedule;
pub use socket::{ConnectRequest, serve_action, serve_action_using, serve_connect, serve_disconnect};
pub use worker::{Claimed, Outcome, serve_worker};

use futures_util::{
    FutureExt,
    future::{BoxFuture, join},
};

use crate::{
    aws::Aws,
    context::{Context, Origin, Process},
    describe,
    error::{Error, INTERNAL},
    log,
    needs::Uses,
};

/// `main` of a program that is several functions: each by its own name. Ends with 2 when called by another.
pub fn called_by_name(functions: &[(&str, fn())]) {
    let name = describe::binary_name();
    if let Some((_, main)) = functions.iter().find(|(function, _)| *function == name) {
        return main();
    }
    let names: Vec<&str> = functions.iter().map(|(function, _)| *function).collect();
    log::error("called by a name that no function has", &format!("{name} is none of {}", names.join(", ")));
    std::process::exit(2);
}

pub(crate) type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Whether this process has answered before.
static WARM: AtomicBool = AtomicBool::new(false);

fn is_cold() -> bool {
    !WARM.swap(true, Ordering::Relaxed)
}

/// Runs `work` on this process's single-threaded runtime until Lambda ends it.
fn run<W: Future<Output = Result<(), lambda_runtime::Error>>>(uses: Uses, work: impl FnOnce(Arc<Process>) -> W) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let outcome = runtime.block_on(async {
        let process = Arc::new(Process::new(Aws::from_environment()));
        // What cannot be had now may be there when the first event comes.
        if let Err(error) = prepare(&process, uses).await {
            log::warn("not ready at start", error.cause().unwrap_or_default());
        }
        work(process).await
    });
    if let Err(error) = outcome {
        log::error("the function stopped", &error.to_string());
        std::process::exit(1);
    }
}

/// Reads the settings and connects to Postgres, while Lambda gives the start its full processor; makes beside it what needs neither.
fn prepare(process: &Arc<Process>, uses: Uses) -> BoxFuture<'_, Result<(), Error>> {
    Box::pin(async move {
        let context = Context::new(Arc::clone(process), Origin::default());
        let waiting = async {
            if uses != Uses::Nothing {
                context.configure().await?;
            }
            if uses == Uses::Database {
                context.database().await?.connect_early(context.trips()).await?;
            }
            Ok(())
        };
        // Most requests are counted there, and who waits for answers has time for it.
        let (prepared, _) = join(waiting, async { process.aws.dynamodb() }).await;
        prepared
    })
}

/// The outcome of work, a panic being an error like any other.
async fn unpanicked<T>(work: Work<Result<T, Error>>) -> Result<T, Error> {
    let outcome = AssertUnwindSafe(work).catch_unwind().await;
    outcome.unwrap_or_else(|payload| Err(INTERNAL.caused_by(panic_text(&*payload))))
}

/// The text of a panic's payload.
fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".to_owned())
}
