//! What a company knows: articles that answer questions, how they are found, and what could be better.

pub mod articles;
pub mod embeddings;
pub mod import;
pub mod judge;
pub mod optimise;
pub mod proposals;
pub mod score;
pub mod search;
pub mod synonyms;
pub mod vocabulary;
pub mod words;

pub use embeddings::{has_outgrown, store_embedding, unembedded};
pub use proposals::{Learned, propose};
pub use search::{Audience, Found, Wanted, find};
