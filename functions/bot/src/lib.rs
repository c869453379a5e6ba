//! The bot: flows without code, their rules, and one turn of a conversation.

pub mod flow;
pub mod input;
pub mod run;
pub mod turn;
