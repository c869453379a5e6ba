//! The team's own rooms: who is in them, how far each has read, and what each wants to hear of them.

mod channel;
mod membership;

pub use channel::*;
pub use membership::*;
