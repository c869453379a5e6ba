//! Health, the API's description, the clockwork, mails.

pub mod mail;
pub mod sealed;
