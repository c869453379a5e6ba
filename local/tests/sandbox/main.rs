//! The sandbox of third parties over real sockets.

mod faults;
mod inbound;
mod llm;
mod mail;
mod media;
mod messages;
mod refusals;
mod scanner;
mod stage;
