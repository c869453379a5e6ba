//! The shell around a worker whose messages are no jobs: one that gets lost costs nothing, and one that comes twice does nothing twice.

use std::{future::Future, sync::Arc};

use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use super::{Uses, Work, is_cold, run};
use crate::{
    context::{Context, Origin},
    describe,
    error::Error,
    http::Privilege,
    jobs::Queue,
    log,
};

/// Messages a worker gets at once, at most.
const BATCH: u32 = 10;

/// Serves a queue, some messages at once, in order. Those that the handler fails with are lost: later ones must not wait for them.
pub fn serve_messages<M, H, F>(queue: Queue, privilege: Privilege, handler: H)
where
    M: DeserializeOwned,
    H: Fn(Context, Vec<M>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let read = |bodies: Vec<String>| bodies.iter().filter_map(|body| serde_json::from_str(body).ok()).collect();
    serve_boxed(queue, privilege, Arc::new(move |context, bodies| Box::pin(handler(context, read(bodies)))));
}

type Handle = Arc<dyn Fn(Context, Vec<String>) -> Work<Result<(), Error>> + Send + Sync>;

#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    body: String,
}

fn serve_boxed(queue: Queue, privilege: Privilege, handler: Handle) {
    let name = describe::binary_name();
    if describe::is_asked() {
        let privilege = describe::privilege(privilege);
        println!("{}", describe::other(json!({"trigger": "queue", "queue": queue, "batch": BATCH, "privilege": privilege})));
        return;
    }
    run(Uses::Database, |process| {
        lambda_runtime::run(service_fn(move |event: LambdaEvent<Batch>| {
            let (process, handler, function) = (Arc::clone(&process), Arc::clone(&handler), name.clone());
            async move {
                let cold = is_cold();
                let origin = Origin { request_id: event.context.request_id, function, ..Origin::default() };
                let context = Context::new(Arc::clone(&process), origin);
                let bodies = event.payload.records.into_iter().map(|record| record.body).collect();
                let outcome = handler(context.clone(), bodies).await;
                context.settle().await;
                let status = if outcome.is_ok() { "200" } else { "503" };
                log::finished(&context, "messages", status, cold, outcome.as_ref().err().and_then(Error::cause));
                Ok::<_, lambda_runtime::Error>(json!({}))
            }
        }))
    });
}
