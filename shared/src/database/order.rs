//! Statements reach the server in the order in which they were asked for, however long each of them takes to prepare.

use std::{
    collections::BTreeSet,
    future::poll_fn,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use tokio::sync::Notify;

/// The order of a transaction's statements.
#[derive(Default)]
pub(super) struct Order {
    /// Places of statements that are not sent yet.
    open: Mutex<BTreeSet<u64>>,
    moved: Notify,
}

/// A statement's place in it, until it is sent or given up.
pub(super) struct Place<'a> {
    order: &'a Order,
    number: u64,
}

impl Order {
    pub(super) fn take_place(&self) -> Place<'_> {
        let mut open = self.open();
        let number = open.last().map_or(0, |last| last + 1);
        open.insert(number);
        Place { order: self, number }
    }

    fn open(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// Sends `work`, which its first poll does, behind everything before it, and waits for its answer.
    pub(super) async fn send<T>(self, work: impl Future<Output = T>) -> T {
        loop {
            let moved = self.order.moved.notified();
            if self.order.open().first() == Some(&self.number) {
                break;
            }
            moved.await;
        }
        let mut work = pin!(work);
        let first = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await;
        drop(self);
        match first {
            Poll::Ready(answer) => answer,
            Poll::Pending => work.await,
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.order.open().remove(&self.number);
        self.order.moved.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, time::Duration};

    use futures_util::future::join4;
    use tokio::time::sleep;

    use super::Order;

    #[tokio::test]
    async fn what_takes_longer_to_prepare_is_not_overtaken() {
        let (order, sent) = (Order::default(), Mutex::new(Vec::new()));
        let statement = async |name: u8, preparing: u64, is_given_up: bool| {
            let place = order.take_place();
            sleep(Duration::from_millis(preparing)).await;
            if is_given_up {
                return;
            }
            let work = async {
                sent.lock().unwrap().push(name);
                sleep(Duration::from_millis(5)).await;
            };
            place.send(work).await;
        };
        join4(statement(1, 20, false), statement(2, 0, false), statement(3, 10, true), statement(4, 1, false)).await;
        assert_eq!(*sent.lock().unwrap(), [1, 2, 4]);
    }
}
