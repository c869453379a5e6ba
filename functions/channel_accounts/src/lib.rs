//! What is done with a channel of whatever kind: changed, tested, removed, and the people on it called by their names.

pub mod changes;
pub mod contacts;
pub mod known;

use shared::prelude::*;

pub const CONVERSATIONS_OPEN: Problem = Problem::new(
    409,
    "conversations_open",
    "Há conversas abertas por este canal. Diga o que será delas: `conversations=keep` ou `conversations=close`.",
    "Conversations are open by this channel. Say what becomes of them: `conversations=keep` or `conversations=close`.",
)
.showing::<conversations::removal::OpenCount>();

pub const NOT_TESTABLE: Problem = Problem::new(
    409,
    "not_testable",
    "Por este canal não há quem responda a um teste.",
    "There is nobody behind this channel who could answer a test.",
);
