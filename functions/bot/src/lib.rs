//! The bot's flows.
