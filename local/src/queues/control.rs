//! What tests and people do to the queues from outside: stop them, let time pass, send dead letters back.

use anyhow::Context as _;

use tokio::sync::Notify;

use super::{Queues, State, next_sequence, now, queue::Message};

impl Queues {
    /// Leaves every caller without an answer and hands nothing to functions, until `resume`.
    pub fn pause(&self) {
        self.running.send_replace(false);
    }

    /// Serves again; those who still wait are refused.
    pub fn resume(&self) {
        self.running.send_replace(true);
    }

    /// Whether it was paused; waits until it is not.
    pub(super) async fn until_running(&self) -> bool {
        let was_paused = !*self.running.borrow();
        // The sender lives as long as `self`.
        let _ = self.running.subscribe().wait_for(|running| *running).await;
        was_paused
    }

    /// Makes the messages in flight visible, as when their visibility time-out has passed; how many.
    ///
    /// # Errors
    /// When there is no such queue or the store cannot be written.
    pub fn give_back(&self, logical_id: &str) -> anyhow::Result<usize> {
        let now = now();
        let mut guard = self.lock();
        let State { queues, store, .. } = &mut *guard;
        let queue = queues.get_mut(logical_id).with_context(|| format!("there is no queue {logical_id}"))?;
        let held: Vec<(i64, u32)> = queue
            .messages()
            .filter(|message| message.visible_at > now)
            .map(|message| (message.sequence, message.receive_count))
            .collect();
        for (sequence, count) in &held {
            queue.change_visibility(*sequence, *count, now);
            store.record_visibility(logical_id, *sequence, now)?;
        }
        drop(guard);
        self.ring(logical_id);
        Ok(held.len())
    }

    /// Puts the dead letters back into the queues they failed in and returns how many.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn redrive(&self, logical_id: &str) -> anyhow::Result<usize> {
        let mut state = self.lock();
        let State { queues, store, last_sequence } = &mut *state;
        let dead = queues
            .get(logical_id)
            .and_then(|queue| queue.definition.dead_letter.clone())
            .map_or_else(|| logical_id.to_owned(), |(id, _)| id);
        let moved: Vec<Message> = queues
            .get(&dead)
            .with_context(|| format!("there is no queue {dead}"))?
            .messages()
            .filter(|message| message.source.as_ref().is_some_and(|source| queues.contains_key(source)))
            .cloned()
            .collect();
        let now = now();
        store.together(|| {
            for message in &moved {
                let Some(source) = &message.source else { continue };
                *last_sequence = next_sequence(*last_sequence, now);
                let back = Message {
                    sequence: *last_sequence,
                    source: None,
                    sent_at: now,
                    first_received_at: None,
                    receive_count: 0,
                    visible_at: now,
                    ..message.clone()
                };
                store.insert(source, &back)?;
                store.delete(&dead, message.sequence)?;
                if let Some(queue) = queues.get_mut(&dead) {
                    queue.remove(message.sequence);
                }
                if let Some(queue) = queues.get_mut(source) {
                    queue.push(back, now);
                }
            }
            Ok(())
        })?;
        drop(state);
        self.changed.values().for_each(Notify::notify_waiters);
        Ok(moved.len())
    }
}
