//! Sockets and the events feed.
