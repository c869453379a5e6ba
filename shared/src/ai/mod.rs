//! A company's language model: what it may do and take, what leaves for it, how it is asked, and what is written down of that.

mod client;
mod key;
mod mask;
mod reader;
mod run;
mod settings;

pub use client::{Ask, Fault, Speaker};
pub use key::{SECRET, open};
pub use mask::{Mask, has_masked, personal, without_personal};
pub use run::{
    About, Errand, Given, Once, Purpose, Recording, Refused, Vectors, ask, ask_for, embed, explain, settings, transcribe,
};
pub use settings::Settings;
