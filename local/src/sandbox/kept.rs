//! A list that keeps its newest entries.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Locks even when a thread panicked while it held the lock: the sandbox's records stay readable.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) struct Kept<T> {
    entries: Mutex<VecDeque<T>>,
    most: usize,
}

impl<T: Clone> Kept<T> {
    pub(super) fn new(most: usize) -> Self {
        Self { entries: Mutex::default(), most }
    }

    pub(super) fn push(&self, entry: T) {
        let mut entries = lock(&self.entries);
        if entries.len() == self.most {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// Oldest first.
    pub(super) fn list(&self, wanted: impl Fn(&T) -> bool) -> Vec<T> {
        lock(&self.entries).iter().filter(|entry| wanted(entry)).cloned().collect()
    }

    pub(super) fn find(&self, wanted: impl Fn(&T) -> bool) -> Option<T> {
        lock(&self.entries).iter().rev().find(|entry| wanted(entry)).cloned()
    }

    /// Changes the newest entry that is wanted.
    pub(super) fn change(&self, wanted: impl Fn(&T) -> bool, change: impl FnOnce(&mut T)) {
        if let Some(entry) = lock(&self.entries).iter_mut().rev().find(|entry| wanted(entry)) {
            change(entry);
        }
    }

    pub(super) fn remove(&self, unwanted: impl Fn(&T) -> bool) {
        lock(&self.entries).retain(|entry| !unwanted(entry));
    }
}

#[cfg(test)]
mod tests {
    use super::Kept;

    #[test]
    fn keeps_the_newest() {
        let kept = Kept::new(2);
        for number in 1..=3 {
            kept.push(number);
        }
        assert_eq!(kept.list(|_| true), [2, 3]);
    }
}
