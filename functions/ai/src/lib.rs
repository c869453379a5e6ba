//! AI: answers from the knowledge base, help for who answers, and what is known of conversations by it.

pub mod answering;
pub mod asking;
pub mod guard;
pub mod insights;
pub mod learning;
mod problems;
pub mod prompts;
pub mod recordings;
pub mod thread;

pub use insights::made;
pub use problems::{
    AI_BUDGET_GONE, AI_NOT_CONFIGURED, AI_OFF, AI_REFUSED, AI_SILENT, AI_UNCLEAR, MOVED_ON, NOTHING_SAID, TAKEN_OVER, problem_of,
};
