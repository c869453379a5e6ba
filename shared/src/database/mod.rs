//! Postgres: one connection for each process, tenants entered by transaction.

mod connection;
mod failure;
mod transaction;

pub(crate) use connection::Database;
pub use connection::{Row, intern};
pub(crate) use transaction::Recorded;
pub use transaction::{Enter, Parameter, Transaction};
