//! Clients who are mentored: what they tell of each month, how they grow, how much they take part, and what they think of it.

pub mod engagement;
pub mod evolution;
pub mod feedback;
pub mod growth;
pub mod mentee;
pub mod month;
pub mod nps;
pub mod risk;
pub mod series;
pub mod standing;
