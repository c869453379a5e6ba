//! Conversations: who sees them, who holds them, how they end.
