//! What was promised to whom in the course of the day.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::Value;
use uuid::Uuid;

/// A message of a client's.
#[derive(Debug)]
pub struct Inbound {
    /// Which of the lines it comes by.
    pub line: usize,
    pub from: String,
    /// The provider's.
    pub id: String,
    /// As the Cloud API's sandbox takes it.
    pub content: Value,
}

/// Messages of clients, and of staff with who sent them.
pub type Unanswered = (Vec<Inbound>, Vec<(Uuid, Value)>);

#[derive(Default)]
pub struct Ledger {
    /// Providers' ids of what was answered with 200.
    received: Mutex<BTreeSet<String>>,
    /// What was answered with 201: words by `client_message_id`.
    sent: Mutex<BTreeMap<String, String>>,
    /// `client_message_id`s of what was refused.
    refused: Mutex<BTreeSet<String>>,
    /// Ids of planned messages.
    scheduled: Mutex<BTreeSet<String>>,
    notes: Mutex<BTreeSet<String>>,
    unanswered: Mutex<Unanswered>,
    /// Whether the cloud may be killed under a request.
    may_end: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panicked with it")
}

impl Ledger {
    pub fn receive(&self, id: String) {
        lock(&self.received).insert(id);
    }

    pub fn received(&self) -> BTreeSet<String> {
        lock(&self.received).clone()
    }

    pub fn send(&self, client_message_id: &str, words: &str) {
        lock(&self.sent).insert(client_message_id.to_owned(), words.to_owned());
    }

    pub fn sent(&self) -> BTreeMap<String, String> {
        lock(&self.sent).clone()
    }

    pub fn refuse(&self, client_message_id: &str) {
        lock(&self.refused).insert(client_message_id.to_owned());
    }

    pub fn refused(&self) -> BTreeSet<String> {
        lock(&self.refused).clone()
    }

    pub fn schedule(&self, id: String) {
        lock(&self.scheduled).insert(id);
    }

    pub fn scheduled(&self) -> BTreeSet<String> {
        lock(&self.scheduled).clone()
    }

    pub fn note(&self, words: String) {
        lock(&self.notes).insert(words);
    }

    pub fn notes(&self) -> BTreeSet<String> {
        lock(&self.notes).clone()
    }

    pub fn leave_inbound(&self, inbound: Inbound) {
        assert!(self.may_end(), "a webhook was not answered: {inbound:?}");
        lock(&self.unanswered).0.push(inbound);
    }

    pub fn leave_send(&self, sender: Uuid, message: Value) {
        lock(&self.unanswered).1.push((sender, message));
    }

    pub fn take_unanswered(&self) -> Unanswered {
        std::mem::take(&mut lock(&self.unanswered))
    }

    pub fn expect_the_end(&self) {
        self.may_end.store(true, Ordering::SeqCst);
    }

    pub fn expect_no_end(&self) {
        self.may_end.store(false, Ordering::SeqCst);
    }

    pub fn may_end(&self) -> bool {
        self.may_end.load(Ordering::SeqCst)
    }
}
