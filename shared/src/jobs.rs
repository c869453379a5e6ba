//! Durable background work: a row in Postgres is the record, SQS FIFO is the engine.

use std::time::Duration;

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures_util::future::{BoxFuture, join_all};
use jiff::Timestamp;
use postgres_from_row::FromRow;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{context::Context, environment::variable, log};

/// Messages SQS takes in one call.
const BATCH: usize = 10;

/// Longest that SQS keeps a message back, in seconds.
const LONGEST_DELAY: u64 = 900;

/// Which worker does a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Queue {
    /// What models do by themselves: voice notes written down, what is said of conversations that have ended.
    Ai,
    /// What a company's own rules do: conversations given to agents.
    Automation,
    /// Turns of the bot.
    Bot,
    /// What the team has planned to say to itself.
    Chat,
    /// What people on a channel are called, asked of their providers.
    Contacts,
    /// Leads that are kept alike with a company's CRM.
    Crm,
    /// Messages and read marks on their way to a provider.
    Delivery,
    /// Tables that come in and go out: imports.
    Export,
    /// Steps of sequences, and who is taken into them.
    Followup,
    /// Leads that come in as a table.
    Leads,
    /// Files and pages that become knowledge, and what is looked for in it.
    Knowledge,
    /// Mails to people.
    Mail,
    /// Media on their way from a provider.
    Media,
    /// What people are told of where they are not looking: digests by mail.
    Notification,
    /// Files that are looked at and listened to, for pictures and waveforms of them.
    Preparation,
    /// Long work on what failed or was kept before.
    Repair,
    /// Scores of leads that are made anew.
    Scores,
    /// What leads set off that enter a stage.
    Stages,
    /// What is kept alike at others: contacts, and what they show.
    Sync,
    /// Frames on their way to many sockets. Its messages are no jobs: what becomes of them no row remembers.
    Push,
    /// The time at which jobs for later are due. Its messages only wake: the rows are the record.
    Timer,
}

impl Queue {
    /// Every queue.
    pub const ALL: [Self; 21] = [
        Self::Ai,
        Self::Automation,
        Self::Bot,
        Self::Chat,
        Self::Contacts,
        Self::Crm,
        Self::Delivery,
        Self::Export,
        Self::Followup,
        Self::Knowledge,
        Self::Leads,
        Self::Mail,
        Self::Media,
        Self::Notification,
        Self::Preparation,
        Self::Push,
        Self::Repair,
        Self::Scores,
        Self::Stages,
        Self::Sync,
        Self::Timer,
    ];

    /// Its name in rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ai => "ai",
            Self::Automation => "automation",
            Self::Bot => "bot",
            Self::Chat => "chat",
            Self::Contacts => "contacts",
            Self::Crm => "crm",
            Self::Delivery => "delivery",
            Self::Export => "export",
            Self::Followup => "followup",
            Self::Knowledge => "knowledge",
            Self::Leads => "leads",
            Self::Mail => "mail",
            Self::Media => "media",
            Self::Notification => "notification",
            Self::Preparation => "preparation",
            Self::Push => "push",
            Self::Repair => "repair",
            Self::Scores => "scores",
            Self::Stages => "stages",
            Self::Sync => "sync",
            Self::Timer => "timer",
        }
    }

    /// Whether its messages come in the order of their groups. Where they do not, each may be kept back.
    pub(crate) fn is_fifo(self) -> bool {
        self != Self::Timer
    }

    /// Its address.
    #[must_use]
    pub fn url(self) -> String {
        let ending = if self.is_fifo() { ".fifo" } else { "" };
        format!("{}{}{ending}", variable("QUEUES_URL"), self.as_str())
    }
}

/// A piece of work to be done after this transaction.
#[derive(Clone, Debug, Serialize)]
pub struct Job {
    pub id: Uuid,
    pub kind: &'static str,
    pub queue: Queue,
    /// Jobs of one lane are done one after the other, in the order they were added. One for later has a lane of its own, whatever it says.
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

    /// A job for later, within a second when that is less than 15 minutes away, else within a minute. It holds nobody up.
    #[must_use]
    pub fn at(mut self, time: Timestamp) -> Self {
        self.run_at = Some(time);
        self
    }
}

/// A job on its way to its queue.
#[derive(Clone, Debug, Deserialize, FromRow)]
pub struct Dispatch {
    pub id: Uuid,
    pub queue: String,
    pub lane: String,
    /// Counts the times it was sent, so that SQS does not take a later sending for a duplicate of an earlier one.
    pub dispatches: i32,
}

/// Sends jobs to their queues. What does not arrive is found by `dispatch_due_jobs`.
pub fn dispatch<'a>(context: &'a Context, jobs: &'a [Dispatch]) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        let sends = Queue::ALL.into_iter().flat_map(|queue| {
            let messages: Vec<Message> = jobs.iter().filter(|job| job.queue == queue.as_str()).map(Message::from).collect();
            messages.chunks(BATCH).map(|batch| send(context, queue, batch.to_vec())).collect::<Vec<_>>()
        });
        join_all(sends).await;
    })
}

/// When a job for later is due.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Timer {
    pub id: Uuid,
    pub at: Timestamp,
}

/// Has these jobs started the moment they are due, where that is less than 15 minutes away. What gets lost, and what is due later, is
/// found by `dispatch_due_jobs`.
pub fn set_timers<'a>(context: &'a Context, timers: &'a [Timer]) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        let messages: Vec<Message> = timers.iter().filter_map(|timer| Message::of_timer(timer, context.now())).collect();
        join_all(messages.chunks(BATCH).map(|batch| send(context, Queue::Timer, batch.to_vec()))).await;
    })
}

/// When a message may arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// After those sent to this group before it: the queue is a FIFO one.
    InGroup(String),
    /// After this many seconds.
    Delayed(i32),
}

/// A message of a queue.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) arrival: Arrival,
    /// Unique in its group, and in its batch.
    pub(crate) id: String,
    pub(crate) body: Value,
}

impl From<&Dispatch> for Message {
    fn from(job: &Dispatch) -> Self {
        let id = format!("{}-{}", job.id, job.dispatches);
        Self { arrival: Arrival::InGroup(job.lane.clone()), id, body: json!({"id": job.id}) }
    }
}

impl Message {
    /// It comes in the second before, and the worker waits for the rest.
    fn of_timer(timer: &Timer, now: Timestamp) -> Option<Self> {
        let left = Duration::try_from(timer.at.duration_since(now)).unwrap_or_default().as_secs();
        let seconds = i32::try_from(left).ok().filter(|_| left <= LONGEST_DELAY)?;
        Some(Self { arrival: Arrival::Delayed(seconds), id: timer.id.to_string(), body: json!(timer) })
    }
}

/// Sends messages, ten at most. Those that do not arrive are lost.
pub(crate) async fn send(context: &Context, queue: Queue, messages: Vec<Message>) {
    let entries = messages.into_iter().filter_map(|Message { arrival, id, body }| {
        let entry = SendMessageBatchRequestEntry::builder().id(&id).message_body(body.to_string());
        let entry = match arrival {
            Arrival::InGroup(group) => entry.message_group_id(group).message_deduplication_id(id),
            Arrival::Delayed(seconds) => entry.delay_seconds(seconds),
        };
        entry.build().ok()
    });
    let answer =
        context.aws().queues().send_message_batch().queue_url(queue.url()).set_entries(Some(entries.collect())).send().await;
    match answer {
        Ok(answer) if answer.failed().is_empty() => {}
        Ok(answer) => log::warn("messages not sent", &format!("{:?}", answer.failed())),
        Err(error) => log::warn("messages not sent", &format!("{error:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_comes_in_the_second_before_it_is_due() {
        let now: Timestamp = "2026-11-28T12:00:00Z".parse().unwrap();
        let arrival = |at: &str| {
            let timer = Timer { id: Uuid::nil(), at: at.parse().unwrap() };
            Message::of_timer(&timer, now).map(|message| message.arrival)
        };
        for (at, seconds) in [("11:59:30", 0), ("12:00:00", 0), ("12:00:00.999", 0), ("12:00:45.5", 45), ("12:15:00.3", 900)] {
            assert_eq!(arrival(&format!("2026-11-28T{at}Z")), Some(Arrival::Delayed(seconds)), "{at}");
        }
        assert_eq!(arrival("2026-11-28T12:15:01Z"), None, "the dispatcher's");
        assert_eq!(arrival("2027-11-28T12:00:00Z"), None, "the dispatcher's");
    }
}
