//! How often a caller may do something, and what a check that runs beside the work says of it.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

/// How often a caller may use a route: `most` requests in each `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub most: u32,
    pub window: Duration,
}

/// The answer of a check that runs beside the work.
#[derive(Clone)]
pub(crate) struct Verdict(Arc<watch::Receiver<Check>>);

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Check {
    Pending,
    Within,
    /// To be tried again after these seconds.
    Over(u32),
}

impl Verdict {
    /// Not known yet: it is what is sent.
    pub(crate) fn pending() -> (watch::Sender<Check>, Self) {
        let (sender, receiver) = watch::channel(Check::Pending);
        (sender, Self(Arc::new(receiver)))
    }

    /// Seconds to wait when over the limit. A check that failed lets the request through.
    pub(crate) async fn wait(&self) -> Option<u32> {
        let mut receiver = (*self.0).clone();
        let check = receiver.wait_for(|check| *check != Check::Pending).await.ok().map(|check| *check);
        match check {
            Some(Check::Over(seconds)) => Some(seconds),
            _ => None,
        }
    }
}
