//! What people are told of while they look elsewhere.

mod sealing;
pub mod subscription;
pub mod web_push;

pub use sealing::{LARGEST, is_point};
