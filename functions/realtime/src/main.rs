//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/connect.rs"]
mod connect;
#[path = "bin/create_realtime_ticket.rs"]
mod create_realtime_ticket;
#[path = "bin/disconnect.rs"]
mod disconnect;
#[path = "bin/list_events.rs"]
mod list_events;
#[path = "bin/ping.rs"]
mod ping;
#[path = "bin/push_events.rs"]
mod push_events;
#[path = "bin/resume.rs"]
mod resume;
#[path = "bin/set_presence.rs"]
mod set_presence;
#[path = "bin/subscribe.rs"]
mod subscribe;
#[path = "bin/typing.rs"]
mod typing;
#[path = "bin/unknown_action.rs"]
mod unknown_action;
#[path = "bin/unsubscribe.rs"]
mod unsubscribe;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("connect", connect::main),
        ("create_realtime_ticket", create_realtime_ticket::main),
        ("disconnect", disconnect::main),
        ("list_events", list_events::main),
        ("ping", ping::main),
        ("push_events", push_events::main),
        ("resume", resume::main),
        ("set_presence", set_presence::main),
        ("subscribe", subscribe::main),
        ("typing", typing::main),
        ("unknown_action", unknown_action::main),
        ("unsubscribe", unsubscribe::main),
    ]);
}
