//! The bot: flows without code, their rules, and one turn of a conversation.

pub mod answers;
pub mod calls;
pub mod config;
pub mod flow;
pub mod input;
pub mod place;
pub mod references;
pub mod run;
pub mod saving;
pub mod simulation;
pub mod stored;
pub mod templates;
pub mod turn;
pub mod world;
