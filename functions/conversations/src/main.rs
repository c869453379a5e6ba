//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/assign_waiting_conversation.rs"]
mod assign_waiting_conversation;
#[path = "bin/close_conversation.rs"]
mod close_conversation;
#[path = "bin/deliver_message.rs"]
mod deliver_message;
#[path = "bin/get_conversation.rs"]
mod get_conversation;
#[path = "bin/list_conversations.rs"]
mod list_conversations;
#[path = "bin/list_messages.rs"]
mod list_messages;
#[path = "bin/list_transfers.rs"]
mod list_transfers;
#[path = "bin/mark_conversation_read.rs"]
mod mark_conversation_read;
#[path = "bin/send_message.rs"]
mod send_message;
#[path = "bin/take_over_conversation.rs"]
mod take_over_conversation;
#[path = "bin/transfer_conversation.rs"]
mod transfer_conversation;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("assign_waiting_conversation", assign_waiting_conversation::main),
        ("close_conversation", close_conversation::main),
        ("deliver_message", deliver_message::main),
        ("get_conversation", get_conversation::main),
        ("list_conversations", list_conversations::main),
        ("list_messages", list_messages::main),
        ("list_transfers", list_transfers::main),
        ("mark_conversation_read", mark_conversation_read::main),
        ("send_message", send_message::main),
        ("take_over_conversation", take_over_conversation::main),
        ("transfer_conversation", transfer_conversation::main),
    ]);
}
