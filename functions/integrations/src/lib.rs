//! Channel accounts and their credentials.
