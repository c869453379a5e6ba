//! Health, the API's description, the clockwork.
