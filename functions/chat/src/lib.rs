//! What the team says to itself in its channels.

use shared::prelude::*;

mod card;
mod emoji;
mod mentions;
mod message;
mod place;
mod posting;
mod query;
mod scheduled;
mod thread;

pub use card::*;
pub use emoji::*;
pub use mentions::*;
pub use message::*;
pub use place::*;
pub use posting::*;
pub use query::*;
pub use scheduled::*;
pub use thread::*;

pub const NOT_AUTHOR: Problem =
    Problem::new(403, "not_author", "Só quem escreveu pode fazer isto.", "Only who wrote it may do this.");
pub const MESSAGE_DELETED: Problem =
    Problem::new(409, "message_deleted", "Esta mensagem foi apagada.", "This message was deleted.");
pub const TOO_MANY_REACTIONS: Problem = Problem::new(
    409,
    "too_many",
    "Esta mensagem já tem 50 reações diferentes.",
    "This message has 50 different reactions already.",
);
pub const TOO_MANY_PINS: Problem =
    Problem::new(409, "too_many", "Este canal já tem 100 mensagens fixadas.", "This channel has 100 pinned messages already.");
pub const TOO_MANY_SCHEDULED: Problem =
    Problem::new(409, "too_many", "Você já tem 100 mensagens planejadas.", "You have 100 planned messages already.");
