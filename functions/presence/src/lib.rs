//! When people were there and what they did meanwhile: intervals, breaks, their corrections, and the figures of days.

pub mod correcting;
pub mod interval;
pub mod panel;
pub mod period;
pub mod punctuality;
pub mod table;
pub mod tally;
