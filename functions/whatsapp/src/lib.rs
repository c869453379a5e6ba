//! WhatsApp Cloud API: webhooks and media.

mod account;
mod changes;
pub mod channel;
mod clients;
pub mod inbound;
pub mod kept;
pub mod media;
pub mod named;
mod notices;
pub mod payload;
pub mod routing;
pub mod sender;
pub mod statements;
pub mod templates;

pub use account::ChannelFlagged;
