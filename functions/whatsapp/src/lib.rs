//! WhatsApp Cloud API: webhooks and media.

mod account;
mod changes;
mod clients;
pub mod inbound;
pub mod kept;
pub mod media;
pub mod named;
mod notices;
pub mod payload;
pub mod routing;
pub mod statements;
