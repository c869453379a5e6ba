//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/add_chat_reaction.rs"]
mod add_chat_reaction;
#[path = "bin/add_company_emoji.rs"]
mod add_company_emoji;
#[path = "bin/cancel_scheduled_chat_message.rs"]
mod cancel_scheduled_chat_message;
#[path = "bin/delete_chat_message.rs"]
mod delete_chat_message;
#[path = "bin/edit_chat_message.rs"]
mod edit_chat_message;
#[path = "bin/follow_thread.rs"]
mod follow_thread;
#[path = "bin/get_chat_message.rs"]
mod get_chat_message;
#[path = "bin/get_thread.rs"]
mod get_thread;
#[path = "bin/get_unread.rs"]
mod get_unread;
#[path = "bin/list_chat_message_revisions.rs"]
mod list_chat_message_revisions;
#[path = "bin/list_chat_messages.rs"]
mod list_chat_messages;
#[path = "bin/list_company_emoji.rs"]
mod list_company_emoji;
#[path = "bin/list_mentions.rs"]
mod list_mentions;
#[path = "bin/list_pins.rs"]
mod list_pins;
#[path = "bin/list_scheduled_chat_messages.rs"]
mod list_scheduled_chat_messages;
#[path = "bin/pin_chat_message.rs"]
mod pin_chat_message;
#[path = "bin/post_scheduled_chat_message.rs"]
mod post_scheduled_chat_message;
#[path = "bin/remove_chat_reaction.rs"]
mod remove_chat_reaction;
#[path = "bin/remove_company_emoji.rs"]
mod remove_company_emoji;
#[path = "bin/schedule_chat_message.rs"]
mod schedule_chat_message;
#[path = "bin/search_chat.rs"]
mod search_chat;
#[path = "bin/send_chat_message.rs"]
mod send_chat_message;
#[path = "bin/unpin_chat_message.rs"]
mod unpin_chat_message;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("add_chat_reaction", add_chat_reaction::main),
        ("add_company_emoji", add_company_emoji::main),
        ("cancel_scheduled_chat_message", cancel_scheduled_chat_message::main),
        ("delete_chat_message", delete_chat_message::main),
        ("edit_chat_message", edit_chat_message::main),
        ("follow_thread", follow_thread::main),
        ("get_chat_message", get_chat_message::main),
        ("get_thread", get_thread::main),
        ("get_unread", get_unread::main),
        ("list_chat_message_revisions", list_chat_message_revisions::main),
        ("list_chat_messages", list_chat_messages::main),
        ("list_company_emoji", list_company_emoji::main),
        ("list_mentions", list_mentions::main),
        ("list_pins", list_pins::main),
        ("list_scheduled_chat_messages", list_scheduled_chat_messages::main),
        ("pin_chat_message", pin_chat_message::main),
        ("post_scheduled_chat_message", post_scheduled_chat_message::main),
        ("remove_chat_reaction", remove_chat_reaction::main),
        ("remove_company_emoji", remove_company_emoji::main),
        ("schedule_chat_message", schedule_chat_message::main),
        ("search_chat", search_chat::main),
        ("send_chat_message", send_chat_message::main),
        ("unpin_chat_message", unpin_chat_message::main),
    ]);
}
