//! Transactions, by which tenants are entered.

mod flight;
mod list;
mod order;
mod transaction;

pub use list::TimeList;
pub use transaction::{Enter, Parameter, Transaction};
