//! Leads kept alike with the CRM that a company has beside this one.
//!
//! What both sides last said alike is kept of each lead and field (`crm_records.agreed`). Who differs from it has changed something; where both do,
//! people choose. So what comes back of what we have told is no news, however often and late it comes.

pub mod call;
pub mod conflicts;
pub mod connection;
pub mod hubspot;
pub mod merge;
pub mod pipedrive;
pub mod pull;
pub mod push;
pub mod records;
pub mod rest;
pub mod start;
pub mod sync;
pub mod values;
