//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/add_participant.rs"]
mod add_participant;
#[path = "bin/assign_conversation.rs"]
mod assign_conversation;
#[path = "bin/assign_waiting_conversation.rs"]
mod assign_waiting_conversation;
#[path = "bin/cancel_scheduled_message.rs"]
mod cancel_scheduled_message;
#[path = "bin/change_conversations.rs"]
mod change_conversations;
#[path = "bin/close_conversation.rs"]
mod close_conversation;
#[path = "bin/delete_message.rs"]
mod delete_message;
#[path = "bin/deliver_message.rs"]
mod deliver_message;
#[path = "bin/edit_message.rs"]
mod edit_message;
#[path = "bin/forward_message.rs"]
mod forward_message;
#[path = "bin/get_conversation.rs"]
mod get_conversation;
#[path = "bin/get_conversation_stats.rs"]
mod get_conversation_stats;
#[path = "bin/list_conversations.rs"]
mod list_conversations;
#[path = "bin/list_message_revisions.rs"]
mod list_message_revisions;
#[path = "bin/list_messages.rs"]
mod list_messages;
#[path = "bin/list_participants.rs"]
mod list_participants;
#[path = "bin/list_scheduled_messages.rs"]
mod list_scheduled_messages;
#[path = "bin/list_transfers.rs"]
mod list_transfers;
#[path = "bin/mark_conversation_read.rs"]
mod mark_conversation_read;
#[path = "bin/mark_conversation_unread.rs"]
mod mark_conversation_unread;
#[path = "bin/mark_message_read.rs"]
mod mark_message_read;
#[path = "bin/react_to_message.rs"]
mod react_to_message;
#[path = "bin/remove_participant.rs"]
mod remove_participant;
#[path = "bin/reopen_conversation.rs"]
mod reopen_conversation;
#[path = "bin/retry_message.rs"]
mod retry_message;
#[path = "bin/save_conversation_preferences.rs"]
mod save_conversation_preferences;
#[path = "bin/schedule_message.rs"]
mod schedule_message;
#[path = "bin/search_messages.rs"]
mod search_messages;
#[path = "bin/send_message.rs"]
mod send_message;
#[path = "bin/set_conversation_mode.rs"]
mod set_conversation_mode;
#[path = "bin/snooze_conversation.rs"]
mod snooze_conversation;
#[path = "bin/start_conversation.rs"]
mod start_conversation;
#[path = "bin/take_over_conversation.rs"]
mod take_over_conversation;
#[path = "bin/transfer_conversation.rs"]
mod transfer_conversation;
#[path = "bin/update_conversation.rs"]
mod update_conversation;
#[path = "bin/update_scheduled_message.rs"]
mod update_scheduled_message;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("add_participant", add_participant::main),
        ("assign_conversation", assign_conversation::main),
        ("assign_waiting_conversation", assign_waiting_conversation::main),
        ("cancel_scheduled_message", cancel_scheduled_message::main),
        ("change_conversations", change_conversations::main),
        ("close_conversation", close_conversation::main),
        ("delete_message", delete_message::main),
        ("deliver_message", deliver_message::main),
        ("edit_message", edit_message::main),
        ("forward_message", forward_message::main),
        ("get_conversation", get_conversation::main),
        ("get_conversation_stats", get_conversation_stats::main),
        ("list_conversations", list_conversations::main),
        ("list_message_revisions", list_message_revisions::main),
        ("list_messages", list_messages::main),
        ("list_participants", list_participants::main),
        ("list_scheduled_messages", list_scheduled_messages::main),
        ("list_transfers", list_transfers::main),
        ("mark_conversation_read", mark_conversation_read::main),
        ("mark_conversation_unread", mark_conversation_unread::main),
        ("mark_message_read", mark_message_read::main),
        ("react_to_message", react_to_message::main),
        ("remove_participant", remove_participant::main),
        ("reopen_conversation", reopen_conversation::main),
        ("retry_message", retry_message::main),
        ("save_conversation_preferences", save_conversation_preferences::main),
        ("schedule_message", schedule_message::main),
        ("search_messages", search_messages::main),
        ("send_message", send_message::main),
        ("set_conversation_mode", set_conversation_mode::main),
        ("snooze_conversation", snooze_conversation::main),
        ("start_conversation", start_conversation::main),
        ("take_over_conversation", take_over_conversation::main),
        ("transfer_conversation", transfer_conversation::main),
        ("update_conversation", update_conversation::main),
        ("update_scheduled_message", update_scheduled_message::main),
    ]);
}
