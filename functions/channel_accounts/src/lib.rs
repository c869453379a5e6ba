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

pub const SECRET_IN_USE: Problem = Problem::new(
    409,
    "secret_in_use",
    "O segredo foi trocado há menos de uma hora e o anterior ainda vale. Troque de novo mais tarde.",
    "The secret was changed less than an hour ago and the one before is still taken. Change it again later.",
);

pub const NOT_TESTABLE: Problem = Problem::new(
    409,
    "not_testable",
    "Por este canal não há quem responda a um teste.",
    "There is nobody behind this channel who could answer a test.",
);
