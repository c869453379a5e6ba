//! WhatsApp Cloud API: webhooks and media.

mod changes;
pub mod inbound;
pub mod media;
pub mod named;
mod notices;
pub mod payload;
pub mod statements;
