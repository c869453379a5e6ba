//! How leads are scored, and what a company keeps of them beside what everybody does.

mod facts;
pub mod fields;
mod recomputing;
mod rescore;
pub mod rules;
mod score;
mod told;

pub use facts::Facts;
pub use recomputing::{RECOMPUTE_SCORES, RecomputeScores, recompute};
pub use rescore::{current_rules, facts, rescore, rescored};
pub use rules::Scoring;
pub use score::{AuthorityLevel, Evidence, Figures, NeedLevel, Temperature, figures, qualification};
pub use told::{LeadScored, LeadScoringUpdated, SCORES, seen_by};
