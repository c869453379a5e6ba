//! Leads that come in as a table.

mod columns;
mod page;
mod row;
mod undo;

pub use columns::{LEAD_TARGET, LeadColumn};
pub use page::{ImportedLeads, LeadsImported};
