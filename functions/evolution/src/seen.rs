//! What is seen of an instance.

use shared::{
    closed_set,
    evolution::{Code, InstanceState, Profile},
    prelude::*,
    provider::Call,
};

closed_set! {
    /// Why an instance does not work, as the last call to its server has shown.
    pub InstanceProblem {
        /// The server is not known to have it yet: connecting makes it.
        NotMade = "not_made",
        /// The server does not answer, or not as an Evolution API server.
        Unreachable = "unreachable",
        KeyRefused = "key_refused",
        /// The server does not have it, or no more.
        Missing = "missing",
        /// The server has somebody else's under its name.
        NameTaken = "name_taken",
    }
}

/// What a visit has shown.
#[derive(Debug)]
pub struct Seen {
    /// As of when.
    pub at: Timestamp,
    /// `None` where the server has said nothing of it.
    pub state: Option<InstanceState>,
    pub problem: Option<InstanceProblem>,
    /// The server's own words on the problem.
    pub detail: Option<String>,
    pub is_made: bool,
    pub has_webhook: bool,
    /// By which its webhooks are found, as the server is known to know from this visit.
    pub told_key: Option<String>,
    pub server_version: Option<String>,
    pub profile: Option<Profile>,
    /// What the server itself calls it.
    pub instance_id: Option<String>,
    pub code: Option<Code>,
    pub calls: Vec<Call>,
}

impl Seen {
    /// Told by the server itself, which so is there, has the instance and knows where its webhooks go.
    #[must_use]
    pub const fn told(at: Timestamp) -> Self {
        Self {
            at,
            state: None,
            problem: None,
            detail: None,
            is_made: true,
            has_webhook: true,
            told_key: None,
            server_version: None,
            profile: None,
            instance_id: None,
            code: None,
            calls: Vec::new(),
        }
    }
}
