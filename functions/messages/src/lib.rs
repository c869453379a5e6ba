//! Messages of conversations, in and out.
