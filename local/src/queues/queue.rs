//! One queue as a plain state machine: no clock, no storage, no waiting.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use serde_json::Value;

use crate::template::QueueDefinition;

/// How long a deduplication id is remembered, in milliseconds.
pub const DEDUPLICATION: i64 = 5 * 60 * 1000;

/// A message as it is kept. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub sequence: i64,
    pub id: String,
    pub body: String,
    pub group: Option<String>,
    pub deduplication_id: Option<String>,
    /// `MessageAttributes` as the sender wrote them.
    pub attributes: Value,
    /// Logical id of the queue it failed in, when this is a dead-letter queue.
    pub source: Option<String>,
    pub sent_at: i64,
    pub first_received_at: Option<i64>,
    pub receive_count: u32,
    /// Nobody receives the message before this time.
    pub visible_at: i64,
}

impl Message {
    /// Messages of one group are received in order. Without a group a message is a group of its own.
    fn group_key(&self) -> &str {
        self.group.as_deref().unwrap_or(&self.id)
    }

    /// Names this message and this receipt of it.
    pub fn receipt_handle(&self) -> String {
        format!("{}.{}", self.sequence, self.receive_count)
    }
}

/// Sequence and receive count out of a receipt handle.
pub fn parse_receipt_handle(handle: &str) -> Option<(i64, u32)> {
    let (sequence, count) = handle.split_once('.')?;
    Some((sequence.parse().ok()?, count.parse().ok()?))
}

/// What an earlier message with the same deduplication id was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub message_id: String,
    pub sequence: i64,
    pub expires_at: i64,
}

/// Messages which left the queue because of time.
#[derive(Debug, Default)]
pub struct Settled {
    /// Received too often.
    pub dead: Vec<Message>,
    /// Kept longer than the retention period.
    pub forgotten: Vec<i64>,
}

#[derive(Default)]
struct Group {
    waiting: BTreeSet<i64>,
    /// Messages of the group that are in flight or delayed.
    held: usize,
    /// The message which stands for the group in `ready`.
    head: Option<i64>,
}

/// Messages of one queue and who may be received next.
pub struct Queue {
    pub definition: QueueDefinition,
    messages: BTreeMap<i64, Message>,
    groups: HashMap<String, Group>,
    /// The first message of each group that has nothing in flight.
    ready: BTreeSet<i64>,
    /// When the invisible messages come back.
    returns: BTreeSet<(i64, i64)>,
    deduplications: HashMap<String, Sent>,
    deduplication_order: VecDeque<(i64, String)>,
}

impl Queue {
    pub fn new(definition: QueueDefinition) -> Self {
        Self {
            definition,
            messages: BTreeMap::new(),
            groups: HashMap::new(),
            ready: BTreeSet::new(),
            returns: BTreeSet::new(),
            deduplications: HashMap::new(),
            deduplication_order: VecDeque::new(),
        }
    }

    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.messages.values()
    }

    /// Messages in flight or delayed.
    pub fn held(&self) -> usize {
        self.returns.len()
    }

    /// The message sent earlier with this deduplication id, within five minutes.
    pub fn earlier(&mut self, deduplication_id: &str, now: i64) -> Option<&Sent> {
        while self.deduplication_order.front().is_some_and(|(expires_at, _)| *expires_at <= now) {
            if let Some((_, id)) = self.deduplication_order.pop_front() {
                self.deduplications.remove(&id);
            }
        }
        self.deduplications.get(deduplication_id)
    }

    /// Remembers a deduplication id; called in the order of `expires_at`.
    pub fn remember(&mut self, id: String, sent: Sent) {
        self.deduplication_order.push_back((sent.expires_at, id.clone()));
        self.deduplications.insert(id, sent);
    }

    /// Adds a message; it can be received from its `visible_at` on.
    pub fn push(&mut self, message: Message, now: i64) {
        let key = message.group_key().to_owned();
        let group = self.groups.entry(key.clone()).or_default();
        if message.visible_at > now {
            group.held += 1;
            self.returns.insert((message.visible_at, message.sequence));
        } else {
            group.waiting.insert(message.sequence);
        }
        self.messages.insert(message.sequence, message);
        self.relist(&key);
    }

    /// Lets time pass: invisible messages come back, hopeless and old ones leave.
    pub fn settle(&mut self, now: i64) -> Settled {
        let mut settled = Settled::default();
        while let Some(&(visible_at, sequence)) = self.returns.first() {
            if visible_at > now {
                break;
            }
            let maximum = self.definition.dead_letter.as_ref().map(|(_, maximum)| *maximum);
            let count = self.messages.get(&sequence).map_or(0, |message| message.receive_count);
            if maximum.is_some_and(|maximum| count >= maximum) {
                settled.dead.extend(self.remove(sequence));
            } else {
                self.release(visible_at, sequence);
            }
        }
        let kept = i64::try_from(self.definition.retention.as_millis()).unwrap_or(i64::MAX);
        while let Some((&sequence, message)) = self.messages.first_key_value() {
            if kept == 0 || message.sent_at.saturating_add(kept) > now {
                break;
            }
            self.remove(sequence);
            settled.forgotten.push(sequence);
        }
        settled
    }

    /// When `settle` has something to do next.
    pub fn next_return(&self) -> Option<i64> {
        self.returns.first().map(|(visible_at, _)| *visible_at)
    }

    /// Takes up to `maximum` messages, the oldest first, in order within each group. A group with
    /// a message in flight gives nothing.
    pub fn receive(&mut self, maximum: usize, visible_at: i64, now: i64) -> Vec<Message> {
        let mut received = Vec::new();
        let mut keys = BTreeSet::new();
        while received.len() < maximum {
            let Some(sequence) = self.ready.pop_first() else { break };
            let Some(message) = self.messages.get_mut(&sequence) else { continue };
            message.receive_count += 1;
            message.first_received_at.get_or_insert(now);
            message.visible_at = visible_at;
            let message = message.clone();
            self.returns.insert((visible_at, sequence));
            if let Some(group) = self.groups.get_mut(message.group_key()) {
                group.waiting.remove(&sequence);
                group.held += 1;
                // The same batch may take the next of the group; other batches may not.
                group.head = group.waiting.first().copied();
                self.ready.extend(group.head);
            }
            keys.insert(message.group_key().to_owned());
            received.push(message);
        }
        for key in keys {
            self.relist(&key);
        }
        received
    }

    /// Moves the time at which an in-flight message comes back. `false` when it is not in flight
    /// under this receipt.
    pub fn change_visibility(&mut self, sequence: i64, count: u32, visible_at: i64) -> bool {
        let Some(message) = self.messages.get_mut(&sequence) else { return false };
        if message.receive_count != count || !self.returns.remove(&(message.visible_at, sequence)) {
            return false;
        }
        message.visible_at = visible_at;
        self.returns.insert((visible_at, sequence));
        true
    }

    /// Whether the message is in flight under this receipt.
    pub fn holds(&self, sequence: i64, count: u32) -> bool {
        self.messages
            .get(&sequence)
            .is_some_and(|message| message.receive_count == count && self.returns.contains(&(message.visible_at, sequence)))
    }

    /// Whether the message is still in the queue.
    pub fn contains(&self, sequence: i64) -> bool {
        self.messages.contains_key(&sequence)
    }

    pub fn remove(&mut self, sequence: i64) -> Option<Message> {
        let message = self.messages.remove(&sequence)?;
        let key = message.group_key().to_owned();
        let held = self.returns.remove(&(message.visible_at, sequence));
        if let Some(group) = self.groups.get_mut(&key) {
            if held {
                group.held -= 1;
            } else {
                group.waiting.remove(&sequence);
            }
        }
        self.relist(&key);
        Some(message)
    }

    /// Forgets every message; deduplication ids stay.
    pub fn purge(&mut self) {
        self.messages.clear();
        self.groups.clear();
        self.ready.clear();
        self.returns.clear();
    }

    fn release(&mut self, visible_at: i64, sequence: i64) {
        self.returns.remove(&(visible_at, sequence));
        let Some(message) = self.messages.get(&sequence) else { return };
        let key = message.group_key().to_owned();
        if let Some(group) = self.groups.get_mut(&key) {
            group.held -= 1;
            group.waiting.insert(sequence);
        }
        self.relist(&key);
    }

    /// Brings `ready` in line with the group.
    fn relist(&mut self, key: &str) {
        let Some(group) = self.groups.get_mut(key) else { return };
        let head = if group.held == 0 { group.waiting.first().copied() } else { None };
        if let Some(before) = group.head {
            self.ready.remove(&before);
        }
        group.head = head;
        self.ready.extend(head);
        if group.held == 0 && group.waiting.is_empty() {
            self.groups.remove(key);
        }
    }
}
