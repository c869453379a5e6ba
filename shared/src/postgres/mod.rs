//! The process's connection to Postgres, and what its errors mean.

mod connection;
mod failure;
mod trips;

pub(crate) use connection::{Connection, Database, Held};
pub use connection::{Row, intern};
pub(crate) use failure::{explain, is_plan_outdated};
pub(crate) use trips::{Flight, Trips};
