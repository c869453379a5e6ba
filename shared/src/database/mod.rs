//! Postgres: one connection for each process, tenants entered by transaction.

mod connection;
mod failure;
mod flight;
mod transaction;

pub(crate) use connection::Database;
pub use connection::{Row, intern};
pub(crate) use flight::Recorded;
pub use transaction::{Enter, Parameter, Transaction};
