//! Each provider has an adapter, which only translates what it sends.

use jiff::Timestamp;

use crate::{botconversa, cloud, evolution, item::Notification, provider::Provider};

/// Reads a webhook's body, each element by itself: what cannot be read is an item of its own.
///
/// # Errors
/// Why nothing of it can be read.
pub fn read(provider: Provider, body: &[u8], now: Timestamp) -> Result<Vec<Notification>, String> {
    match provider {
        Provider::Cloud => cloud::read(body, now),
        Provider::Evolution => evolution::read(body, now),
        Provider::BotConversa => botconversa::read(body, now),
    }
}
