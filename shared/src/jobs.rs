//! Durable background work: a row in Postgres is the record, SQS FIFO is the engine.

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{context::Context, environment::variable, log};

/// Messages SQS takes in one call.
const BATCH: usize = 10;

/// Which worker does a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Queue {
    /// Turns of the bot.
    Bot,
    /// Messages and read marks on their way to a provider.
    Delivery,
    /// Media on their way from a provider.
    Media,
    /// Frames on their way to many sockets. Its messages are no jobs: what becomes of them no row remembers.
    Push,
}

impl Queue {
    /// Every queue.
    pub const ALL: [Self; 4] = [Self::Bot, Self::Delivery, Self::Media, Self::Push];

    /// Its name in rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Delivery => "delivery",
            Self::Media => "media",
            Self::Push => "push",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|queue| queue.as_str() == name)
    }

    /// Its address.
    #[must_use]
    pub fn url(self) -> String {
        format!("{}{}.fifo", variable("QUEUES_URL"), self.as_str())
    }
}

/// A piece of work to be done after this transaction.
#[derive(Clone, Debug, Serialize)]
pub struct Job {
    pub id: Uuid,
    pub kind: &'static str,
    pub queue: Queue,
    /// Jobs of one lane are done one after the other, in the order they were added.
    pub lane: String,
    /// While a job of the same kind and key waits, another is not added.
    pub key: Option<String>,
    pub payload: Value,
    /// `None` is now.
    pub run_at: Option<Timestamp>,
}

impl Job {
    /// A job that is due at once.
    #[must_use]
    pub fn new(context: &Context, queue: Queue, kind: &'static str, lane: impl ToString, payload: Value) -> Self {
        Self { id: context.new_id(), kind, queue, lane: lane.to_string(), key: None, payload, run_at: None }
    }

    /// Adds it only if none with this key waits.
    #[must_use]
    pub fn unless_waiting(mut self, key: impl ToString) -> Self {
        self.key = Some(key.to_string());
        self
    }

    #[must_use]
    pub fn at(mut self, time: Timestamp) -> Self {
        self.run_at = Some(time);
        self
    }
}

/// A job on its way to its queue.
#[derive(Clone, Debug)]
pub struct Dispatch {
    pub id: Uuid,
    pub queue: Queue,
    pub lane: String,
    /// Counts the times it was sent, so that SQS does not take a later sending for a duplicate of an earlier one.
    pub dispatches: i32,
}

/// Sends jobs to their queues. What does not arrive is found by `dispatch_due_jobs`.
pub async fn dispatch(context: &Context, jobs: &[Dispatch]) {
    let sends = Queue::ALL.into_iter().flat_map(|queue| {
        let messages: Vec<Message> = jobs.iter().filter(|job| job.queue == queue).map(Message::from).collect();
        messages.chunks(BATCH).map(|batch| send(context, queue, batch.to_vec())).collect::<Vec<_>>()
    });
    join_all(sends).await;
}

/// A message of a FIFO queue.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Messages of one group arrive in order.
    pub(crate) group: String,
    /// Unique in its group, and in its batch.
    pub(crate) id: String,
    pub(crate) body: Value,
}

impl From<&Dispatch> for Message {
    fn from(job: &Dispatch) -> Self {
        let id = format!("{}-{}", job.id, job.dispatches);
        Self { group: job.lane.clone(), id, body: json!({"id": job.id}) }
    }
}

/// Sends messages, ten at most. Those that do not arrive are lost.
pub(crate) async fn send(context: &Context, queue: Queue, messages: Vec<Message>) {
    let entries = messages.into_iter().filter_map(|message| {
        SendMessageBatchRequestEntry::builder()
            .id(&message.id)
            .message_body(message.body.to_string())
            .message_group_id(message.group)
            .message_deduplication_id(message.id)
            .build()
            .ok()
    });
    let answer =
        context.aws().queues().send_message_batch().queue_url(queue.url()).set_entries(Some(entries.collect())).send().await;
    match answer {
        Ok(answer) if answer.failed().is_empty() => {}
        Ok(answer) => log::warn("messages not sent", &format!("{:?}", answer.failed())),
        Err(error) => log::warn("messages not sent", &format!("{error:?}")),
    }
}
