//! The shell around a worker whose messages are no jobs: one that gets lost costs little, and one that comes twice does nothing twice.

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::future::join_all;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    Work, is_cold,
    queue::{Batch, Record, time_left},
    report, run, unpanicked,
};
use crate::{
    context::{Context, Origin, Process},
    describe,
    error::{Error, UNAVAILABLE},
    jobs::Queue,
    log,
    needs::{Privilege, Uses},
};

/// Messages a worker gets at once, at most.
const BATCH: u32 = 10;

/// Times a message is handed to the worker; after that it is lost, so that later ones of its group need not wait for ever.
const MOST_RECEIVES: u32 = 3;

/// Left of the function's time when what is not done is handed back: a process that is killed says nothing about its batch.
const TO_ANSWER: Duration = Duration::from_millis(300);

/// Serves a queue, some messages at once: those of a group in order, as one piece of work, and each group for itself. What the handler
/// fails with, it gets again.
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

fn serve_boxed(queue: Queue, privilege: Privilege, handler: Handle) {
    let name = describe::binary_name();
    if describe::is_asked() {
        let privilege = describe::privilege(privilege);
        let own = json!({"trigger": "queue", "queue": queue, "fifo": queue.is_fifo(), "batch": BATCH, "privilege": privilege});
        println!("{}", describe::other(own));
        return;
    }
    run(Uses::Database, |process| {
        lambda_runtime::run(service_fn(move |event: LambdaEvent<Batch>| {
            let worker = Worker { process: Arc::clone(&process), handler: Arc::clone(&handler), name: name.clone() };
            async move {
                let time = time_left(&event.context).saturating_sub(TO_ANSWER);
                let groups = groups(event.payload.records);
                let failed = join_all(groups.iter().map(|group| worker.failed(group, &event.context.request_id, time))).await;
                let failures: Vec<Value> = failed.into_iter().flatten().map(|id| json!({"itemIdentifier": id})).collect();
                Ok::<_, lambda_runtime::Error>(json!({"batchItemFailures": failures}))
            }
        }))
    });
}

/// The messages of each group, in order.
fn groups(records: Vec<Record>) -> Vec<Vec<Record>> {
    let mut groups: Vec<Vec<Record>> = Vec::new();
    for record in records {
        match groups.iter_mut().find(|group| group[0].attributes.group == record.attributes.group) {
            Some(group) => group.push(record),
            None => groups.push(vec![record]),
        }
    }
    groups
}

struct Worker {
    process: Arc<Process>,
    handler: Handle,
    name: String,
}

impl Worker {
    /// Hands a group to the handler; answers those of its messages that are to come again.
    async fn failed<'group>(&self, group: &'group [Record], request_id: &str, time: Duration) -> Vec<&'group str> {
        let cold = is_cold();
        let origin = Origin { request_id: request_id.to_owned(), function: self.name.clone(), ..Origin::default() };
        let context = Context::new(Arc::clone(&self.process), origin);
        let bodies = group.iter().map(|record| record.body.clone()).collect();
        let work = tokio::time::timeout(time, unpanicked((self.handler)(context.clone(), bodies)));
        let outcome = work.await.unwrap_or_else(|_| Err(UNAVAILABLE.caused_by("out of time")));
        context.settle().await;
        let status = if outcome.is_ok() { "200" } else { "503" };
        report::finished(&context, "messages", status, cold, outcome.as_ref().err().and_then(Error::cause));
        if outcome.is_ok() {
            return Vec::new();
        }
        let (again, lost): (Vec<_>, Vec<_>) = group.iter().partition(|record| record.attributes.receives() < MOST_RECEIVES);
        if !lost.is_empty() {
            log::error("messages lost", &format!("{} of a group that failed {MOST_RECEIVES} times", lost.len()));
        }
        again.into_iter().map(|record| record.message_id.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_a_group_stay_together_and_in_order() {
        let record = |id: &str, group: &str| {
            json!({"messageId": id, "receiptHandle": "", "body": "",
                   "attributes": {"MessageGroupId": group, "ApproximateReceiveCount": "2"}})
        };
        let batch =
            json!({"Records": [record("1", "a"), record("2", "b"), record("3", "a"), record("4", "c"), record("5", "b")]});
        let batch: Batch = serde_json::from_value(batch).unwrap();
        assert_eq!(batch.records[0].attributes.receives(), 2);
        let grouped = groups(batch.records);
        let ids: Vec<Vec<&str>> =
            grouped.iter().map(|group| group.iter().map(|record| record.message_id.as_str()).collect()).collect();
        assert_eq!(ids, [vec!["1", "3"], vec!["2", "5"], vec!["4"]]);
    }
}
