//! Live sockets: who is connected, and telling them what was committed.

mod connections;
mod publish;

pub use connections::{
    Connection, TICKET_LIFE, close_sessions, find, forget, on_topic, post, redeem_ticket, refresh, remember, save_ticket,
    subscribe, unsubscribe,
};
pub(crate) use publish::publish_and_dispatch;
pub use publish::{Frame, frame_text};
