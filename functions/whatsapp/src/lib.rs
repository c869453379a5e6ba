//! Messages of WhatsApp, whoever brings them: what a provider sends is translated by its adapter (`cloud`, `evolution`,
//! `botconversa`) into `item`, and the rest is the same for all.

mod account;
pub mod adapters;
#[cfg(test)]
mod any;
pub mod botconversa;
mod changes;
pub mod channel;
mod clients;
pub mod cloud;
pub mod evolution;
mod history;
pub mod inbound;
pub mod item;
pub mod kept;
mod leads;
pub mod media;
mod mend;
pub mod named;
mod notices;
pub mod provider;
mod reading;
pub mod routing;
pub mod sender;
pub mod statements;
pub mod templates;

pub use integrations::ChannelFlagged;
