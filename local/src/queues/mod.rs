//! SQS: FIFO and standard queues, dead-letter queues and event source mappings.

mod api;
mod control;
mod mapping;
mod queue;
mod store;
mod wire;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use anyhow::Context as _;
use axum::Router;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};
use uuid::Uuid;

use self::{
    queue::{Message, Queue, Sent},
    store::Store,
};
use crate::{
    Invoke,
    account::{ACCOUNT, REGION},
    journal::QueueSnapshot,
    parameters::Parameters,
    template::{EventSource, QueueDefinition},
};

/// The ARN of the queue with this name.
pub fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

/// All queues of the template.
pub struct Queues {
    state: Mutex<State>,
    /// By logical id: rings when a message may have become receivable.
    changed: BTreeMap<String, Notify>,
    /// Nobody is answered while it is false.
    running: watch::Sender<bool>,
}

struct State {
    queues: BTreeMap<String, Queue>,
    store: Store,
    last_sequence: i64,
}

/// A message as a sender hands it in.
#[derive(Clone, Debug, Default)]
struct NewMessage {
    body: String,
    group: Option<String>,
    deduplication_id: Option<String>,
    attributes: Value,
    delay: Duration,
}

impl Queues {
    /// Opens the queues; with `store`, a file, messages survive a restart.
    ///
    /// # Errors
    /// When the file cannot be opened or read, or a dead-letter queue is not defined.
    pub fn open(definitions: Vec<QueueDefinition>, store: Option<PathBuf>) -> anyhow::Result<Arc<Self>> {
        let store = Store::open(store.as_deref()).context("cannot open the store of the queues")?;
        let mut queues: BTreeMap<String, Queue> =
            definitions.into_iter().map(|definition| (definition.logical_id.clone(), Queue::new(definition))).collect();
        for queue in queues.values() {
            if let Some((dead_letter, _)) = &queue.definition.dead_letter {
                anyhow::ensure!(
                    queues.contains_key(dead_letter),
                    "{} names {dead_letter} as its dead-letter queue, which is not defined",
                    queue.definition.logical_id
                );
            }
        }
        store.load(&mut queues, now())?;
        let last_sequence = queues.values().flat_map(Queue::messages).map(|message| message.sequence).max().unwrap_or(0);
        let changed = queues.keys().map(|id| (id.clone(), Notify::new())).collect();
        let state = Mutex::new(State { queues, store, last_sequence });
        Ok(Arc::new(Self { state, changed, running: watch::Sender::new(true) }))
    }

    /// The SQS API, and `GetParameter` of SSM, at `POST /`.
    pub fn router(self: &Arc<Self>, parameters: Arc<Parameters>) -> Router {
        api::router(Arc::clone(self), parameters)
    }

    /// Runs the event source mappings until the handle is aborted.
    pub fn poll(self: &Arc<Self>, sources: Vec<EventSource>, invoke: Invoke) -> JoinHandle<()> {
        tokio::spawn(mapping::run(Arc::clone(self), sources, invoke))
    }

    /// Every queue at this moment.
    pub fn snapshot(&self) -> Vec<QueueSnapshot> {
        let state = self.lock();
        let now = now();
        let dead_letter_queues: Vec<&String> =
            state.queues.values().filter_map(|queue| queue.definition.dead_letter.as_ref().map(|(id, _)| id)).collect();
        let snapshot = |(logical_id, queue): (&String, &Queue)| QueueSnapshot {
            logical_id: logical_id.clone(),
            waiting: queue.messages().count() - queue.held(),
            in_flight: queue.held(),
            oldest: queue
                .messages()
                .map(|message| message.sent_at)
                .min()
                .map(|sent_at| Duration::from_millis(u64::try_from(now - sent_at).unwrap_or(0))),
            dead_letter: dead_letter_queues.contains(&logical_id),
        };
        state.queues.iter().map(snapshot).collect()
    }

    /// Messages in the dead-letter queue with this logical id, or of the queue with this one.
    pub fn dead_letters(&self, logical_id: &str) -> Vec<Value> {
        let state = self.lock();
        let Some(queue) = state.dead_letter_queue(logical_id).and_then(|dead| state.queues.get(dead)) else { return Vec::new() };
        let show = |message: &Message| {
            json!({
                "message_id": message.id,
                "body": message.body,
                "group": message.group,
                "deduplication_id": message.deduplication_id,
                "queue": message.source,
                "sent_at": Timestamp::from_millisecond(message.sent_at).ok().map(|at| at.to_string()),
                "receive_count": message.receive_count,
            })
        };
        queue.messages().map(show).collect()
    }

    /// Messages nobody receives before their time: in flight, or kept back.
    pub fn held(&self) -> Vec<Value> {
        let now = now();
        let state = self.lock();
        let show = |logical_id: &String, message: &Message| {
            json!({
                "queue": logical_id,
                "group": message.group,
                "body": message.body,
                "receive_count": message.receive_count,
                "visible_at": Timestamp::from_millisecond(message.visible_at).ok().map(|at| at.to_string()),
            })
        };
        let of = |(logical_id, queue)| {
            Queue::messages(queue).filter(|message| message.visible_at > now).map(move |message| show(logical_id, message))
        };
        state.queues.iter().flat_map(of).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn ring(&self, logical_id: &str) {
        if let Some(notify) = self.changed.get(logical_id) {
            notify.notify_waiters();
        }
    }

    fn send(&self, logical_id: &str, messages: Vec<NewMessage>) -> anyhow::Result<Vec<Sent>> {
        let now = now();
        let mut guard = self.lock();
        let State { queues, store, last_sequence } = &mut *guard;
        let queue = queues.get_mut(logical_id).with_context(|| format!("there is no queue {logical_id}"))?;
        let sent = store.together(|| {
            let mut all = Vec::with_capacity(messages.len());
            for new in messages {
                let earlier = new.deduplication_id.as_deref().and_then(|id| queue.earlier(id, now));
                if let Some(earlier) = earlier {
                    all.push(earlier.clone());
                    continue;
                }
                *last_sequence = next_sequence(*last_sequence, now);
                let sent = Sent {
                    message_id: Uuid::new_v4().to_string(),
                    sequence: *last_sequence,
                    expires_at: now + queue::DEDUPLICATION,
                };
                let message = message_of(new, &sent, now);
                store.insert(logical_id, &message)?;
                if let Some(id) = &message.deduplication_id {
                    store.remember(logical_id, id, &sent)?;
                    queue.remember(id.clone(), sent.clone());
                }
                queue.push(message, now);
                all.push(sent);
            }
            Ok(all)
        })?;
        drop(guard);
        self.ring(logical_id);
        Ok(sent)
    }

    /// Takes up to `maximum` messages for `visibility`; also tells when to look again.
    fn receive(
        &self,
        logical_id: &str,
        maximum: usize,
        visibility: Option<Duration>,
    ) -> anyhow::Result<(Vec<Message>, Option<i64>)> {
        let now = now();
        let mut state = self.lock();
        let rung = state.settle(logical_id, now)?;
        let State { queues, store, .. } = &mut *state;
        let queue = queues.get_mut(logical_id).with_context(|| format!("there is no queue {logical_id}"))?;
        let visibility = visibility.unwrap_or(queue.definition.visibility_timeout);
        let received = queue.receive(maximum, now + milliseconds(visibility), now);
        if !received.is_empty() {
            store.together(|| received.iter().try_for_each(|message| store.record_receipt(logical_id, message)))?;
        }
        let next = queue.next_return();
        drop(state);
        if let Some(dead_letter_queue) = rung {
            self.ring(&dead_letter_queue);
        }
        Ok((received, next))
    }

    /// Waits until there is something to receive.
    async fn next_batch(&self, logical_id: &str, maximum: usize, visibility: Option<Duration>) -> anyhow::Result<Vec<Message>> {
        let changed = self.changed.get(logical_id).with_context(|| format!("there is no queue {logical_id}"))?;
        loop {
            self.until_running().await;
            let mut rung = std::pin::pin!(changed.notified());
            rung.as_mut().enable();
            let (received, next) = self.receive(logical_id, maximum, visibility)?;
            if !received.is_empty() {
                return Ok(received);
            }
            match next {
                None => rung.await,
                Some(at) => {
                    let wait = Duration::from_millis(u64::try_from(at - now()).unwrap_or(0) + 1);
                    let _ = tokio::time::timeout(wait, rung).await;
                }
            }
        }
    }

    /// Deletes messages by sequence and receive count. The answer says for each whether its
    /// receipt was still good.
    fn delete(&self, logical_id: &str, receipts: &[(i64, u32)]) -> anyhow::Result<Vec<bool>> {
        let mut guard = self.lock();
        let State { queues, store, .. } = &mut *guard;
        let queue = queues.get_mut(logical_id).with_context(|| format!("there is no queue {logical_id}"))?;
        let deleted = store.together(|| {
            let mut deleted = Vec::with_capacity(receipts.len());
            for &(sequence, count) in receipts {
                let good = !queue.contains(sequence) || queue.holds(sequence, count);
                if good && queue.remove(sequence).is_some() {
                    store.delete(logical_id, sequence)?;
                }
                deleted.push(good);
            }
            Ok(deleted)
        })?;
        drop(guard);
        self.ring(logical_id);
        Ok(deleted)
    }

    /// `false` when the message is not in flight under this receipt.
    fn change_visibility(&self, logical_id: &str, (sequence, count): (i64, u32), visibility: Duration) -> anyhow::Result<bool> {
        let visible_at = now() + milliseconds(visibility);
        let mut guard = self.lock();
        let State { queues, store, .. } = &mut *guard;
        let queue = queues.get_mut(logical_id).with_context(|| format!("there is no queue {logical_id}"))?;
        let changed = queue.change_visibility(sequence, count, visible_at);
        if changed {
            store.record_visibility(logical_id, sequence, visible_at)?;
        }
        drop(guard);
        self.ring(logical_id);
        Ok(changed)
    }

    fn purge(&self, logical_id: &str) -> anyhow::Result<()> {
        let mut guard = self.lock();
        let State { queues, store, .. } = &mut *guard;
        store.purge(logical_id)?;
        if let Some(queue) = queues.get_mut(logical_id) {
            queue.purge();
        }
        Ok(())
    }
}

impl State {
    /// Lets time pass for one queue. Answers the dead-letter queue when messages went there.
    fn settle(&mut self, logical_id: &str, now: i64) -> anyhow::Result<Option<String>> {
        let Self { queues, store, last_sequence } = self;
        let Some(queue) = queues.get_mut(logical_id) else { return Ok(None) };
        let settled = queue.settle(now);
        if settled.dead.is_empty() && settled.forgotten.is_empty() {
            return Ok(None);
        }
        let target = queue.definition.dead_letter.as_ref().map(|(id, _)| id.clone());
        store.together(|| {
            for sequence in &settled.forgotten {
                store.delete(logical_id, *sequence)?;
            }
            for mut message in settled.dead {
                store.delete(logical_id, message.sequence)?;
                let Some(target) = &target else { continue };
                *last_sequence = next_sequence(*last_sequence, now);
                message.sequence = *last_sequence;
                message.source = Some(logical_id.to_owned());
                message.visible_at = now;
                store.insert(target, &message)?;
                if let Some(queue) = queues.get_mut(target) {
                    queue.push(message, now);
                }
            }
            Ok(())
        })?;
        Ok(target)
    }

    /// That of the queue, or the one that is asked for by its own name; a queue may have none.
    fn dead_letter_queue<'a>(&'a self, logical_id: &'a str) -> Option<&'a str> {
        let of = |queue: &'a Queue| queue.definition.dead_letter.as_ref().map(|(id, _)| id.as_str());
        let own = self.queues.get(logical_id).and_then(of);
        own.or_else(|| self.queues.values().filter_map(of).find(|id| *id == logical_id))
    }
}

fn message_of(new: NewMessage, sent: &Sent, now: i64) -> Message {
    Message {
        sequence: sent.sequence,
        id: sent.message_id.clone(),
        body: new.body,
        group: new.group,
        deduplication_id: new.deduplication_id,
        attributes: new.attributes,
        source: None,
        sent_at: now,
        first_received_at: None,
        receive_count: 0,
        visible_at: now + milliseconds(new.delay),
    }
}

/// Grows also across restarts, because it is never behind the clock.
fn next_sequence(last: i64, now: i64) -> i64 {
    (last + 1).max(now << 20)
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}
