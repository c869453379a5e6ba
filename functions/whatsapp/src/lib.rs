//! WhatsApp Cloud API: webhooks and media.

mod changes;
pub mod inbound;
pub mod media;
mod notices;
pub mod payload;
pub mod statements;
