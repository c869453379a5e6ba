//! Live sockets: who is connected, and telling them what was committed.

mod connections;
mod publish;
mod sight;
mod tickets;

pub use connections::{
    ALL_SHARDS, Connection, close_sessions, find, forget, on_topic, post, post_all, refresh, remember, subscribe, unsubscribe,
};
pub(crate) use publish::publish_and_dispatch;
pub use publish::{Frame, Handover, Pushed, add_colleagues, distinct, frame_text, take_colleagues, tell};
pub use sight::look_anew;
pub use tickets::{TICKET_LIFE, redeem_ticket, save_ticket};
