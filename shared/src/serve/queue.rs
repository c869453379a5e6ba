//! What Lambda hands to a worker: a batch of messages of a queue.

use std::time::Duration;

use serde::Deserialize;

use crate::clock;

#[derive(Deserialize)]
pub(super) struct Batch {
    #[serde(rename = "Records")]
    pub(super) records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    pub(super) message_id: String,
    pub(super) receipt_handle: String,
    pub(super) body: String,
    pub(super) attributes: Attributes,
}

#[derive(Deserialize)]
pub(super) struct Attributes {
    /// Empty where the queue has no groups.
    #[serde(rename = "MessageGroupId", default)]
    pub(super) group: String,
    #[serde(rename = "ApproximateReceiveCount", default)]
    receive_count: String,
}

impl Attributes {
    /// How often it has been handed to a worker, this time included.
    pub(super) fn receives(&self) -> u32 {
        self.receive_count.parse().unwrap_or(1)
    }
}

/// Until Lambda kills the process.
pub(super) fn time_left(context: &lambda_runtime::Context) -> Duration {
    let now = u64::try_from(clock::now().as_millisecond()).unwrap_or_default();
    Duration::from_millis(context.deadline.saturating_sub(now))
}
