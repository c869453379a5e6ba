//! How leads end.

use shared::{closed_set, money::Money};

closed_set! {
    /// How it ended.
    pub CloseOutcome { Won = "won", Lost = "lost" }
}

/// What is said of an end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Closing {
    pub reason: Option<String>,
    pub value: Option<Money>,
}

