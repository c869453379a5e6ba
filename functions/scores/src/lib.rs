//! How leads are scored, and what a company keeps of them beside what everybody does.

mod facts;
pub mod fields;
mod rescore;
pub mod rules;
mod score;

pub use facts::Facts;
pub use rescore::{Rescored, current_rules, facts, rescore};
pub use rules::Scoring;
pub use score::{AuthorityLevel, Evidence, Figures, NeedLevel, Temperature, figures, qualification};
